// A received file onto the disk, and only there where the user wants it: a new file in the download folder, complete or
// not at all. Names that exist are left alone, links included; nothing that others put into the folder is followed.

import { dirname, join } from "node:path";
import { encodeBase64Url } from "../../shared/base/base64.ts";
import { numberedName, safeDownloadName } from "../../shared/text/download_name.ts";
import { TarError } from "./tar_header.ts";
import { ConfigError } from "../../shared/base/errors.ts";
import { quotePath, syncFolderOf } from "./file_access.ts";

/** Owner only: what one person sent to another is no one else's business. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Somebody who has so many files of one name wants another folder. */
const NUMBERS_MAX = 1_000;

type Chunks = readonly Uint8Array[];

/** `~/Downloads/cmdchat`, below the current folder where no home is known. */
export function defaultDownloadFolder(home: string | undefined): string {
  return join(home ?? ".", "Downloads", "cmdchat");
}

/**
 * Writes a file of a peer's `name` under the safe form of that name, numbered where it is taken, and returns its path.
 * Throws the system's error, of which `whyNotSaved` makes words; then nothing of it is left in the folder.
 */
export async function saveDownload(folder: string, name: string, chunks: Chunks): Promise<string> {
  const root = await openDownloadFolder(folder);
  const part = join(root, `.cmdchat-${randomPart()}.part`);
  await writeNew(part, chunks);
  try {
    return await publishPart(part, root, name);
  } finally {
    await Deno.remove(part);
  }
}

/** Makes a file there, or where the folder would be made, and removes it again. Throws ConfigError; "later": no folder yet. */
export async function tryDownloadFolder(folder: string): Promise<"there" | "later"> {
  const place = await firstThatExists(folder);
  try {
    await Deno.remove(await Deno.makeTempFile({ dir: place, prefix: ".cmdchat-" }));
  } catch (cause) {
    throw new ConfigError(`Cannot save files in ${quotePath(folder)}: ${whyNotSaved(cause)}`, {
      cause,
      hint: "--download-dir FOLDER names another one",
    });
  }
  return place === folder ? "there" : "later";
}

async function firstThatExists(folder: string): Promise<string> {
  for (let place = folder;; place = dirname(place)) {
    const exists = await Deno.stat(place).then(() => true, () => false);
    if (exists || place === dirname(place)) return place;
  }
}

/** Makes the folder (mode 0700) where there is none, and gives its real path. */
export async function openDownloadFolder(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  // The folder itself may be a link, that is the user's choice; resolved once, it cannot change half-way.
  return await Deno.realPath(folder);
}

/** Gives the whole file `part` in `root` its first free name as well, and returns that path. */
export async function publishPart(part: string, root: string, name: string): Promise<string> {
  const path = await publish(part, { root, name: safeDownloadName(name) });
  await syncFolderOf(path);
  return path;
}

/** Why saving failed, in words that end a sentence; no path and no text of a peer. */
export function whyNotSaved(error: unknown): string {
  if (error instanceof TarError) return `it is not a folder that can be unpacked: ${error.message}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code === "string" && Object.hasOwn(REASONS, code)) return REASONS[code]!;
  // Deno gives this one no code.
  if (String(error).includes(TOO_LARGE)) return "the file is larger than the system allows there";
  if (error instanceof Deno.errors.NotCapable) {
    return "this program was started without the right to";
  }
  if (error instanceof Deno.errors.PermissionDenied) return REASONS.EACCES!;
  if (error instanceof Deno.errors.AlreadyExists) return REASONS.EEXIST!;
  return `the system says ${typeof code === "string" ? code : "no"}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the download folder may not be written to",
  EPERM: "the download folder may not be written to",
  EROFS: "the download folder may only be read",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EEXIST: "its name and all numbered ones are taken, or the download folder is a file",
  ENOTDIR: "the download folder is a file",
  ENOENT: "the download folder is gone",
  ENAMETOOLONG: "the path of the download folder is too long",
  EIO: "the disk reports an error",
};

/** EFBIG: of FAT above 4 GiB, or `ulimit -f`. */
const TOO_LARGE = Deno.build.os === "windows" ? "(os error 223)" : "(os error 27)";

/** Of a name that nobody can guess. */
export function randomPart(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(12)));
}

/** Creates a file that must not exist yet, whole and on the disk, or leaves none. */
async function writeNew(path: string, chunks: Chunks | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await Deno.open(path, { write: true, createNew: true, mode: FILE_MODE });
  try {
    using handle = file;
    for await (const chunk of chunks) await writeAll(handle, chunk);
    await handle.sync();
  } catch (error) {
    await Deno.remove(path);
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

interface Publishing {
  readonly root: string;
  readonly name: string;
}

/** Gives the part its first free name. Renaming would replace what is there, so it is a second link instead. */
async function publish(part: string, { root, name }: Publishing): Promise<string> {
  for (let n = 1; n < NUMBERS_MAX; n++) {
    const path = join(root, n === 1 ? name : numberedName(name, n));
    if (await linkNew(part, path)) return path;
  }
  throw new Deno.errors.AlreadyExists();
}

/** False where `path` is taken, by a link to nowhere as well. */
async function linkNew(part: string, path: string): Promise<boolean> {
  try {
    await Deno.link(part, path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    return await copyNew(part, path, error);
  }
}

/** For file systems without hard links (FAT, some network shares): the final name is created exclusively. */
async function copyNew(part: string, path: string, linkError: unknown): Promise<boolean> {
  try {
    using source = await Deno.open(part, { read: true });
    await writeNew(path, source.readable);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    if (error instanceof Error) error.cause ??= linkError;
    throw error;
  }
}
