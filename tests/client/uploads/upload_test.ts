import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  checkSourceFile,
  openSourceFile,
  openTypedFiles,
} from "../../../client/uploads/disk_file.ts";
import { PushedUpload } from "../../../client/uploads/upload.ts";
import { CmdchatError, ConfigError, LimitError, UsageError } from "../../../shared/base/errors.ts";
import { FILE_CHUNK_BYTES, FILE_MAX_BYTES } from "../../../shared/base/limits.ts";
import type { FileRequest } from "../../helpers/peers/transfer_room.ts";
import { scratchFolder, someBytes } from "../../helpers/peers/transfer_room.ts";

async function refusal(path: string, fileMax = FILE_MAX_BYTES): Promise<CmdchatError> {
  const error: unknown = await openTypedFiles(path, { fileMax }).then(
    (files) => files.forEach((file) => file.close()),
    (error) => error,
  );
  assert.ok(error instanceof CmdchatError, `${path} was not refused`);
  return error;
}

Deno.test("what cannot be sent is refused with the reason", async () => {
  await using scratch = await scratchFolder();
  await Deno.writeFile(`${scratch.path}/some`, someBytes(5));
  await Deno.mkdir(`${scratch.path}/folder`);
  const cases: Record<string, RegExp> = {
    "": /it needs a path/,
    [`${scratch.path}/missing`]: /there is no such file/,
    [`${scratch.path}/some/below`]: /it cannot be read \(ENOTDIR\)|there is no such file/,
    [`${scratch.path}/${"x".repeat(300)}`]: /it cannot be read \(ENAMETOOLONG\)/,
    [`${scratch.path}/${"x".repeat(3_000)}/end`]: /^Cannot send "[^"]{200}": .*$/,
    [`${scratch.path}/a\0b`]: /it cannot be read/,
  };
  if (Deno.build.os !== "windows") cases["/dev/zero"] = /it is not a regular file/;
  if (Deno.build.os === "linux") cases["/proc/self/status"] = /it does not say how large it is/;
  for (const [path, message] of Object.entries(cases)) {
    const error = await refusal(path);
    assert.ok(error instanceof (path.trim() === "" ? UsageError : ConfigError), path);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /[\p{Cc}]/u);
  }
});

Deno.test("a file without read permission is refused", async () => {
  if (Deno.build.os === "windows") return;
  await using scratch = await scratchFolder();
  const path = `${scratch.path}/locked`;
  await Deno.writeFile(path, someBytes(5));
  const original = Deno.open;
  try {
    // The superuser may read everything, so that the mode alone would not show it.
    Deno.open = () => Promise.reject(new Deno.errors.PermissionDenied());
    assert.match((await refusal(path)).message, /you may not read it/);
  } finally {
    Deno.open = original;
  }
});

Deno.test("a file of 10 MiB is sent and one byte more is refused with both numbers", async () => {
  await using scratch = await scratchFolder();
  const path = `${scratch.path}/big`;
  await Deno.writeFile(path, new Uint8Array(FILE_MAX_BYTES));
  (await openSourceFile(path, FILE_MAX_BYTES)).close();
  await Deno.truncate(path, FILE_MAX_BYTES + 1);
  const error = await refusal(path);
  assert.ok(error instanceof LimitError);
  assert.match(error.message, /it has 10485761 bytes, at most 10485760 \(10 MiB\) are allowed/);
  assert.match((await refusal(path, 0)).message, /this server takes no files/);
});

Deno.test("a path is found as typed before it is found without its quotes", async () => {
  await using scratch = await scratchFolder();
  await Deno.writeFile(`${scratch.path}/a b`, someBytes(1));
  await Deno.writeFile(`${scratch.path}/a\\ b`, someBytes(2));
  const open = async (typed: string) => {
    const files = await openTypedFiles(typed, { fileMax: 10, home: scratch.path });
    for (const file of files) file.close();
    return files.flatMap(({ name, size }) => [name, size]);
  };
  assert.deepEqual(await open(`${scratch.path}/a\\ b`), ["a\\ b", 2]);
  await Deno.remove(`${scratch.path}/a\\ b`);
  assert.deepEqual(await open(`${scratch.path}/a\\ b`), ["a b", 1]);
  assert.deepEqual(await open(`'${scratch.path}/a b'`), ["a b", 1]);
  assert.deepEqual(await open("~/a b"), ["a b", 1]);
  await Deno.writeFile(`${scratch.path}/c`, someBytes(3));
  const both = ["a b", 1, "c", 3];
  for (const quoted of [`'${scratch.path}/a b'`, `"${scratch.path}/a b"`, "~/a\\ b"]) {
    assert.deepEqual(await open(`${quoted} ${scratch.path}/c`), both, "two that were dropped");
  }
  await assert.rejects(open(`${scratch.path}/c ${scratch.path}/missing`), ConfigError);
});

Deno.test("the path of a program is literal: neither blanks nor quotes are taken away", async () => {
  await using scratch = await scratchFolder();
  await Deno.writeFile(`${scratch.path}/a`, someBytes(1));
  for (const typed of ["a ", " a", "'a'", "a\\"]) {
    const path = `${scratch.path}/${typed}`;
    await assert.rejects(openSourceFile(path, 10), /there is no such file/);
    await assert.rejects(checkSourceFile(path), /there is no such file/);
    await Deno.writeFile(path, someBytes(2));
    const file = await openSourceFile(path, 10);
    file.close();
    assert.deepEqual([file.name, file.size], [typed, 2]);
    await checkSourceFile(path);
  }
  await checkSourceFile(scratch.path);
});

Deno.test("an upload says what the protocol says, in chunks of 32,768 bytes", async () => {
  await using scratch = await scratchFolder();
  for (const size of [1, FILE_CHUNK_BYTES, 2 * FILE_CHUNK_BYTES + 1]) {
    const bytes = someBytes(size);
    await Deno.writeFile(`${scratch.path}/a.bin`, bytes);
    const messages: FileRequest[] = [];
    const upload = new PushedUpload(
      await openSourceFile(`${scratch.path}/a.bin`, FILE_MAX_BYTES),
      (message) => Promise.resolve(void messages.push(message)),
    );
    upload.confirm();
    const outcome = await upload.run(() => {});
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    assert.deepEqual(outcome, { sha256, receivers: [] });
    const [init, ...pushed] = messages;
    const chunks = Math.ceil(size / FILE_CHUNK_BYTES);
    assert.deepEqual(init, {
      kind: "offer",
      file: upload.id,
      filename: "a.bin",
      size,
      chunks,
      hash: upload.file.hash,
      to: 0,
      folder: false,
    });
    assert.match(upload.id, /^[0-9a-f]{32}$/);
    const sent = pushed.map((chunk, index) => {
      assert.ok(chunk.kind === "chunk");
      assert.equal(chunk.file, upload.id);
      assert.equal(chunk.index, index);
      assert.equal(chunk.last, index === chunks - 1);
      return [...chunk.data];
    });
    assert.deepEqual(Uint8Array.from(sent.flat()), bytes);
    assert.ok(sent.slice(0, -1).every(({ length }) => length === FILE_CHUNK_BYTES));
  }
});

Deno.test("a server that takes no empty files is offered none, and the file is closed", async () => {
  await using scratch = await scratchFolder();
  await Deno.writeFile(`${scratch.path}/nothing`, new Uint8Array());
  const file = await openSourceFile(`${scratch.path}/nothing`, FILE_MAX_BYTES);
  assert.throws(
    () => new PushedUpload(file, () => assert.fail("it was offered")),
    /^UsageError: Cannot send "nothing": it is empty, and this server takes no empty files$/,
  );
  await assert.rejects(file.chunk(0), /it cannot be read|Bad resource/);
});

Deno.test("an upload that is stopped before it begins sends no chunk and closes its file", async () => {
  await using scratch = await scratchFolder();
  await Deno.writeFile(`${scratch.path}/a.bin`, someBytes(5));
  const kinds: string[] = [];
  const file = await openSourceFile(`${scratch.path}/a.bin`, FILE_MAX_BYTES);
  const upload = new PushedUpload(file, ({ kind }) => Promise.resolve(void kinds.push(kind)));
  const outcome = upload.run(() => {});
  upload.stop({ code: "cancelled", reason: "cancelled" });
  upload.stop({ code: "connection_lost", reason: "too late to matter" });
  assert.deepEqual(await outcome, { fault: { code: "cancelled", reason: "cancelled" } });
  assert.deepEqual(kinds, ["offer"]);
  await assert.rejects(file.chunk(0), /it cannot be read|Bad resource/);
});
