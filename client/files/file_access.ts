// File access of the history, all of it. A history is a regular file at exactly the path given: a symbolic link is
// refused rather than followed, since in a folder that others write to it decides which file we would grow or rename.

import { ConfigError } from "../../shared/base/errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Owner only: lengths and times of entries are no one else's business either. */
const PRIVATE_MODE = 0o600;

/** Patience with a lock: a program that this process is starting holds it as well for a moment, from fork to exec. */
const LOCK_WAIT_MS = 250;
const LOCK_PAUSE_MS = 25;

/** Characters of a path in a message. */
export const PATH_SHOWN_MAX = 200;

/** A path as it is shown in messages to the user: quoted, control characters escaped, shortened in its middle. */
export function quotePath(path: string): string {
  return quoteWhole(shortenPath(path));
}

/** Of a path that is too long for a message its beginning and its end, which say which one it is. */
export function shortenPath(path: string): string {
  const characters = [...path];
  if (characters.length <= PATH_SHOWN_MAX) return path;
  const half = PATH_SHOWN_MAX / 2;
  return `${characters.slice(0, half).join("")}…${characters.slice(1 - half).join("")}`;
}

/** The same for a command that the user may repeat, whatever its length. */
export function quoteWhole(path: string): string {
  return JSON.stringify(path).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

/** Opens or creates (mode 0600) the file and locks it for this handle alone; throws ConfigError where that cannot be. */
export async function openLocked(path: string): Promise<Deno.FsFile> {
  const file = await openForWriting(path);
  try {
    await lockOrRefuse(file, path);
    await refuseReplaced(file, path);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Opens an existing file for reading, without a lock: a client may be writing to it. Throws ConfigError. */
export async function openReadOnly(path: string): Promise<Deno.FsFile> {
  if (!await isRegularFile(path)) {
    throw new ConfigError(`Cannot read history ${quotePath(path)}: there is no such file`);
  }
  const file = await explainOpening(path, () => Deno.open(path, { read: true }));
  try {
    await refuseReplaced(file, path);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Creates a locked file that must not exist yet (mode 0600); a link at that name is not followed. */
export async function createLocked(path: string): Promise<Deno.FsFile> {
  const options = { read: true, write: true, createNew: true, mode: PRIVATE_MODE };
  const file = await explainOpening(path, () => Deno.open(path, options));
  try {
    await lockOrRefuse(file, path);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Up to `length` bytes from `offset`; fewer only where the file ends. */
export async function readAt(file: Deno.FsFile, offset: number, length: number): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Writes all of `bytes` at `offset`. */
export async function writeAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes.subarray(written));
}

/** Makes a creation or renaming in the folder of `path` durable, where the system lets a folder be synced. */
export async function syncFolderOf(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash + 1);
  try {
    const handle = await Deno.open(folder, { read: true });
    try {
      await handle.sync();
    } finally {
      handle.close();
    }
  } catch (error) {
    // Some file systems refuse to sync a folder, and some folders may be written but not read: then the rename is
    // as durable as it gets there.
    if (!(error instanceof Error)) throw error;
  }
}

async function openForWriting(path: string): Promise<Deno.FsFile> {
  if (!await isRegularFile(path)) {
    try {
      const options = { read: true, write: true, createNew: true, mode: PRIVATE_MODE };
      const file = await explainOpening(path, () => Deno.open(path, options));
      await syncFolderOf(path);
      return file;
    } catch (error) {
      // Another client created it in this moment: the lock decides between the two.
      const cause = error instanceof ConfigError ? error.cause : error;
      if (!(cause instanceof Deno.errors.AlreadyExists) || !await isRegularFile(path)) throw error;
    }
  }
  return await explainOpening(path, () => Deno.open(path, { read: true, write: true }));
}

async function isRegularFile(path: string): Promise<boolean> {
  const info = await explainOpening(path, () => lstatOrUndefined(path));
  if (info === undefined) return false;
  if (info.isFile) return true;
  const kind = info.isDirectory
    ? "a folder"
    : info.isSymlink
    ? "a symbolic link"
    : "not a regular file";
  throw new ConfigError(`Cannot open history ${quotePath(path)}: it is ${kind}, not a file`, {
    ...(info.isSymlink ? { hint: "give the path of the file that the link points to" } : {}),
  });
}

async function lstatOrUndefined(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What was locked must be what the path still names: a takeover may have put another file there meanwhile. */
async function refuseReplaced(file: Deno.FsFile, path: string): Promise<void> {
  const [opened, named] = [await file.stat(), await lstatOrUndefined(path)];
  if (opened.ino === null) return;
  if (named?.isFile && named.ino === opened.ino && named.dev === opened.dev) return;
  throw new ConfigError(
    `Cannot open history ${quotePath(path)}: another program replaced it just now`,
    { hint: "try again" },
  );
}

async function lockOrRefuse(file: Deno.FsFile, path: string): Promise<void> {
  if (await tryLock(file)) return;
  throw new ConfigError(
    `Cannot open history ${quotePath(path)}: another client is writing to it`,
    { hint: "close that client, or give this one another --history-file" },
  );
}

/** Locks a file for this handle alone; false where another one has it, in this program or elsewhere. */
export async function tryLock(file: Deno.FsFile): Promise<boolean> {
  if (typeof file.tryLock === "function") return await lockPatiently(file);
  // Deno before 2.5 can only wait for a lock.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), LOCK_WAIT_MS);
  });
  try {
    return await Promise.race([file.lock(true).then(() => true), patience]);
  } finally {
    clearTimeout(timer);
  }
}

async function lockPatiently(file: Deno.FsFile): Promise<boolean> {
  for (let waited = 0; !await file.tryLock(true); waited += LOCK_PAUSE_MS) {
    if (waited >= LOCK_WAIT_MS) return false;
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
  }
  return true;
}

async function explainOpening<Result>(path: string, open: () => Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    throw new ConfigError(`Cannot open history ${quotePath(path)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "its folder does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "no permission to do so";
  if (error instanceof Deno.errors.NotCapable) return "this program was started without that right";
  if (error instanceof Deno.errors.AlreadyExists) return "it exists already";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is not a folder";
  return "the system refused";
}
