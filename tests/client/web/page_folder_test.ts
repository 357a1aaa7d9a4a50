// Folders as a page has them: chosen or dropped, they become the archive that the terminal client makes of them.

import assert from "node:assert/strict";
import { FOLDER_ENTRIES_MAX } from "../../../client/files/tar_header.ts";
import { openSourceFile } from "../../../client/uploads/disk_file.ts";
import { openPageFile } from "../../../client/web/page_disk.ts";
import { groupFolders, type PageFolder, readDropped } from "../../../client/web/page_folder.ts";

const MANY = 10 * 1024 * 1024;
const FILES = {
  "plans/a.txt": "a",
  "plans/a/deep/x.bin": "x".repeat(70_000),
  "plans/a.d/y": "",
  "plans/ü b": "umlaut",
  "plans/Z": "last of capitals",
};

function chosen(path: string, content: string): File {
  const file = new File([content], path.slice(path.lastIndexOf("/") + 1));
  Object.defineProperty(file, "webkitRelativePath", { value: path });
  return file;
}

type Tree = { readonly [name: string]: Tree | string };

/** What a browser gives of a dropped folder: a hundred entries at once. */
function dropped(name: string, tree: Tree): FileSystemDirectoryEntry {
  const entries = Object.entries(tree).map(([name, inside]) =>
    typeof inside === "string"
      ? {
        name,
        isDirectory: false,
        file: (take: (file: File) => void) => take(new File([inside], name)),
      }
      : dropped(name, inside)
  );
  const createReader = () => {
    let at = 0;
    return { readEntries: (take: (some: unknown) => void) => take(entries.slice(at, at += 100)) };
  };
  return { name, isDirectory: true, createReader } as unknown as FileSystemDirectoryEntry;
}

async function onDisk<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, content] of Object.entries(FILES)) {
      await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, content);
    }
    return await work(`${folder}/plans`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a chosen folder is the archive that the terminal client makes of it, byte for byte", async () => {
  await onDisk(async (path) => {
    const files = Object.entries(FILES).map(([path, content]) => chosen(path, content)).reverse();
    const [folder, ...others] = groupFolders(files);
    assert.equal(others.length, 0);
    const [ours, theirs] = [
      await openPageFile(folder as PageFolder, MANY),
      await openSourceFile(path, MANY),
    ];
    const of = ({ name, size, hash, isFolder }: typeof ours) => ({ name, size, hash, isFolder });
    assert.deepEqual(of(ours), of(theirs));
    assert.deepEqual(await ours.chunk(1), await theirs.chunk(1));
    theirs.close();
  });
});

Deno.test("a dropped folder is the same, with its empty folders", async () => {
  await onDisk(async (path) => {
    await Deno.mkdir(`${path}/empty`);
    const tree = {
      "a.txt": "a",
      a: { deep: { "x.bin": FILES["plans/a/deep/x.bin"] } },
      "a.d": { y: "" },
      "ü b": "umlaut",
      empty: {},
      Z: "last of capitals",
    };
    const theirs = await openSourceFile(path, MANY);
    const ours = await openPageFile(await readDropped(dropped("plans", tree)), MANY);
    assert.deepEqual(ours.hash, theirs.hash);
    theirs.close();
  });
});

Deno.test("files stay files beside a folder", () => {
  const plain = new File(["x"], "x");
  const [first, folder] = groupFolders([chosen("plans/a", "a"), plain]);
  assert.equal(first, plain);
  assert.equal(folder?.name, "plans");
});

Deno.test("a folder that is too large, too deep or has too much in it is refused in the terminal's words", async () => {
  const [folder] = groupFolders([chosen("plans/a", "a".repeat(5_000))]) as [PageFolder];
  await assert.rejects(openPageFile(folder, 5_000), {
    name: "LimitError",
    message: 'Cannot send "plans": it has 7168 bytes, at most 5000 (4.9 KiB) are allowed',
  });
  let deep: Tree = {};
  for (let depth = 0; depth < 80; depth++) deep = { down: deep };
  const tooDeep = await readDropped(dropped("plans", deep));
  await assert.rejects(openPageFile(tooDeep, MANY), /^LimitError: .*"down" lies too deep in it$/);
  const names = Array.from({ length: FOLDER_ENTRIES_MAX }, (_, n) => [`f${n}`, ""]);
  await assert.rejects(
    readDropped(dropped("plans", Object.fromEntries(names))),
    /^LimitError: Cannot send the folder: it has more than 50000 files, the maximum$/,
  );
});

Deno.test("a file that shrinks while its folder is sent ends the sending, with its name", async () => {
  const file = chosen("plans/notes", "a".repeat(5_000));
  const [folder] = groupFolders([file]) as [PageFolder];
  const opened = await openPageFile(folder, MANY);
  file.slice = () => new Blob(["a"]);
  await assert.rejects(opened.chunk(0), /"notes" shrank while it was sent/);
});

Deno.test("a folder that the browser cannot read is refused", async () => {
  const entry = dropped("plans", {});
  const broken = {
    ...entry,
    createReader: () => ({ readEntries: (_: unknown, no: () => void) => no() }),
  };
  await assert.rejects(
    readDropped(broken as unknown as FileSystemDirectoryEntry),
    /^UsageError: Cannot send "plans": the browser cannot read it$/,
  );
});
