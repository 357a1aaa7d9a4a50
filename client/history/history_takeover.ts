// Converts an old history file. At every moment the path names one whole file, the old or the new one:
//   1. the new file is written under a temporary name and synced;
//   2. the old file gets its second name `<path>.v1`, never over another file;
//   3. the new file is renamed to the path, which replaces the old name in one step.
// A crash before 3 leaves the old file where it was, and the next start does it all again.

import { ConfigError, LimitError } from "../../shared/base/errors.ts";
import { createLocked, quotePath, readAt, syncFolderOf, writeAt } from "../files/file_access.ts";
import {
  createHeader,
  HEADER_BYTES,
  type HistoryKeys,
  MAX_BODY_BYTES,
  type RecordPosition,
  sealRecord,
  TAG_BYTES,
} from "./history_format.ts";
import { encodeEntry, type HistoryEntry } from "./history_entry.ts";
import type { StretchCost } from "./key_stretching.ts";

/** The steps of a takeover that change the folder; tests crash between them. */
export interface TakeoverDisk {
  create(path: string): Promise<Deno.FsFile>;
  write(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void>;
  sync(file: Deno.FsFile): Promise<void>;
  keep(oldPath: string, keptPath: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** What a takeover writes, and to which path. */
export interface TakeoverPlan {
  readonly path: string;
  readonly entries: readonly HistoryEntry[];
  readonly passphrase: string;
  readonly cost: StretchCost;
  readonly disk: TakeoverDisk;
}

/** The new file, open and locked, and the position of its next record. */
export interface TakenOver {
  readonly file: Deno.FsFile;
  readonly keys: HistoryKeys;
  readonly position: RecordPosition;
  readonly keptPath: string;
}

/** The real disk. */
export const TAKEOVER_DISK: TakeoverDisk = {
  create: createLocked,
  write: writeAt,
  sync: (file) => file.sync(),
  keep: keepOld,
  rename: async (from, to) => {
    await Deno.rename(from, to);
    await syncFolderOf(to);
  },
  remove: removeIfThere,
};

const WRITE_BYTES = 262_144;

/** Converts the old file; the caller holds its lock. Throws ConfigError or LimitError. */
export async function takeOver(plan: TakeoverPlan): Promise<TakenOver> {
  try {
    await refuseOtherKept(plan.path, keptPathOf(plan.path));
    return await replaceOld(plan);
  } catch (error) {
    throw explain(error, plan.path);
  }
}

async function replaceOld(plan: TakeoverPlan): Promise<TakenOver> {
  const { path, disk } = plan;
  const [temporary, keptPath] = [`${path}.takeover`, keptPathOf(path)];
  // The lock on the old file excludes other takeovers: a file of this name was left by a crash.
  await disk.remove(temporary);
  const file = await disk.create(temporary);
  try {
    const { keys, position } = await writeAll(file, plan);
    await disk.sync(file);
    await disk.keep(path, keptPath);
    await disk.rename(temporary, path);
    return { file, keys, position, keptPath };
  } catch (error) {
    file.close();
    // The first error is the one to report; the next takeover removes a file that is left.
    await disk.remove(temporary).catch(() => {});
    throw error;
  }
}

function keptPathOf(path: string): string {
  return `${path}.v1`;
}

async function writeAll(
  file: Deno.FsFile,
  { entries, passphrase, cost, disk }: TakeoverPlan,
): Promise<{ keys: HistoryKeys; position: RecordPosition }> {
  const header = await createHeader(passphrase, cost);
  await disk.write(file, 0, header.bytes);
  let position = { index: 0, offset: HEADER_BYTES };
  let [pending, pendingStart, pendingBytes]: [Uint8Array[], number, number] = [[], HEADER_BYTES, 0];
  const flush = async () => {
    await disk.write(file, pendingStart, joined(pending, pendingBytes));
    [pending, pendingStart, pendingBytes] = [[], position.offset, 0];
  };
  for (const entry of entries) {
    const record = await sealRecord(header.keys, position, encodeBounded(entry));
    pending.push(record);
    pendingBytes += record.length;
    position = { index: position.index + 1, offset: position.offset + record.length };
    if (pendingBytes >= WRITE_BYTES) await flush();
  }
  await flush();
  return { keys: header.keys, position };
}

/** UTF-8 JSON of an entry. Throws LimitError if it does not fit into one record. */
export function encodeBounded(entry: HistoryEntry): Uint8Array<ArrayBuffer> {
  const bytes = encodeEntry(entry);
  const most = MAX_BODY_BYTES - TAG_BYTES;
  if (bytes.length <= most) return bytes;
  throw new LimitError(
    `Cannot store a history entry: it has ${bytes.length} bytes, at most ${most} are allowed`,
  );
}

/** All parts in one array of `length` bytes. */
export function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

async function refuseOtherKept(path: string, keptPath: string): Promise<void> {
  if (!await exists(keptPath) || await isSameContent(path, keptPath)) return;
  throw new ConfigError(
    `Cannot take over the old history ${quotePath(path)}: ` +
      `${quotePath(keptPath)}, where the old file would be kept, exists already`,
    { hint: "move that file away" },
  );
}

/** Gives the old file a second name; link() fails if the name is taken, so nothing can be overwritten. */
async function keepOld(oldPath: string, keptPath: string): Promise<void> {
  if (await exists(keptPath) && await isSameContent(oldPath, keptPath)) return;
  try {
    await Deno.link(oldPath, keptPath);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    await copyNew(oldPath, keptPath);
  }
  await syncFolderOf(keptPath);
}

/** For file systems without links (FAT, some shares). A copy that fails halfway is removed again. */
async function copyNew(oldPath: string, keptPath: string): Promise<void> {
  const options = { write: true, createNew: true, mode: 0o600 };
  using copy = await Deno.open(keptPath, options);
  try {
    await writeAt(copy, 0, await Deno.readFile(oldPath));
    await copy.sync();
  } catch (error) {
    await removeIfThere(keptPath);
    throw error;
  }
}

async function isSameContent(onePath: string, otherPath: string): Promise<boolean> {
  const [one, other] = [await Deno.lstat(onePath), await Deno.lstat(otherPath)];
  if (!other.isFile || one.size !== other.size) return false;
  if (one.ino !== null && one.ino === other.ino && one.dev === other.dev) return true;
  using oneFile = await Deno.open(onePath, { read: true });
  using otherFile = await Deno.open(otherPath, { read: true });
  for (let offset = 0; offset < one.size; offset += WRITE_BYTES) {
    const bytes = await readAt(otherFile, offset, WRITE_BYTES);
    const wanted = await readAt(oneFile, offset, WRITE_BYTES);
    if (bytes.length !== wanted.length || bytes.some((byte, at) => byte !== wanted[at])) {
      return false;
    }
  }
  return true;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  if (await exists(path)) await Deno.remove(path);
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof ConfigError || error instanceof LimitError) return error;
  return new ConfigError(
    `Cannot take over the old history ${
      quotePath(path)
    }: the system refused a step; the file is unchanged`,
    { cause: error },
  );
}
