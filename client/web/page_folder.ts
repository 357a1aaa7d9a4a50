/// <reference lib="dom" />
// A folder that the user chose or dropped, as a tar archive: what it holds, in the order of the terminal client, so that
// equal folders are equal archives.

import { FOLDER_DEPTH_MAX, FOLDER_ENTRIES_MAX, type TarEntry } from "../files/tar_header.ts";
import { CmdchatError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { ChunkError } from "../transfer_base/source_file.ts";
import { ArchiveParts, ArchiveSource, shownName, tooMany } from "../uploads/archive.ts";
import type { ByteSource } from "../uploads/checked_file.ts";

/** A folder with all that is in it. */
export interface PageFolder {
  readonly name: string;
  /** By their paths, which begin with the folder's name; undefined: an own folder. */
  readonly entries: ReadonlyMap<string, File | undefined>;
}

interface Part extends TarEntry {
  readonly file: File | undefined;
}

/** All that lies in a dropped folder. Throws LimitError, or UsageError where the browser cannot read it. */
export async function readDropped(folder: FileSystemDirectoryEntry): Promise<PageFolder> {
  const { name } = folder;
  try {
    return { name, entries: await entriesIn(folder) };
  } catch (cause) {
    if (cause instanceof CmdchatError) throw cause;
    throw new UsageError(`Cannot send ${quote(name, 200)}: the browser cannot read it`, { cause });
  }
}

async function entriesIn(
  folder: FileSystemDirectoryEntry,
): Promise<ReadonlyMap<string, File | undefined>> {
  const entries = new Map<string, File | undefined>();
  const walk = async (at: FileSystemDirectoryEntry, path: string, depth: number) => {
    entries.set(path, undefined);
    const reader = at.createReader();
    // A browser gives a hundred at once, and none when that was all.
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject)
      );
      if (some.length === 0) return;
      for (const entry of some) {
        if (entries.size >= FOLDER_ENTRIES_MAX) throw tooMany();
        const inside = `${path}/${entry.name}`;
        if (!entry.isDirectory) entries.set(inside, await fileOf(entry as FileSystemFileEntry));
        // One folder deeper than allowed is refused with its name.
        else if (depth <= FOLDER_DEPTH_MAX) {
          await walk(entry as FileSystemDirectoryEntry, inside, depth + 1);
        }
      }
    }
  };
  await walk(folder, folder.name, 1);
  return entries;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** What was chosen, with the files of a chosen folder, which know their place in it, together. */
export function groupFolders<Other extends object>(
  files: readonly (File | Other)[],
): readonly (File | Other | PageFolder)[] {
  const folders = new Map<string, Map<string, File | undefined>>();
  const single = files.filter((file) => {
    const path = "webkitRelativePath" in file ? file.webkitRelativePath : "";
    const [name = "", ...inside] = path.split("/");
    if (inside.length === 0) return true;
    const entries = folders.get(name) ?? new Map([[name, undefined]]);
    folders.set(name, entries);
    inside.slice(0, -1).reduce((above, each) => {
      const folder = `${above}/${each}`;
      entries.set(folder, undefined);
      return folder;
    }, name);
    entries.set(path, file as File);
    return false;
  });
  return [...single, ...[...folders].map(([name, entries]) => ({ name, entries }))];
}

/** The archive of a folder. Throws LimitError. */
export function folderArchive({ entries }: PageFolder): ByteSource {
  const parts = new ArchiveParts<Part>();
  // A folder stands before what is in it.
  const ordered = [...entries].map(([path, file]) => ({ path: path.split("/"), file }))
    .sort((a, b) => compare(a.path, b.path));
  for (const { path: names, file } of ordered) {
    const path = names.join("/");
    parts.add(
      file === undefined
        ? { kind: "folder", path, size: 0, file }
        : { kind: "file", path, size: file.size, file },
    );
  }
  return new ArchiveSource(parts.all, {
    async read(part, from, into) {
      const bytes = await readPiece(part.file as File, from, into.length);
      if (bytes.length === into.length) return into.set(bytes);
      const reason = `${shownName(part)} shrank while it was sent`;
      throw new ChunkError({ code: "changed", reason });
    },
    close() {},
  });
}

/** As many of the bytes of a file as there are. Rejects where the browser cannot read it any more. */
export async function readPiece(file: File, start: number, length: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(start, start + length).arrayBuffer());
}

function compare(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((name, n) => name !== b[n]);
  const [left, right] = at < 0 ? ["", b[a.length] ?? ""] : [a[at] as string, b[at] ?? ""];
  return left < right ? -1 : left > right ? 1 : 0;
}
