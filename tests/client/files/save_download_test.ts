import assert from "node:assert/strict";
import { basename, dirname } from "node:path";
import fc from "fast-check";
import {
  defaultDownloadFolder,
  saveDownload,
  tryDownloadFolder,
  whyNotSaved,
} from "../../../client/files/save_download.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { FILE_NAME_MAX_BYTES } from "../../../shared/base/limits.ts";
import { codePoint } from "../../helpers/fakes/code_point.ts";
import { HOSTILE_FILE_NAMES, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { namesIn, scratchFolder, someBytes } from "../../helpers/peers/transfer_room.ts";

const BYTES = someBytes(70_000);
const CHUNKS = [BYTES.subarray(0, 32_768), BYTES.subarray(32_768)];
const isWindows = Deno.build.os === "windows";

/** A folder for downloads beside a file that must stay as it is. */
async function trap() {
  const scratch = await scratchFolder();
  const folder = `${scratch.path}/outer/downloads`;
  await Deno.mkdir(folder, { recursive: true });
  const treasure = `${scratch.path}/outer/treasure`;
  await Deno.writeTextFile(treasure, "treasure");
  const isIntact = async () => {
    assert.equal(await Deno.readTextFile(treasure), "treasure");
    assert.deepEqual(await namesIn(`${scratch.path}/outer`), ["downloads", "treasure"]);
    assert.deepEqual(await namesIn(scratch.path), ["outer"]);
  };
  return { ...scratch, folder, treasure, isIntact };
}

Deno.test("a folder that takes no file is told of before any file comes, and one that does is left as it was", async () => {
  await using scratch = await scratchFolder();
  const { path } = scratch;
  assert.equal(await tryDownloadFolder(path), "there");
  assert.equal(await tryDownloadFolder(`${path}/a/b`), "later");
  assert.deepEqual(await namesIn(path), []);
  await Deno.writeTextFile(`${path}/file`, "");
  for (const folder of [`${path}/file`, `${path}/file/below`]) {
    await assert.rejects(
      tryDownloadFolder(folder),
      (error) =>
        error instanceof ConfigError && /: the download folder is a file$/.test(error.message),
    );
  }
});

Deno.test("a file is written whole, for its owner only, into a folder for its owner only", async () => {
  await using scratch = await scratchFolder();
  const folder = `${scratch.path}/a/b`;
  const path = await saveDownload(folder, "notes.txt", CHUNKS);
  assert.equal(path, `${folder}/notes.txt`);
  assert.deepEqual(await Deno.readFile(path), BYTES);
  assert.deepEqual(await namesIn(folder), ["notes.txt"]);
  if (isWindows) return;
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o700);
  assert.equal((await Deno.lstat(path)).nlink, 1);
});

Deno.test("hostile names land in the folder, as regular files, and touch nothing else", async () => {
  await using place = await trap();
  let files = 0;
  for (const { label, text } of [...HOSTILE_FILE_NAMES, ...HOSTILE_TEXTS]) {
    const path = await saveDownload(place.folder, text, [someBytes(3)]);
    files++;
    assert.equal(dirname(path), place.folder, label);
    assert.ok(new TextEncoder().encode(basename(path)).length <= FILE_NAME_MAX_BYTES, label);
    assert.ok((await Deno.lstat(path)).isFile, label);
    assert.doesNotMatch(basename(path), /^[.~-]|[\p{Cc}\p{Cs}<>:"|?*/\\]/u, label);
  }
  assert.equal((await namesIn(place.folder)).length, files, "none replaced another");
  await place.isIntact();
});

Deno.test("names from anywhere land in the folder", async () => {
  await using place = await trap();
  let files = 0;
  const part = fc.oneof(
    fc.constantFrom("..", ".", "/", "\\", "\0", "~", "C:", "CON", "\u200b", "\u202e", "a", " "),
    fc.string({ unit: codePoint, maxLength: 5 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
      const path = await saveDownload(place.folder, parts.join(""), [someBytes(1)]);
      files++;
      assert.equal(dirname(path), place.folder);
    }),
  );
  assert.equal((await namesIn(place.folder)).length, files);
  await place.isIntact();
});

Deno.test("a file that is there is kept, and the new one is numbered", async () => {
  await using scratch = await scratchFolder();
  await Deno.writeTextFile(`${scratch.path}/a.tar.gz`, "old");
  assert.equal(basename(await saveDownload(scratch.path, "a.tar.gz", CHUNKS)), "a (2).tar.gz");
  assert.equal(basename(await saveDownload(scratch.path, "a.tar.gz", CHUNKS)), "a (3).tar.gz");
  assert.equal(await Deno.readTextFile(`${scratch.path}/a.tar.gz`), "old");
});

Deno.test("names that differ in case only replace each other on no file system", async () => {
  await using scratch = await scratchFolder();
  const paths = [
    await saveDownload(scratch.path, "Report.TXT", [new Uint8Array([1])]),
    await saveDownload(scratch.path, "report.txt", [new Uint8Array([2])]),
    await saveDownload(scratch.path, "caf\u00e9", [new Uint8Array([3])]),
    await saveDownload(scratch.path, "cafe\u0301", [new Uint8Array([4])]),
  ];
  const contents = await Promise.all(paths.map((path) => Deno.readFile(path)));
  assert.deepEqual(contents.map(([byte]) => byte), [1, 2, 3, 4]);
  assert.equal(basename(paths[3]!), "caf\u00e9 (2)");
});

Deno.test("many at once of one name all get their own", async () => {
  await using scratch = await scratchFolder();
  const paths = await Promise.all(
    Array.from({ length: 20 }, (_, n) => saveDownload(scratch.path, "a", [new Uint8Array([n])])),
  );
  assert.equal(new Set(paths).size, 20);
  for (const [n, path] of paths.entries()) assert.deepEqual([...await Deno.readFile(path)], [n]);
  assert.equal((await namesIn(scratch.path)).length, 20);
});

Deno.test("a link at the destination is not followed, wherever it points", async () => {
  await using place = await trap();
  const targets = [place.treasure, `${place.path}/outer/not-there`, `${place.path}/outer`, "loop"];
  for (const [index, target] of targets.entries()) {
    const name = index === 3 ? "loop" : `link-${index}`;
    await Deno.symlink(target, `${place.folder}/${name}`);
    const path = await saveDownload(place.folder, name, CHUNKS);
    assert.equal(basename(path), `${name} (2)`);
    assert.ok((await Deno.lstat(path)).isFile);
  }
  await place.isIntact();
});

Deno.test("a link where the temporary file would be is not followed", async () => {
  await using place = await trap();
  const original = crypto.getRandomValues;
  try {
    crypto.getRandomValues = <T>(array: T) => array;
    const part = `${place.folder}/.cmdchat-${"A".repeat(16)}.part`;
    await Deno.symlink(place.treasure, part);
    await assert.rejects(saveDownload(place.folder, "a", CHUNKS), Deno.errors.AlreadyExists);
    assert.deepEqual(await namesIn(place.folder), [basename(part)]);
  } finally {
    crypto.getRandomValues = original;
  }
  await place.isIntact();
});

Deno.test("a download folder that is itself a link is the user's choice", async () => {
  await using place = await trap();
  await Deno.symlink(place.folder, `${place.path}/chosen`);
  const path = await saveDownload(`${place.path}/chosen`, "a", CHUNKS);
  assert.equal(path, `${place.folder}/a`);
});

Deno.test("without hard links the same holds: new files only, whole, no link followed", async () => {
  await using place = await trap();
  const original = Deno.link;
  try {
    Deno.link = () => Promise.reject(new Deno.errors.NotSupported());
    await Deno.writeTextFile(`${place.folder}/a`, "old");
    await Deno.symlink(place.treasure, `${place.folder}/a (2)`);
    const path = await saveDownload(place.folder, "a", CHUNKS);
    assert.equal(basename(path), "a (3)");
    assert.deepEqual(await Deno.readFile(path), BYTES);
    assert.equal(await Deno.readTextFile(`${place.folder}/a`), "old");
    assert.equal((await namesIn(place.folder)).length, 3);
  } finally {
    Deno.link = original;
  }
  await place.isIntact();
});

Deno.test("a write that fails half-way leaves nothing", async () => {
  await using scratch = await scratchFolder();
  const proto = Deno.FsFile.prototype;
  const original = proto.write;
  try {
    let writes = 0;
    proto.write = function (bytes) {
      if (++writes > 1) {
        return Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }));
      }
      return original.call(this, bytes);
    };
    const error: unknown = await saveDownload(scratch.path, "a", CHUNKS).catch((error) => error);
    assert.equal(whyNotSaved(error), "the disk is full");
  } finally {
    proto.write = original;
  }
  assert.deepEqual(await namesIn(scratch.path), []);
});

Deno.test("why a file was not saved is said in words", async () => {
  await using scratch = await scratchFolder();
  await Deno.writeTextFile(`${scratch.path}/file`, "");
  const why = (folder: string) =>
    saveDownload(`${scratch.path}/${folder}`, "a", CHUNKS).then(() => "saved", whyNotSaved);
  assert.match(await why("file"), /the download folder is a file/);
  assert.match(await why("file/below"), /the download folder is a file/);
  assert.match(await why("x".repeat(300)), /too long/);
  if (!isWindows && Deno.uid() !== 0) {
    await Deno.mkdir(`${scratch.path}/locked`, { mode: 0o500 });
    assert.match(await why("locked"), /may not be written to/);
  }
  assert.equal(
    whyNotSaved(new Deno.errors.PermissionDenied()),
    whyNotSaved(Object.assign(new Error(), { code: "EACCES" })),
  );
});

Deno.test("downloads go to ~/Downloads/cmdchat unless the user says otherwise", () => {
  assert.equal(defaultDownloadFolder("/h/ann"), "/h/ann/Downloads/cmdchat");
  assert.equal(defaultDownloadFolder(undefined), "Downloads/cmdchat");
});
