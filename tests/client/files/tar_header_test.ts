import assert from "node:assert/strict";
import fc from "fast-check";
import {
  readPaxRecords,
  readTarBlock,
  TAR_BLOCK_BYTES,
  type TarEntry,
  TarError,
  tarHeader,
  tarPadding,
} from "../../../client/files/tar_header.ts";

/** The entry that a header says. */
function readBack(header: Uint8Array): TarEntry {
  const first = readTarBlock(header.subarray(0, TAR_BLOCK_BYTES));
  assert.ok(first);
  const entryOf = (
    { type, name, size }: NonNullable<typeof first>,
    records: ReadonlyMap<string, string>,
  ): TarEntry => ({
    kind: type === "5" ? "folder" : "file",
    path: (records.get("path") ?? name).replace(/\/$/, ""),
    size: Number(records.get("size") ?? size),
  });
  if (first.type !== "x") return entryOf(first, new Map());
  const records = readPaxRecords(
    header.subarray(TAR_BLOCK_BYTES, TAR_BLOCK_BYTES + first.size),
  );
  const second = readTarBlock(header.subarray(-TAR_BLOCK_BYTES));
  assert.ok(second);
  return entryOf(second, records);
}

Deno.test("a header says path and size whatever they are, in whole blocks", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 })
    .map((text) => text.replaceAll(/[\0/]/g, "_")).filter((text) => text.isWellFormed());
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join("/"));
  fc.assert(fc.property(path, fc.nat(), fc.boolean(), (path, size, isFolder) => {
    const entry = { kind: isFolder ? "folder" : "file", path, size: isFolder ? 0 : size } as const;
    const header = tarHeader(entry);
    assert.equal(header.length % TAR_BLOCK_BYTES, 0);
    assert.deepEqual(readBack(header), entry);
  }));
  const large = { kind: "file", path: "large", size: 16 * 2 ** 30 } as const;
  assert.deepEqual(readBack(tarHeader(large)), large);
  assert.deepEqual([tarPadding(0), tarPadding(1), tarPadding(512)], [0, 511, 0]);
});

Deno.test("a block of another kind, of another format or with a wrong checksum is refused", () => {
  const good = tarHeader({ kind: "file", path: "a", size: 1 });
  assert.equal(readTarBlock(new Uint8Array(TAR_BLOCK_BYTES)), undefined);
  for (const type of ["1", "2", "3", "4", "6", "7", "g", "S", "L", "K", "\0"]) {
    const wrong = tarHeader({ kind: "file", path: "a", size: 1 });
    const difference = type.charCodeAt(0) - "0".charCodeAt(0);
    wrong[156] = type.charCodeAt(0);
    const sum = parseInt(new TextDecoder().decode(wrong.subarray(148, 154)), 8) + difference;
    wrong.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0")), 148);
    assert.throws(() => readTarBlock(wrong), /neither a file nor a folder/, `type ${type}`);
  }
  for (const at of [0, 124, 148, 156, 257]) {
    const wrong = new Uint8Array(good);
    wrong[at]! ^= 1;
    assert.throws(() => readTarBlock(wrong), TarError, `byte ${at}`);
  }
  for (const text of ["", "5 a=b", "99 path=x\n", "6 path\n", "x path=a\n", "0 path=a\n"]) {
    const bytes = new TextEncoder().encode(text);
    if (text === "") assert.equal(readPaxRecords(bytes).size, 0);
    else assert.throws(() => readPaxRecords(bytes), TarError, text);
  }
});
