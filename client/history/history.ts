// The local history: an encrypted file that only grows. history_format.ts defines its bytes. Opening a file for writing
// authenticates all of it. Bytes of a write that was cut off stay until the next append overwrites them.

import { ConfigError, CryptoError, LimitError, UsageError } from "../../shared/base/errors.ts";
import { decodeEntry, type HistoryEntry } from "./history_entry.ts";
import {
  openLocked,
  openReadOnly,
  quotePath,
  readAt,
  syncFolderOf,
  writeAt,
} from "../files/file_access.ts";
import {
  createHeader,
  HEADER_BYTES,
  type HistoryKeys,
  MAX_RECORDS,
  parseHeader,
  type RecordPosition,
  sealRecord,
  startsWithMagic,
  unlockHeader,
} from "./history_format.ts";
import { RecordScan } from "./history_scan.ts";
import {
  encodeBounded,
  joined,
  takeOver,
  TAKEOVER_DISK,
  type TakeoverDisk,
} from "./history_takeover.ts";
import { DEFAULT_COST, type StretchCost } from "./key_stretching.ts";
import {
  type LegacyContent,
  looksLegacy,
  MAX_LEGACY_BYTES,
  openLegacyEnvelope,
  parseLegacyEnvelope,
} from "./legacy_history.ts";

export type { HistoryEntry } from "./history_entry.ts";

/** Options of openHistory() and readHistory(). */
export interface HistoryOptions {
  /** Called with a sentence for the user: about a takeover, or a write that was cut off. */
  readonly onNotice?: (text: string) => void;
  /** A low cost for new files, so that tests are fast. */
  readonly unsafeTestOnlyCost?: StretchCost;
  /** A disk that fails where a test needs it. */
  readonly unsafeTestOnlyDisk?: TakeoverDisk;
}

interface OpenState {
  readonly file: Deno.FsFile;
  readonly keys: HistoryKeys;
  readonly position: RecordPosition;
  readonly path: string;
}

interface Waiting {
  readonly plaintext: Uint8Array;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Opens or creates the history at `path`, locked for this program, and takes over an old v1 file (kept as `<path>.v1`).
 * Throws CryptoError for a wrong passphrase or damaged content, ConfigError if the file cannot be used. Nothing is
 * changed then.
 */
export async function openHistory(
  path: string,
  passphrase: string,
  options: HistoryOptions = {},
): Promise<History> {
  refuseEmpty(passphrase);
  const file = await openLocked(path);
  try {
    const state = await openState(file, { path, passphrase, options });
    if (state.file !== file) file.close();
    return new History(state);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether there is no history at `path` yet: its passphrase will be a new one. */
export async function isNewHistory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).size < HEADER_BYTES;
  } catch (error) {
    // What else is wrong with the path is found when it is opened.
    return error instanceof Deno.errors.NotFound;
  }
}

/**
 * The entries of the history at `path`, of either format, oldest first. Changes nothing and needs no lock.
 * Throws as openHistory() does, after yielding the entries before a damaged one.
 */
export async function* readHistory(
  path: string,
  passphrase: string,
  options: HistoryOptions = {},
): AsyncGenerator<HistoryEntry> {
  refuseEmpty(passphrase);
  using file = await openReadOnly(path);
  const start = await readAt(file, 0, HEADER_BYTES);
  if (looksLegacy(start)) {
    yield* (await readLegacy(file, path, passphrase)).entries;
    return;
  }
  const keys = await unlock(start, path, passphrase);
  const { size: end } = await file.stat();
  const scan = new RecordScan({ readAt: readAt.bind(null, file), end, keys, path });
  yield* decodedEntries(scan, path);
  if (scan.tornBytes > 0) {
    options.onNotice?.(
      `The last ${scan.tornBytes} bytes are an incomplete entry: a client is writing, or a write was cut off.`,
    );
  }
}

/** An open history. Appends keep their order, awaited or not. */
export class History {
  readonly #file: Deno.FsFile;
  readonly #keys: HistoryKeys;
  readonly #path: string;
  #position: RecordPosition;
  #waiting: Waiting[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(state: OpenState) {
    this.#file = state.file;
    this.#keys = state.keys;
    this.#path = state.path;
    this.#position = state.position;
  }

  /** Resolves once the entry is synced to the disk. Throws LimitError, UsageError, or ConfigError if the disk refuses. */
  append(entry: HistoryEntry): Promise<void> {
    return new Promise((done, failed) => {
      if (this.#closed) throw new UsageError("Cannot store a history entry: the history is closed");
      this.#waiting.push({ plaintext: encodeBounded(entry), done, failed });
      // Entries that arrive during a write are written together: one write, one sync.
      if (this.#waiting.length === 1) void this.#inTurn(() => this.#writeWaiting());
    });
  }

  /** The entries stored before this call, oldest first; appends may continue. Throws CryptoError at a damaged entry. */
  async *entries(): AsyncGenerator<HistoryEntry> {
    const scan = new RecordScan({
      readAt: (offset, length) => this.#inTurn(() => readAt(this.#file, offset, length)),
      end: this.#position.offset,
      keys: this.#keys,
      path: this.#path,
    });
    yield* decodedEntries(scan, this.#path);
  }

  /** Writes the waiting entries, then closes and unlocks the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inTurn(() => Promise.resolve(this.#file.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #writeWaiting(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      await this.#write(batch.map((waiting) => waiting.plaintext));
      for (const waiting of batch) waiting.done();
    } catch (error) {
      for (const waiting of batch) waiting.failed(error);
    }
  }

  async #write(plaintexts: readonly Uint8Array[]): Promise<void> {
    let position = this.#position;
    if (position.index + plaintexts.length > MAX_RECORDS) {
      throw new LimitError(
        `Cannot store a history entry: ${quotePath(this.#path)} has ${position.index} entries, ` +
          `at most ${MAX_RECORDS} are allowed`,
      );
    }
    const records: Uint8Array[] = [];
    for (const plaintext of plaintexts) {
      const record = await sealRecord(this.#keys, position, plaintext);
      records.push(record);
      position = { index: position.index + 1, offset: position.offset + record.length };
    }
    await this.#writeAtEnd(joined(records, position.offset - this.#position.offset));
    this.#position = position;
  }

  async #writeAtEnd(bytes: Uint8Array): Promise<void> {
    const { size } = await this.#file.stat();
    if (size < this.#position.offset) {
      throw new ConfigError(
        `Cannot store a history entry: another program cut ${
          quotePath(this.#path)
        } to ${size} bytes, ` +
          `it had ${this.#position.offset}`,
      );
    }
    try {
      // Bytes behind the last whole record are left by a write that failed or was cut off.
      if (size > this.#position.offset) await this.#file.truncate(this.#position.offset);
      await writeAt(this.#file, this.#position.offset, bytes);
      await this.#file.syncData();
    } catch (cause) {
      throw new ConfigError(
        `Cannot store a history entry in ${quotePath(this.#path)}: the disk refused it`,
        { cause, hint: "check that the disk has free space" },
      );
    }
  }

  /** Runs jobs on the file one after the other, because they share the file's position. */
  #inTurn<Result>(job: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(job);
    this.#turn = result.catch(() => {});
    return result;
  }
}

interface Opening {
  readonly path: string;
  readonly passphrase: string;
  readonly options: HistoryOptions;
}

async function openState(file: Deno.FsFile, opening: Opening): Promise<OpenState> {
  const { path, passphrase, options } = opening;
  const { size: end } = await file.stat();
  const start = await readAt(file, 0, HEADER_BYTES);
  // Shorter than a header: just created, or the program died while it was created. It has no entry to lose.
  if (end === 0 || (end < HEADER_BYTES && startsWithMagic(start))) {
    return await startNew(file, opening);
  }
  if (looksLegacy(start)) return await takeOverLegacy(file, opening);
  const keys = await unlock(start, path, passphrase);
  const scan = new RecordScan({ readAt: readAt.bind(null, file), end, keys, path });
  while (await scan.next() !== undefined);
  if (scan.tornBytes > 0) {
    options.onNotice?.(
      `A write to the history was cut off: the last ${scan.tornBytes} bytes are an incomplete entry. ` +
        `The ${scan.position.index} entries before it are intact; the next one follows them.`,
    );
  }
  return { file, keys, position: scan.position, path };
}

async function startNew(
  file: Deno.FsFile,
  { path, passphrase, options }: Opening,
): Promise<OpenState> {
  const header = await createHeader(passphrase, options.unsafeTestOnlyCost ?? DEFAULT_COST);
  await file.truncate(0);
  await writeAt(file, 0, header.bytes);
  await file.sync();
  await syncFolderOf(path);
  return { file, keys: header.keys, position: { index: 0, offset: HEADER_BYTES }, path };
}

async function takeOverLegacy(file: Deno.FsFile, opening: Opening): Promise<OpenState> {
  const { path, passphrase, options } = opening;
  const { entries, skipped } = await readLegacy(file, path, passphrase);
  const taken = await takeOver({
    path,
    entries,
    passphrase,
    cost: options.unsafeTestOnlyCost ?? DEFAULT_COST,
    disk: options.unsafeTestOnlyDisk ?? TAKEOVER_DISK,
  });
  options.onNotice?.(
    `Imported ${entries.length} entries from the old history` +
      (skipped > 0 ? ` (${skipped} were not messages)` : "") +
      `; the old file is kept as ${quotePath(taken.keptPath)}.`,
  );
  return { file: taken.file, keys: taken.keys, position: taken.position, path };
}

async function readLegacy(
  file: Deno.FsFile,
  path: string,
  passphrase: string,
): Promise<LegacyContent> {
  const { size } = await file.stat();
  if (size > MAX_LEGACY_BYTES) {
    throw new LimitError(
      `Cannot read history ${quotePath(path)}: as a file of the old format it has ${size} bytes, ` +
        `at most ${MAX_LEGACY_BYTES} are allowed`,
    );
  }
  const envelope = parseLegacyEnvelope(await readAt(file, 0, size));
  if (envelope === undefined) throw notOurs(path);
  return await openLegacyEnvelope(envelope, passphrase) ?? refusePassphrase(path);
}

async function unlock(
  start: Uint8Array<ArrayBuffer>,
  path: string,
  passphrase: string,
): Promise<HistoryKeys> {
  const header = parseHeader(start);
  switch (header) {
    case "foreign":
      throw notOurs(path);
    case "version":
      throw new ConfigError(
        `Cannot open history ${quotePath(path)}: this version does not know its format`,
        { hint: "a newer cmdchat-client may have written it" },
      );
    case "bounds":
      throw new ConfigError(
        `Cannot open history ${
          quotePath(path)
        }: its header requires more memory or time than allowed`,
        { hint: "the file is damaged or was changed" },
      );
  }
  return await unlockHeader(header, passphrase) ?? refusePassphrase(path);
}

async function* decodedEntries(scan: RecordScan, path: string): AsyncGenerator<HistoryEntry> {
  for (let plaintext; (plaintext = await scan.next()) !== undefined;) {
    const entry = decodeEntry(plaintext);
    if (entry === undefined) {
      throw new ConfigError(
        `Cannot read history ${
          quotePath(path)
        }: entry ${scan.position.index} has a format that this version does not know`,
        { hint: "a newer cmdchat-client may have written it" },
      );
    }
    yield entry;
  }
}

function refuseEmpty(passphrase: string): void {
  if (passphrase !== "") return;
  throw new UsageError(
    "Cannot open the history: its passphrase is empty, at least 1 character is required",
  );
}

function refusePassphrase(path: string): never {
  throw new CryptoError(
    `Cannot open history ${quotePath(path)}: the passphrase is wrong, or the file is damaged`,
    { hint: "the file was not changed" },
  );
}

function notOurs(path: string): ConfigError {
  return new ConfigError(
    `Cannot open history ${quotePath(path)}: it is not a cmdchat history; it was not changed`,
    { hint: "use the path of a history, or of a file that does not exist yet" },
  );
}
