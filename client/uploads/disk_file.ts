// A file or a folder that the user wants to send: found, judged and opened.

import { basename } from "node:path";
import { CmdchatError, ConfigError, LimitError, UsageError } from "../../shared/base/errors.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import { quote, withoutSecrets } from "../../shared/base/sanitize.ts";
import { ChunkError, type SourceFile } from "../transfer_base/source_file.ts";
import { type ByteSource, CheckedFile } from "./checked_file.ts";
import { archiveOf, folderName } from "./folder_file.ts";
import { PATH_SHOWN_MAX, shortenPath } from "../files/file_access.ts";
import { pathCandidates, pathWords } from "../files/typed_path.ts";

/** What judges a file before it is sent. */
export interface SourceFileOptions {
  readonly home?: string | undefined;
  /** Bytes; 0 where the server takes no files. */
  readonly fileMax: number;
}

/** Opens what the user typed after `/send`, or dropped. Throws CmdchatError. */
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

/** Opens several paths together, as one folder `name`; `fileMax` in bytes. Throws CmdchatError. */
export async function openTogether(
  paths: readonly string[],
  { name, fileMax }: { readonly name: string; readonly fileMax: number },
): Promise<SourceFile> {
  refuseWithoutFiles(name, fileMax);
  return await orRefusal(name, () => openArchive(paths, { name, fileMax, isFolder: false }));
}

/** Opens the file or the folder of exactly this path; `fileMax` in bytes. Throws CmdchatError. */
export async function openSourceFile(path: string, fileMax: number): Promise<SourceFile> {
  refuseWithoutFiles(path, fileMax);
  return await orRefusal(path, async () => {
    const info = await Deno.stat(path);
    if (info.isDirectory) {
      return await openArchive([path], { name: await folderName(path), fileMax, isFolder: true });
    }
    // Opening a named pipe would wait for its other end.
    refuseUnlessSendable(path, info, fileMax);
    return await openRegular(path, fileMax);
  });
}

/** Looks whether the file of exactly this path can be sent, as far as one can know without a server. Throws CmdchatError. */
export async function checkSourceFile(path: string): Promise<void> {
  await orRefusal(path, async () => {
    const info = await Deno.stat(path);
    if (info.isDirectory) {
      for await (const _ of Deno.readDir(path)) break;
      return;
    }
    refuseUnlessSendable(path, info, Infinity);
    (await Deno.open(path, { read: true })).close();
  });
}

async function orRefusal<T>(path: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof CmdchatError) throw error;
    const why = error instanceof ChunkError ? error.message : whyUnreadable(error);
    throw new ConfigError(`Cannot send ${shownPath(path)}: ${why}`, { cause: error });
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

function refuseWithoutFiles(path: string, fileMax: number): void {
  if (fileMax > 0) return;
  throw new LimitError(`Cannot send ${shownPath(path)}: this server takes no files`);
}

async function openArchive(
  paths: readonly string[],
  { name, fileMax, isFolder }: {
    readonly name: string;
    readonly fileMax: number;
    readonly isFolder: boolean;
  },
): Promise<SourceFile> {
  const { source, leftOut } = await archiveOf(paths, { name, isFolder });
  try {
    refuseTooLarge(name, source.size, fileMax);
    const about = { name: `${name}.tar`, isFolder: true, leftOut, whyUnreadable };
    return await CheckedFile.read(source, about);
  } catch (error) {
    source.close();
    throw error;
  }
}

async function openRegular(path: string, fileMax: number): Promise<SourceFile> {
  const handle = await Deno.open(path, { read: true });
  try {
    const info = await handle.stat();
    refuseUnlessSendable(path, info, fileMax);
    // The files of /proc and their like say that they have nothing.
    if (info.size === 0 && await handle.read(new Uint8Array(1)) !== null) {
      throw new ConfigError(
        `Cannot send ${shownPath(path)}: it does not say how large it is`,
        { hint: "cmdchat-client send-file - sends what comes on its standard input" },
      );
    }
    const source = new DiskSource(handle, info.size);
    return await CheckedFile.read(source, { name: basename(path), whyUnreadable });
  } catch (error) {
    handle.close();
    throw error;
  }
}

function refuseUnlessSendable(path: string, info: Deno.FileInfo, fileMax: number): void {
  if (!info.isFile) {
    throw new ConfigError(`Cannot send ${shownPath(path)}: it is not a regular file`);
  }
  refuseTooLarge(path, info.size, fileMax);
}

function refuseTooLarge(path: string, size: number, fileMax: number): void {
  if (size <= fileMax) return;
  throw new LimitError(
    `Cannot send ${shownPath(path)}: it has ${size} bytes, at most ${fileMax} (${
      formatBytes(fileMax)
    }) are allowed`,
  );
}

/** A file on the disk. */
class DiskSource implements ByteSource {
  readonly size: number;
  readonly #handle: Deno.FsFile;
  /** Where the handle is; undefined where that is not known. */
  #position: number | undefined;
  #isClosed = false;

  constructor(handle: Deno.FsFile, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  async read(start: number, length: number): Promise<Uint8Array> {
    const handle = this.#handle;
    const bytes = new Uint8Array(length);
    // A seek for each read would cost more than the read.
    if (this.#position !== start) await handle.seek(start, Deno.SeekMode.Start);
    this.#position = undefined;
    const filled = await fill(handle, bytes);
    const isLast = start + length === this.size;
    const hasMore = isLast && await handle.read(new Uint8Array(1)) !== null;
    if (filled === length && !hasMore) {
      this.#position = start + length;
      return bytes;
    }
    const reason = `it ${hasMore ? "grew" : "shrank"} while it was sent`;
    throw new ChunkError({ code: "changed", reason });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handle.close();
  }
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

/** A path of the user's as an error shows it. */
export function shownPath(path: string): string {
  // First, because a cut may take away what tells that the rest is a secret.
  return quote(shortenPath(withoutSecrets(path)), PATH_SHOWN_MAX);
}
