// A file that is written as it comes: beside its target, under a name that nobody chose, until all of it is there. What
// came stays for a week where the transfer ended early, so that another one of the same file goes on there.

import { join } from "node:path";
import { toHex } from "#platform/bytes.ts";
import { unpackFolder } from "./unpack_folder.ts";
import { tryLock } from "./file_access.ts";
import { openDownloadFolder, publishPart, randomPart } from "./save_download.ts";

/** Owner only. */
const READ_AND_WRITE = { read: true, write: true, mode: 0o600 };
/** Less is not worth a file that somebody might wonder about. */
const KEPT_MIN_BYTES = 1_048_576;
const KEPT_MS = 7 * 86_400_000;
/** A part, or what a program that was killed left: a file of `saveDownload`, a folder that was being unpacked. */
const PART_NAME = /^\.cmdchat-(?:[0-9a-f]{32}|[\w-]{16})\.part$/;

/** Bytes of one write: eight chunks. What is not written yet is lost with a program that is killed, and comes again. */
const WRITE_BYTES = 262_144;

/** Parts that this program writes now: two transfers must not share one. */
const open = new Set<string>();

/** What is to be written. */
export interface PartOf {
  /** SHA-256 of the whole. */
  readonly hash: Uint8Array;
  /** Bytes of the whole. */
  readonly size: number;
  /** Bytes of a chunk; only the last one may be shorter. */
  readonly chunkBytes: number;
}

/** One file on its way to the disk. */
export class PartFile {
  readonly #handle: Deno.FsFile;
  readonly #root: string;
  readonly #path: string;
  /** Whether another transfer finds it. */
  readonly #isKnown: boolean;
  #bytes: number;
  /** What came since the last write, and how much of that the one in the middle has written. */
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  #waiting = 0;
  #written = 0;
  #isClosed = false;

  private constructor(
    handle: Deno.FsFile,
    { root, path, isKnown, bytes }: {
      readonly root: string;
      readonly path: string;
      readonly isKnown: boolean;
      readonly bytes: number;
    },
  ) {
    this.#handle = handle;
    this.#root = root;
    this.#path = path;
    this.#isKnown = isKnown;
    this.#bytes = bytes;
  }

  /**
   * Opens the part of a file in `folder`; `onKept` gets each whole chunk that is there already, to be used at once. Throws the system's error,
   * of which `whyNotSaved` makes words.
   */
  static async open(
    folder: string,
    { hash, size, chunkBytes }: PartOf,
    onKept: (chunk: Uint8Array) => void,
  ): Promise<PartFile> {
    const root = await openDownloadFolder(folder);
    await removeOld(root);
    const known = join(root, `.cmdchat-${toHex(hash).slice(0, 32)}.part`);
    const resumed = await openKnown(known);
    const isKnown = resumed !== undefined;
    const path = isKnown ? known : join(root, `.cmdchat-${randomPart()}.part`);
    const handle = resumed ?? await Deno.open(path, { ...READ_AND_WRITE, createNew: true });
    open.add(path);
    try {
      const bytes = await readKept(handle, { size, chunkBytes }, onKept);
      await handle.truncate(bytes);
      await handle.seek(bytes, Deno.SeekMode.Start);
      return new PartFile(handle, { root, path, isKnown, bytes });
    } catch (error) {
      handle.close();
      open.delete(path);
      throw error;
    }
  }

  /** Takes what comes next, and writes it where that is enough. */
  async append(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) {
      const next = data.subarray(at, at + WRITE_BYTES - this.#waiting);
      this.#buffer.set(next, this.#waiting);
      this.#waiting += next.length;
      at += next.length;
      if (this.#waiting === WRITE_BYTES) await this.#flush();
    }
  }

  /** All is there: gives it the safe form of a peer's `name`, numbered where that is taken, and returns its path. */
  async finish(name: string): Promise<string> {
    try {
      await this.#flush();
      await this.#handle.sync();
      await this.#letRead();
      return await publishPart(this.#path, this.#root, name);
    } finally {
      await this.discard();
    }
  }

  /** All of an archive is there: unpacks it into a new folder of that name, and returns its path. */
  async unpack(name: string): Promise<string> {
    try {
      await this.#flush();
      await this.#letRead();
      return await unpackFolder(this.#path, this.#root, name);
    } finally {
      await this.discard();
    }
  }

  /** Takes it away. */
  async discard(): Promise<void> {
    if (!this.#close()) return;
    await Deno.remove(this.#path).catch(() => undefined);
  }

  /** The transfer ended early: what is worth it stays. */
  async keep(): Promise<void> {
    // Where the disk is full, what was written before stays.
    await this.#flush().catch(() => undefined);
    if (!this.#isKnown || this.#bytes < KEPT_MIN_BYTES) return await this.discard();
    this.#close();
  }

  /** Where the disk was full in the middle, what is called again goes on there. */
  async #flush(): Promise<void> {
    if (this.#isClosed) return;
    while (this.#written < this.#waiting) {
      const rest = this.#buffer.subarray(this.#written, this.#waiting);
      const count = await this.#handle.write(rest);
      this.#written += count;
      this.#bytes += count;
    }
    this.#waiting = this.#written = 0;
  }

  /** On Windows a lock keeps other handles of our own out as well. */
  async #letRead(): Promise<void> {
    if (Deno.build.os !== "windows" || !this.#isKnown) return;
    await this.#handle.unlock().catch(() => undefined);
  }

  #close(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#handle.close();
    open.delete(this.#path);
    return true;
  }
}

/** The part under its known name, for this transfer alone; undefined if it is in use or not ours. */
async function openKnown(path: string): Promise<Deno.FsFile | undefined> {
  if (open.has(path) || !await isOursOrMissing(path)) return undefined;
  const handle = await Deno.open(path, { ...READ_AND_WRITE, create: true });
  // Some file systems know no locks: there nobody can be asked.
  const isOurs = await tryLock(handle).catch(() => true);
  // Another program may have finished it just now.
  if (isOurs && await isNamed(handle, path)) return handle;
  handle.close();
  return undefined;
}

async function isNamed(handle: Deno.FsFile, path: string): Promise<boolean> {
  const opened = await handle.stat();
  const named = await Deno.lstat(path).catch(() => undefined);
  return named?.ino === opened.ino && named.dev === opened.dev && await isOursOrMissing(path);
}

/** A link would lead elsewhere, and another one's file may change under us. */
async function isOursOrMissing(path: string): Promise<boolean> {
  try {
    const info = await Deno.lstat(path);
    return info.isFile && !info.isSymlink && (info.nlink ?? 1) === 1;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

async function readKept(
  handle: Deno.FsFile,
  { size, chunkBytes }: Omit<PartOf, "hash">,
  onKept: (chunk: Uint8Array) => void,
): Promise<number> {
  const there = (await handle.stat()).size;
  // One that is whole, or longer, ended while it was published: it comes again.
  if (there >= size) return 0;
  const whole = there - there % chunkBytes;
  const block = new Uint8Array(chunkBytes * Math.max(1, Math.floor(WRITE_BYTES / chunkBytes)));
  for (let at = 0; at < whole;) {
    const wanted = block.subarray(0, Math.min(block.length, whole - at));
    for (let filled = 0; filled < wanted.length;) {
      const count = await handle.read(wanted.subarray(filled));
      if (count === null) return at;
      filled += count;
    }
    for (let chunk = 0; chunk < wanted.length; chunk += chunkBytes) {
      onKept(wanted.subarray(chunk, chunk + chunkBytes));
    }
    at += wanted.length;
  }
  return whole;
}

async function removeOld(root: string): Promise<void> {
  for await (const { name, isSymlink } of Deno.readDir(root)) {
    const path = join(root, name);
    if (isSymlink || !PART_NAME.test(name) || open.has(path)) continue;
    const info = await Deno.lstat(path).catch(() => undefined);
    const age = Date.now() - (info?.mtime?.getTime() ?? Date.now());
    if (age > KEPT_MS) await Deno.remove(path, { recursive: true }).catch(() => undefined);
  }
}
