// A folder of the disk that is sent, or several paths together, as one tar archive. Links are not followed and not sent:
// a folder must not give away what lies outside of it.

import { basename, join } from "node:path";
import { ConfigError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { FOLDER_ENTRIES_MAX, type TarEntry } from "../files/tar_header.ts";
import { ChunkError } from "../transfer_base/source_file.ts";
import { ArchiveParts, ArchiveSource, type PartReader, shownName } from "./archive.ts";
import type { ByteSource } from "./checked_file.ts";

const NAME_SHOWN_MAX = 200;

/** What the archive holds in one place. */
interface Part extends TarEntry {
  /** Where it lies on the disk. */
  readonly from: string;
  /** What tells it from another file that takes its place. */
  readonly identity: string;
}

/** What was found in a folder. */
export interface FolderContent {
  readonly source: ByteSource;
  /** Links and what is neither file nor folder. */
  readonly leftOut: number;
}

/** The archive of these files and folders in one folder `name`. Throws CmdchatError or the system's error. */
export async function archiveOf(
  paths: readonly string[],
  { name, isFolder }: {
    readonly name: string;
    /** The only path is that folder itself. */
    readonly isFolder: boolean;
  },
): Promise<FolderContent> {
  const found = new Found();
  if (isFolder) await found.addFolder(paths[0] as string, name);
  else {
    found.parts.add({ kind: "folder", path: name, size: 0, from: "", identity: "" });
    for (const path of paths) await found.addNamed(path, name);
  }
  const source = new ArchiveSource(found.parts.all, new DiskParts());
  return { source, leftOut: found.leftOut };
}

/** The name of a folder: of `.` as well. */
export async function folderName(path: string): Promise<string> {
  return basename(await Deno.realPath(path)) || "folder";
}

class Found {
  readonly parts = new ArchiveParts<Part>();
  leftOut = 0;

  /** Something that the user named: a link as well. */
  async addNamed(from: string, into: string): Promise<void> {
    const info = await Deno.stat(from);
    if (info.isDirectory) return await this.addFolder(from, `${into}/${await folderName(from)}`);
    if (!info.isFile) throw new ConfigError(`Cannot send ${shown(from)}: it is not a regular file`);
    this.#addFile(from, `${into}/${basename(from)}`, info);
  }

  async addFolder(from: string, path: string): Promise<void> {
    this.parts.add({ kind: "folder", path, size: 0, from, identity: "" });
    const names: string[] = [];
    for await (const { name } of Deno.readDir(from)) {
      names.push(name);
      if (names.length > FOLDER_ENTRIES_MAX) break;
    }
    // In one order on all machines: the same folder is the same archive.
    for (const name of names.sort()) {
      const at = join(from, name);
      const info = await Deno.lstat(at);
      if (info.isDirectory) await this.addFolder(at, `${path}/${name}`);
      else if (info.isFile) this.#addFile(at, `${path}/${name}`, info);
      else this.leftOut++;
    }
  }

  #addFile(from: string, path: string, info: Deno.FileInfo): void {
    this.parts.add({ kind: "file", path, size: info.size, from, identity: identityOf(info) });
  }
}

/** Files that are read where they lie, one open at a time. */
class DiskParts implements PartReader<Part> {
  #open: { readonly part: Part; readonly file: Deno.FsFile } | undefined;
  #isClosed = false;

  async read(part: Part, from: number, into: Uint8Array): Promise<void> {
    const file = await this.#fileOf(part);
    await file.seek(from, Deno.SeekMode.Start);
    for (let filled = 0; filled < into.length;) {
      const count = await file.read(into.subarray(filled));
      if (count === null) throw changed(part, "shrank");
      filled += count;
    }
    const isEnd = from + into.length === part.size;
    if (isEnd && await file.read(new Uint8Array(1)) !== null) throw changed(part, "grew");
  }

  close(): void {
    this.#isClosed = true;
    this.#closeFile();
  }

  async #fileOf(part: Part): Promise<Deno.FsFile> {
    if (this.#open?.part === part) return this.#open.file;
    this.#closeFile();
    const file = await openAgain(part);
    if (this.#isClosed) {
      file.close();
      throw new ChunkError({ code: "cancelled", reason: "cancelled" });
    }
    this.#open = { part, file };
    return file;
  }

  #closeFile(): void {
    this.#open?.file.close();
    this.#open = undefined;
  }
}

/** The file that was found there, and no other that was put in its place since: a link might lead anywhere. */
async function openAgain(part: Part): Promise<Deno.FsFile> {
  let file: Deno.FsFile;
  try {
    const now = await Deno.lstat(part.from);
    if (!now.isFile || identityOf(now) !== part.identity) throw changed(part, "was changed");
    file = await Deno.open(part.from, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw changed(part, "is gone");
    throw error;
  }
  if (identityOf(await file.stat()) === part.identity) return file;
  file.close();
  throw changed(part, "was changed");
}

function changed(part: Part, how: string): ChunkError {
  const reason = `${shownName(part)} ${how} while it was sent`;
  return new ChunkError({ code: "changed", reason });
}

function identityOf({ dev, ino, size }: Deno.FileInfo): string {
  return `${dev}/${ino}/${size}`;
}

function shown(path: string): string {
  return quote(path, NAME_SHOWN_MAX);
}
