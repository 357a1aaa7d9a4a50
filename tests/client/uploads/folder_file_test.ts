import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openSourceFile, openTogether } from "../../../client/uploads/disk_file.ts";
import type { SourceFile } from "../../../client/transfer_base/source_file.ts";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { LimitError, UsageError } from "../../../shared/base/errors.ts";
import { someBytes } from "../../helpers/peers/transfer_room.ts";

const MAX = 10_000_000;

interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** A folder with a subfolder, an empty file, one with a long name, a large one, and a link. */
async function scratchFolder(): Promise<Scratch> {
  const root = await Deno.makeTempDir();
  const path = `${root}/trip`;
  await Deno.mkdir(`${path}/b/c`, { recursive: true });
  await Deno.writeFile(`${path}/large.bin`, someBytes(300_000));
  await Deno.writeFile(`${path}/b/empty`, new Uint8Array());
  await Deno.writeTextFile(`${path}/b/${"ü".repeat(100)}.txt`, "long");
  await Deno.symlink("/etc/passwd", `${path}/b/link`);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

async function bytesOf(file: SourceFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.size);
  const chunks = Math.ceil(file.size / FILE_CHUNK_BYTES);
  // Backwards: a receiver may ask for any chunk.
  for (let index = chunks - 1; index >= 0; index--) {
    bytes.set(await file.chunk(index), index * FILE_CHUNK_BYTES);
  }
  return bytes;
}

Deno.test("a folder is one archive, the same each time and wherever it is read; links are left out", async () => {
  await using scratch = await scratchFolder();
  const file = await openSourceFile(`${scratch.path}/`, MAX);
  const again = await openSourceFile(scratch.path, MAX);
  try {
    assert.deepEqual([file.name, file.isFolder, file.leftOut], ["trip.tar", true, 1]);
    const bytes = await bytesOf(file);
    assert.deepEqual(
      new Uint8Array(createHash("sha256").update(bytes).digest()),
      new Uint8Array(file.hash),
    );
    assert.deepEqual(again.hash, file.hash);
    assert.doesNotMatch(new TextDecoder("latin1").decode(bytes), /passwd/);
    // The times of files are nobody's business, and no reason for another archive.
    await Deno.utime(`${scratch.path}/large.bin`, 1, 1);
    const later = await openSourceFile(scratch.path, MAX);
    assert.deepEqual(later.hash, file.hash);
    later.close();
  } finally {
    file.close();
    again.close();
  }
});

Deno.test("a file in a folder that is replaced, grows, shrinks or vanishes while it is sent ends the sending", async () => {
  const changes: [string, (path: string) => Promise<void>, RegExp][] = [
    ["gone", (path) => Deno.remove(path), /"large.bin" is gone while it was sent/],
    ["shrunk", (path) => Deno.truncate(path, 9), /"large.bin" (was changed|shrank)/],
    ["grown", (path) => Deno.truncate(path, 400_000), /"large.bin" (was changed|grew)/],
    ["a link", async (path) => {
      await Deno.remove(path);
      await Deno.symlink("/etc/passwd", path);
    }, /"large.bin" was changed/],
  ];
  for (const [what, change, reason] of changes) {
    await using scratch = await scratchFolder();
    const file = await openSourceFile(scratch.path, MAX);
    try {
      await change(`${scratch.path}/large.bin`);
      await assert.rejects(bytesOf(file), reason, what);
    } finally {
      file.close();
    }
  }
});

Deno.test("several paths together are one folder; two of one name, too much and too deep are refused", async () => {
  await using scratch = await scratchFolder();
  const { path } = scratch;
  const about = { name: "both", fileMax: MAX };
  const file = await openTogether([`${path}/b`, `${path}/large.bin`], about);
  file.close();
  assert.deepEqual([file.name, file.isFolder], ["both.tar", true]);
  await assert.rejects(openTogether([`${path}/b`, `${path}/b`], about), UsageError);
  await assert.rejects(openSourceFile(path, 100_000), LimitError);
  await Deno.mkdir(`${path}/${"d/".repeat(70)}`, { recursive: true });
  await assert.rejects(openSourceFile(path, MAX), /lies too deep in it/);
});
