import assert from "node:assert/strict";
import { PartFile } from "../../../client/files/part_file.ts";
import { namesIn, scratchFolder, someBytes } from "../../helpers/peers/transfer_room.ts";

const MIB = 1_048_576;
const BYTES = someBytes(3 * MIB + 5);
const FILE = { hash: new Uint8Array(32).fill(0xab), size: BYTES.length, chunkBytes: MIB };
const KEPT_NAME = `.cmdchat-${"ab".repeat(16)}.part`;

async function opened(folder: string): Promise<{ part: PartFile; kept: Uint8Array[] }> {
  const kept: Uint8Array[] = [];
  return { part: await PartFile.open(folder, FILE, (chunk) => kept.push(chunk.slice())), kept };
}

Deno.test("a file is written as it comes, and has its name when all is there", async () => {
  await using scratch = await scratchFolder();
  const folder = `${scratch.path}/in`;
  const { part, kept } = await opened(folder);
  assert.deepEqual(kept, []);
  await part.append(BYTES.subarray(0, MIB));
  assert.deepEqual(await namesIn(folder), [KEPT_NAME]);
  const { mode } = await Deno.stat(`${folder}/${KEPT_NAME}`);
  if (Deno.build.os !== "windows") assert.equal((mode ?? 0) & 0o777, 0o600);
  await part.append(BYTES.subarray(MIB));
  assert.equal(await part.finish("../a\u202e.bin"), `${folder}/a.bin`);
  assert.deepEqual(await namesIn(folder), ["a.bin"]);
  assert.deepEqual(await Deno.readFile(`${folder}/a.bin`), BYTES);
});

Deno.test("what came of a file is here when it comes another time, in whole chunks; less than 1 MiB is not kept", async () => {
  await using scratch = await scratchFolder();
  const first = await opened(scratch.path);
  await first.part.append(BYTES.subarray(0, 2 * MIB + 77));
  await first.part.keep();
  const second = await opened(scratch.path);
  assert.deepEqual(second.kept, [BYTES.subarray(0, MIB), BYTES.subarray(MIB, 2 * MIB)]);
  await second.part.append(BYTES.subarray(2 * MIB));
  await second.part.finish("a.bin");
  assert.deepEqual(await Deno.readFile(`${scratch.path}/a.bin`), BYTES);
  const third = await opened(scratch.path);
  await third.part.append(BYTES.subarray(0, MIB - 1));
  await third.part.keep();
  assert.deepEqual(await namesIn(scratch.path), ["a.bin"]);
});

Deno.test("two transfers of one file do not share a part, and one that is discarded leaves nothing", async () => {
  await using scratch = await scratchFolder();
  const [one, two] = [await opened(scratch.path), await opened(scratch.path)];
  await one.part.append(BYTES);
  await two.part.append(BYTES.subarray(0, 2 * MIB));
  await two.part.discard();
  assert.equal(await one.part.finish("a.bin"), `${scratch.path}/a.bin`);
  assert.deepEqual(await Deno.readFile(`${scratch.path}/a.bin`), BYTES);
  assert.deepEqual(await namesIn(scratch.path), ["a.bin"]);
});

Deno.test("a link at the part's name is not followed, and neither is a second name of another file", async () => {
  if (Deno.build.os === "windows") return;
  for (const link of [Deno.symlink, Deno.link]) {
    await using scratch = await scratchFolder();
    const folder = `${scratch.path}/in`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(`${scratch.path}/mine`, "untouched");
    await link(`${scratch.path}/mine`, `${folder}/${KEPT_NAME}`);
    const { part } = await opened(folder);
    await part.append(BYTES);
    await part.finish("a.bin");
    assert.equal(await Deno.readTextFile(`${scratch.path}/mine`), "untouched");
    assert.deepEqual(await Deno.readFile(`${folder}/a.bin`), BYTES);
  }
});

Deno.test("a part that another program writes is left alone", async () => {
  await using scratch = await scratchFolder();
  const path = `${scratch.path}/${KEPT_NAME}`;
  {
    using theirs = await Deno.open(path, { write: true, createNew: true });
    await theirs.tryLock(true);
    await theirs.write(BYTES.subarray(0, MIB + 5));
    const { part, kept } = await opened(scratch.path);
    assert.equal(kept.length, 0);
    await part.append(BYTES);
    await part.finish("a.bin");
    assert.deepEqual(await Deno.readFile(`${scratch.path}/a.bin`), BYTES);
  }
  assert.deepEqual(await Deno.readFile(path), BYTES.subarray(0, MIB + 5));
});

Deno.test("a part that no other transfer could find is not kept", async () => {
  await using scratch = await scratchFolder();
  const [one, two] = [await opened(scratch.path), await opened(scratch.path)];
  for (const { part } of [one, two]) {
    await part.append(BYTES.subarray(0, 2 * MIB));
    await part.keep();
  }
  assert.deepEqual(await namesIn(scratch.path), [KEPT_NAME]);
});

Deno.test("what nobody came back for, or a killed program left, is removed after a week, and nothing else is", async () => {
  await using scratch = await scratchFolder();
  const at = (name: string) => `${scratch.path}/${name}`;
  const old = [`.cmdchat-${"cd".repeat(16)}.part`, ".cmdchat-Ab_-Ab_-Ab_-Ab_-.part"];
  const others = [".cmdchat-x.part", "letter.part"];
  for (const name of [...old, ...others]) await Deno.writeTextFile(at(name), "x");
  const [folder, fresh] = [".cmdchat-0123456789abcdef.part", ".cmdchat-fedcba9876543210.part"];
  for (const name of [folder, fresh]) {
    await Deno.mkdir(at(name));
    await Deno.writeTextFile(`${at(name)}/x`, "x");
  }
  for (const name of [...old, ...others, folder]) await Deno.utime(at(name), 1_000, 1_000);
  const { part } = await opened(scratch.path);
  await part.discard();
  assert.deepEqual(await namesIn(scratch.path), [".cmdchat-fedcba9876543210.part", ...others]);
});
