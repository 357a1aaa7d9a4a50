import assert from "node:assert/strict";
import { FOLDER_ENTRIES_MAX, tarHeader, tarPadding } from "../../../client/files/tar_header.ts";
import { unpackFolder } from "../../../client/files/unpack_folder.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";

const utf8 = new TextEncoder();

interface Entry {
  readonly path: string;
  /** A folder where it is missing. */
  readonly text?: string;
}

function archive(...entries: Entry[]): Uint8Array {
  const parts = entries.flatMap(({ path, text }) => {
    const data = utf8.encode(text ?? "");
    const kind = text === undefined ? "folder" : "file";
    return [
      tarHeader({ kind, path, size: data.length }),
      data,
      new Uint8Array(tarPadding(data.length)),
    ];
  });
  return concatBytes([...parts, new Uint8Array(1_024)]);
}

/** The header in front of a file that says nothing about it. */
const PAX = paxHeader();

function paxHeader(): Uint8Array {
  const header = tarHeader({ kind: "file", path: "pax", size: 0 });
  header[156] = "x".charCodeAt(0);
  // The checksum counts the type, which was a file's.
  const sum = parseInt(new TextDecoder().decode(header.subarray(148, 154)), 8) +
    "x".charCodeAt(0) - "0".charCodeAt(0);
  header.set(utf8.encode(sum.toString(8).padStart(6, "0")), 148);
  return header;
}

/** An archive of one file of 16 bytes, whose pax header says this size. */
function withPaxSize(size: string): Uint8Array {
  const large = tarHeader({ kind: "file", path: "p/a", size: 8 ** 11 });
  const pax = utf8.encode(`${String(size.length + 9).padStart(2, "0")} size=${size}\n`);
  large.fill(0, 512, 1_024);
  large.set(pax, 512);
  const header = paxHeader();
  header.set(utf8.encode(pax.length.toString(8).padStart(11, "0")), 124);
  header.set(utf8.encode("        "), 148);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.set(utf8.encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  large.set(header);
  return concatBytes([large, utf8.encode("x".repeat(16)), new Uint8Array(496 + 1_024)]);
}

/** Unpacks it in a folder of its own; `check` gets that folder. */
async function unpacked(
  bytes: Uint8Array,
  check: (root: string, path: string | Error) => Promise<void>,
): Promise<void> {
  const [root, elsewhere] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  try {
    await Deno.writeFile(`${elsewhere}/part`, bytes);
    const path = await unpackFolder(`${elsewhere}/part`, root, "photos").catch((error) => error);
    await check(root, path);
  } finally {
    for (const path of [root, elsewhere]) await Deno.remove(path, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

Deno.test("an archive becomes a new folder that belongs to its owner alone; one that is there stays", async () => {
  const bytes = archive({ path: "photos" }, { path: "photos/a" }, {
    path: "photos/a/b.txt",
    text: "b",
  }, {
    path: "photos/ünïcode 日本.txt",
    text: "",
  }, { path: "photos/late/c.txt", text: "c" });
  await unpacked(bytes, async (root, path) => {
    assert.equal(path, `${await Deno.realPath(root)}/photos`);
    assert.deepEqual(await namesIn(`${root}/photos`), ["a", "late", "ünïcode 日本.txt"]);
    assert.equal(await Deno.readTextFile(`${root}/photos/a/b.txt`), "b");
    assert.equal((await Deno.stat(`${root}/photos/a`)).mode! & 0o777, 0o700);
    assert.equal((await Deno.stat(`${root}/photos/a/b.txt`)).mode! & 0o777, 0o600);
    await Deno.writeFile(`${root}/part`, bytes);
    assert.match(await unpackFolder(`${root}/part`, root, "photos"), /photos \(2\)$/);
    assert.deepEqual(await namesIn(root), ["part", "photos", "photos (2)"], "no traces");
  });
});

Deno.test("names in an archive hide nothing, act as nothing and never meet", async () => {
  const bytes = archive(
    { path: "photos/.git/config", text: "1" },
    { path: "photos/con", text: "2" },
    { path: "photos/a\u202etxt.exe", text: "3" },
    { path: "photos/Same", text: "4" },
    { path: "photos/same", text: "5" },
    { path: "photos/desktop.ini", text: "6" },
  );
  await unpacked(bytes, async (root) => {
    const names = await namesIn(`${root}/photos`);
    assert.deepEqual(names, ["Same", "_con", "_desktop.ini", "_git", "atxt.exe", "same (2)"]);
  });
});

Deno.test("what leads elsewhere, or is no archive of a folder, leaves nothing behind", async () => {
  const link = archive({ path: "photos/l", text: "" });
  link[156] = "2".charCodeAt(0);
  const cases: [string, Uint8Array][] = [
    ["a path upward", archive({ path: "photos/../../evil", text: "x" })],
    ["an absolute path", archive({ path: "/etc/evil", text: "x" })],
    ["a dot", archive({ path: "photos/./x", text: "x" })],
    ["an empty name", archive({ path: "photos//x", text: "x" })],
    ["a link", link],
    ["a file without a folder", archive({ path: "evil", text: "x" })],
    ["two folders at the top", archive({ path: "p/a", text: "x" }, { path: "q/b", text: "y" })],
    ["another folder at the top", archive({ path: "p" }, { path: "q" })],
    ["one file twice", archive({ path: "p/a", text: "x" }, { path: "p/a", text: "y" })],
    ["a file as a folder", archive({ path: "p/a", text: "x" }, { path: "p/a/b", text: "y" })],
    ["a folder as a file", archive({ path: "p/a/b", text: "x" }, { path: "p/a", text: "y" })],
    ["too deep", archive({ path: `p/${"d/".repeat(70)}x`, text: "x" })],
    ["an end in the middle", archive({ path: "p/a", text: "x".repeat(9_000) }).subarray(0, 2_000)],
    ["no end", archive({ path: "p/a", text: "x" }).subarray(0, 1_024)],
    [
      "more than one pax header for a file",
      concatBytes([PAX, PAX, archive({ path: "p/a", text: "x" })]),
    ],
    ["a pax header for nothing", concatBytes([PAX, archive()])],
    ["no archive", utf8.encode("x".repeat(2_000))],
    ["too many", archive(...Array.from({ length: FOLDER_ENTRIES_MAX + 1 }, () => ({ path: "p" })))],
  ];
  for (const [what, bytes] of cases) {
    await unpacked(bytes, async (root, path) => {
      assert.ok(path instanceof Error, what);
      assert.deepEqual(await namesIn(root), [], what);
    });
  }
});

Deno.test("as many files and folders as a sender may put into an archive are unpacked", async () => {
  const roots = Array.from({ length: FOLDER_ENTRIES_MAX - 3 }, () => ({ path: "p" }));
  const bytes = archive(...roots, { path: "p/a" }, { path: "p/a/b" }, { path: "p/c", text: "x" });
  await unpacked(bytes, async (root) => {
    assert.deepEqual(await namesIn(`${root}/photos`), ["a", "c"]);
  });
});

Deno.test("a link with the folder's name is not followed: the folder gets another name", async () => {
  const root = await Deno.makeTempDir();
  const elsewhere = await Deno.makeTempDir();
  try {
    await Deno.symlink(elsewhere, `${root}/photos`);
    await Deno.writeFile(`${root}/part`, archive({ path: "photos/a", text: "x" }));
    assert.match(await unpackFolder(`${root}/part`, root, "photos"), /photos \(2\)$/);
    assert.deepEqual(await namesIn(elsewhere), []);
  } finally {
    for (const path of [root, elsewhere]) await Deno.remove(path, { recursive: true });
  }
});

Deno.test("a size in a pax header is decimal digits, and nothing else that JavaScript takes for a number", async () => {
  await unpacked(withPaxSize("0016"), async (root) => {
    assert.equal(await Deno.readTextFile(`${root}/photos/a`), "x".repeat(16));
  });
  const wrong = [
    "1.6e1",
    "0x00000010",
    "0b00010000",
    " 16",
    "16 ",
    "+16",
    "-16",
    "16.0",
    "1e400",
    "9".repeat(17),
  ];
  for (const size of wrong) {
    await unpacked(withPaxSize(size), async (root, path) => {
      assert.match(String(path), /a header has another format/, JSON.stringify(size));
      assert.deepEqual(await namesIn(root), []);
    });
  }
});
