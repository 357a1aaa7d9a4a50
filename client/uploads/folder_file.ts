// A folder that is sent, or several paths together, as one tar archive. It is never built: each byte of it is read where
// it lies when it is asked for, so that a receiver goes on where it was, as with a file. Links are not followed and not
// sent: a folder must not give away what lies outside of it.

import { basename, join } from "node:path";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import {
  TAR_END_BYTES,
  TAR_PATH_MAX_BYTES,
  type TarEntry,
  tarHeader,
  tarPadding,
} from "../files/tar_header.ts";
import { FOLDER_DEPTH_MAX, FOLDER_ENTRIES_MAX } from "../files/unpack_folder.ts";
import { ChunkError } from "../transfer_base/source_file.ts";
import type { ByteSource } from "./checked_file.ts";

const NAME_SHOWN_MAX = 200;

/** What the archive holds in one place. */
interface Part extends TarEntry {
  /** Where it lies on the disk. */
  readonly from: string;
  /** What tells it from another file that takes its place. */
  readonly identity: string;
}

/** A part with its place in the archive. */
interface Placed extends Part {
  readonly start: number;
  /** Where its bytes begin, behind the header. */
  readonly body: number;
}

/** What was found in a folder. */
export interface FolderContent {
  readonly source: ByteSource;
  /** Links and what is neither file nor folder. */
  readonly leftOut: number;
}

/** The archive of these files and folders in one folder `name`. Throws UsageError, LimitError or the system's error. */
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
    found.add({ kind: "folder", path: name, size: 0, from: "", identity: "" });
    for (const path of paths) await found.addNamed(path, name);
  }
  return { source: new ArchiveSource(found.parts), leftOut: found.leftOut };
}

/** The name of a folder: of `.` as well. */
export async function folderName(path: string): Promise<string> {
  return basename(await Deno.realPath(path)) || "folder";
}

class Found {
  readonly parts: Part[] = [];
  leftOut = 0;
  readonly #paths = new Set<string>();

  add(part: Part): void {
    if (this.parts.length >= FOLDER_ENTRIES_MAX) {
      throw new LimitError(
        `Cannot send the folder: it has more than ${FOLDER_ENTRIES_MAX} files, the maximum`,
        { hint: "pack it first, for example with tar or zip" },
      );
    }
    const isTooLong = new TextEncoder().encode(part.path).length > TAR_PATH_MAX_BYTES - 1 ||
      part.path.split("/").length > FOLDER_DEPTH_MAX;
    if (isTooLong) {
      throw new LimitError(
        `Cannot send the folder: ${quote(basename(part.path), NAME_SHOWN_MAX)} lies too deep in it`,
        { hint: "pack it first, for example with tar or zip" },
      );
    }
    if (this.#paths.has(part.path)) {
      throw new UsageError(
        `Cannot send both: two of them are called ${quote(basename(part.path), NAME_SHOWN_MAX)}`,
      );
    }
    this.#paths.add(part.path);
    this.parts.push(part);
  }

  /** Something that the user named: a link as well. */
  async addNamed(from: string, into: string): Promise<void> {
    const info = await Deno.stat(from);
    if (info.isDirectory) return await this.addFolder(from, `${into}/${await folderName(from)}`);
    if (!info.isFile) throw new UsageError(`Cannot send ${shown(from)}: it is not a regular file`);
    this.#addFile(from, `${into}/${basename(from)}`, info);
  }

  async addFolder(from: string, path: string): Promise<void> {
    this.add({ kind: "folder", path, size: 0, from, identity: "" });
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
    this.add({ kind: "file", path, size: info.size, from, identity: identityOf(info) });
  }
}

/** An archive that is read where its files lie. */
class ArchiveSource implements ByteSource {
  readonly size: number;
  readonly #parts: readonly Placed[];
  #open: { readonly part: Placed; readonly file: Deno.FsFile } | undefined;
  #isClosed = false;

  constructor(parts: readonly Part[]) {
    let start = 0;
    this.#parts = parts.map((part) => {
      const body = start + tarHeader(part).length;
      const placed = { ...part, start, body };
      start = body + part.size + tarPadding(part.size);
      return placed;
    });
    this.size = start + TAR_END_BYTES;
  }

  async read(start: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const end = start + length;
    // What is behind the last part are zeros.
    for (let [at, index] = [start, this.#partAt(start)]; at < end && index < this.#parts.length;) {
      const part = this.#parts[index] as Placed;
      const bodyEnd = part.body + part.size;
      if (at < part.body) {
        const header = tarHeader(part).subarray(at - part.start);
        const some = header.subarray(0, end - at);
        bytes.set(some, at - start);
        at += some.length;
      } else if (at < bodyEnd) {
        const to = Math.min(bodyEnd, end);
        await this.#readFile(part, at - part.body, bytes.subarray(at - start, to - start));
        at = to;
      } else {
        at = bodyEnd + tarPadding(part.size);
        index++;
      }
    }
    return bytes;
  }

  close(): void {
    this.#isClosed = true;
    this.#closeFile();
  }

  /** The number of the part in which that byte lies. */
  #partAt(at: number): number {
    let [low, high] = [0, this.#parts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#parts[middle] as Placed).start <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async #readFile(part: Placed, from: number, into: Uint8Array): Promise<void> {
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

  async #fileOf(part: Placed): Promise<Deno.FsFile> {
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
async function openAgain(part: Placed): Promise<Deno.FsFile> {
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

function changed({ from }: Part, how: string): ChunkError {
  const reason = `${quote(basename(from), NAME_SHOWN_MAX)} ${how} while it was sent`;
  return new ChunkError({ code: "changed", reason });
}

function identityOf({ dev, ino, size }: Deno.FileInfo): string {
  return `${dev}/${ino}/${size}`;
}

function shown(path: string): string {
  return quote(path, NAME_SHOWN_MAX);
}
