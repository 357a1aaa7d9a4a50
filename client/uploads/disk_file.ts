// A file that the user wants to send: opened, judged and read once as a whole, so that its digest is known before its
// first byte leaves. Every chunk is held against what was read then: what changes on the disk is never sent as a mixture.

import { createSha256, sha256 } from "#platform/hash.ts";
import { basename } from "node:path";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { ChunkError, type SourceFile } from "../transfer_base/source_file.ts";
import { pathCandidates, pathWords } from "../files/typed_path.ts";

/** Enough of a path to recognise it in an error. */
const PATH_SHOWN_MAX = 200;

/** Of SHA-256. */
const DIGEST_BYTES = 32;

/** What judges a file before it is sent. */
export interface SourceFileOptions {
  readonly home?: string | undefined;
  /** Bytes; 0 where the server takes no files. */
  readonly fileMax: number;
}

/** Opens what the user typed after `/send`, or dropped. Throws UsageError or LimitError. */
export async function openTypedFiles(
  typed: string,
  { home, fileMax }: SourceFileOptions,
): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  try {
    for (const path of await pathsOf(typed, home)) {
      files.push(await openSourceFile(path, fileMax));
    }
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
  return files;
}

/** Opens the file of exactly this path; `fileMax` in bytes. Throws UsageError or LimitError. */
export async function openSourceFile(path: string, fileMax: number): Promise<SourceFile> {
  if (fileMax === 0) {
    throw new LimitError(`Cannot send ${shown(path)}: this server takes no files`);
  }
  return await orRefusal(path, async () => {
    // Opening a named pipe would wait for its other end.
    refuseUnlessSendable(path, await Deno.stat(path), fileMax);
    return await openRegular(path, fileMax);
  });
}

/** Looks whether the file of exactly this path can be sent, as far as one can know without a server. Throws UsageError. */
export async function checkSourceFile(path: string): Promise<void> {
  await orRefusal(path, async () => {
    refuseUnlessSendable(path, await Deno.stat(path), Infinity);
    (await Deno.open(path, { read: true })).close();
  });
}

async function orRefusal<T>(path: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof UsageError || error instanceof LimitError) throw error;
    const why = error instanceof ChunkError ? error.message : whyUnreadable(error);
    throw new UsageError(`Cannot send ${shown(path)}: ${why}`, { cause: error });
  }
}

/** One path; several only where all of them are there. */
async function pathsOf(typed: string, home: string | undefined): Promise<readonly string[]> {
  const options = { home, windows: Deno.build.os === "windows" };
  const candidates = pathCandidates(typed, options);
  if (candidates.length === 0) {
    throw new UsageError("Cannot send a file: it needs a path, as in /send notes.txt");
  }
  const whole = await firstThatExists(candidates);
  if (whole !== undefined) return [whole];
  const words = pathWords(typed, options.windows);
  const paths = await Promise.all(
    words.map((word) => firstThatExists(pathCandidates(word, options))),
  );
  const found = paths.filter((path) => path !== undefined);
  if (words.length > 1 && found.length === words.length) return found;
  // The last one is what is left without quotes: the clearest one to name.
  return [candidates.at(-1) as string];
}

async function firstThatExists(candidates: readonly string[]): Promise<string | undefined> {
  for (const path of candidates) {
    const exists = await Deno.stat(path).then(() => true, () => false);
    if (exists) return path;
  }
  return undefined;
}

async function openRegular(path: string, fileMax: number): Promise<SourceFile> {
  const handle = await Deno.open(path, { read: true });
  try {
    const info = await handle.stat();
    refuseUnlessSendable(path, info, fileMax);
    return await DiskFile.read(handle, { name: basename(path), size: info.size });
  } catch (error) {
    handle.close();
    throw error;
  }
}

function refuseUnlessSendable(path: string, info: Deno.FileInfo, fileMax: number): void {
  if (info.isDirectory) {
    throw new UsageError(`Cannot send ${shown(path)}: it is a folder, not a file`, {
      hint: "pack it first, for example with tar or zip",
    });
  }
  if (!info.isFile) throw new UsageError(`Cannot send ${shown(path)}: it is not a regular file`);
  if (info.size === 0) {
    throw new UsageError(`Cannot send ${shown(path)}: it is empty`);
  }
  if (info.size > fileMax) {
    throw new LimitError(
      `Cannot send ${shown(path)}: it has ${info.size} bytes, at most ${fileMax} (${
        formatBytes(fileMax)
      }) are allowed`,
    );
  }
}

/** A file on the disk, of which nothing is held in memory but the digests of its chunks. */
class DiskFile implements SourceFile {
  readonly name: string;
  readonly size: number;
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly #handle: Deno.FsFile;
  /** 32 bytes for each chunk. */
  readonly #digests: Uint8Array;
  /** The file descriptor has one position: chunks are read one after the other. */
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(
    handle: Deno.FsFile,
    { name, size, hash, digests }: {
      readonly name: string;
      readonly size: number;
      readonly hash: Uint8Array<ArrayBuffer>;
      readonly digests: Uint8Array;
    },
  ) {
    this.#handle = handle;
    [this.name, this.size, this.hash, this.#digests] = [name, size, hash, digests];
  }

  /** Reads all of it once. Throws ChunkError where it shrinks or grows meanwhile. */
  static async read(
    handle: Deno.FsFile,
    { name, size }: Pick<SourceFile, "name" | "size">,
  ): Promise<DiskFile> {
    const whole = createSha256();
    const digests = new Uint8Array(Math.ceil(size / FILE_CHUNK_BYTES) * DIGEST_BYTES);
    for (let index = 0; index * FILE_CHUNK_BYTES < size; index++) {
      const data = await readChunk(handle, { index, size });
      whole.update(data);
      digests.set(digestOf(data), index * DIGEST_BYTES);
    }
    return new DiskFile(handle, { name, size, hash: new Uint8Array(whole.digest()), digests });
  }

  chunk(index: number): Promise<Uint8Array> {
    const chunk = this.#reading.then(() => this.#chunk(index));
    this.#reading = chunk.catch(() => undefined);
    return chunk;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }

  async #chunk(index: number): Promise<Uint8Array> {
    try {
      const data = await readChunk(this.#handle, { index, size: this.size });
      const start = index * DIGEST_BYTES;
      const isSame = digestOf(data).every((byte, at) => byte === this.#digests[start + at]);
      if (isSame) return data;
    } catch (error) {
      if (error instanceof ChunkError) throw error;
      throw new ChunkError({ code: "unreadable", reason: whyUnreadable(error) });
    }
    throw new ChunkError({ code: "changed", reason: "it was changed while it was sent" });
  }
}

async function readChunk(
  handle: Deno.FsFile,
  { index, size }: { readonly index: number; readonly size: number },
): Promise<Uint8Array> {
  const start = index * FILE_CHUNK_BYTES;
  const data = new Uint8Array(Math.min(FILE_CHUNK_BYTES, size - start));
  await handle.seek(start, Deno.SeekMode.Start);
  const filled = await fill(handle, data);
  const isLast = start + data.length === size;
  const hasMore = isLast && await handle.read(new Uint8Array(1)) !== null;
  if (filled === data.length && !hasMore) return data;
  const reason = `it ${hasMore ? "grew" : "shrank"} while it was sent`;
  throw new ChunkError({ code: "changed", reason });
}

function digestOf(data: Uint8Array): Uint8Array {
  return sha256(data);
}

async function fill(handle: Deno.FsFile, buffer: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const count = await handle.read(buffer.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}

function whyUnreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.NotCapable) {
    return "this program was started without the right to";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "you may not read it";
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? `it cannot be read (${code})` : "it cannot be read";
}

function shown(path: string): string {
  return quote(path, PATH_SHOWN_MAX);
}
