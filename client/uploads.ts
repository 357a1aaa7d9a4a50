// A file of ours onto the wire: opened and judged when the user asks, then read chunk by chunk, never faster than the
// link takes it and never as a whole.

import { createHash } from "node:crypto";
import { basename } from "node:path";
import { LimitError, UsageError } from "../shared/errors.ts";
import { FILE_CHUNK_BYTES } from "../shared/limits.ts";
import type { RequestOf } from "../shared/messages_v2.ts";
import { formatBytes } from "../shared/option_values.ts";
import { quote } from "../shared/sanitize.ts";
import type { OfferDraft, TransferFault } from "./transfers.ts";
import { pathCandidates } from "./typed_path.ts";

/** Enough of a path to recognise it in an error. */
const PATH_SHOWN_MAX = 200;

/** An open file that may be sent; `size` in bytes, at least 1. */
export interface SendableFile {
  readonly name: string;
  readonly size: number;
  readonly handle: Deno.FsFile;
}

/** What judges a file before it is sent. */
export interface SendableOptions {
  readonly home?: string | undefined;
  /** Bytes; 0 where the server takes no files. */
  readonly fileMax: number;
}

/** Opens what the user typed after `/send`. Throws UsageError or LimitError. */
export async function openSendable(typed: string, options: SendableOptions): Promise<SendableFile> {
  const { home, fileMax } = options;
  const candidates = pathCandidates(typed, { home, windows: Deno.build.os === "windows" });
  if (candidates.length === 0) {
    throw new UsageError("Cannot send a file: a path is wanted, as in /send notes.txt");
  }
  if (fileMax === 0) {
    throw new LimitError(`Cannot send ${shown(candidates[0]!)}: this server takes no files`);
  }
  const path = await firstThatExists(candidates);
  try {
    // Opening a named pipe would wait for its other end.
    refuseUnlessSendable(path, await Deno.stat(path), fileMax);
    return await openRegular(path, fileMax);
  } catch (error) {
    if (error instanceof UsageError || error instanceof LimitError) throw error;
    throw new UsageError(`Cannot send ${shown(path)}: ${whyUnreadable(error)}`, { cause: error });
  }
}

async function firstThatExists(candidates: readonly string[]): Promise<string> {
  for (const path of candidates) {
    const exists = await Deno.stat(path).then(() => true, () => false);
    if (exists) return path;
  }
  // The last one is what is left without quotes: the clearest one to name.
  return candidates.at(-1)!;
}

async function openRegular(path: string, fileMax: number): Promise<SendableFile> {
  const handle = await Deno.open(path, { read: true });
  try {
    const info = await handle.stat();
    refuseUnlessSendable(path, info, fileMax);
    return { name: basename(path), size: info.size, handle };
  } catch (error) {
    handle.close();
    throw error;
  }
}

function refuseUnlessSendable(path: string, info: Deno.FileInfo, fileMax: number): void {
  if (info.isDirectory) {
    throw new UsageError(`Cannot send ${shown(path)}: it is a folder, a file is wanted`, {
      hint: "pack it first, for example with tar or zip",
    });
  }
  if (!info.isFile) throw new UsageError(`Cannot send ${shown(path)}: it is no regular file`);
  if (info.size === 0) {
    throw new UsageError(`Cannot send ${shown(path)}: it is empty, at least 1 byte is wanted`);
  }
  if (info.size > fileMax) {
    throw new LimitError(
      `Cannot send ${shown(path)}: it has ${info.size} bytes, at most ${fileMax} (${
        formatBytes(fileMax)
      }) are allowed`,
    );
  }
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

/** Sends an offer or a chunk, as TransferOptions says. */
type UploadSend = (request: OfferDraft | RequestOf<"chunk">) => Promise<void>;

/** How a sending ended. */
export type UploadOutcome = { readonly sha256: string } | { readonly fault: TransferFault };

/** Faults after which the link still stands, so that receivers can be told. */
const TOLD: ReadonlySet<TransferFault["code"]> = new Set(["cancelled", "changed", "unreadable"]);

/** One file on its way to the room. */
export class Upload {
  /** Random, 128 bits in hex. */
  readonly id: string = crypto.randomUUID().replaceAll("-", "");
  /** What is sent. */
  readonly file: SendableFile;
  readonly #send: UploadSend;
  readonly #confirmed = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  #fault: TransferFault | undefined;
  #isConfirmed = false;
  #next = 0;

  constructor(file: SendableFile, send: UploadSend) {
    this.file = file;
    this.#send = send;
  }

  /** True when the server gave our offer back: it took it. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Bytes handed to the link. */
  get done(): number {
    return Math.min(this.#next * FILE_CHUNK_BYTES, this.file.size);
  }

  /** To be called when our offer came back. */
  confirm(): void {
    this.#isConfirmed = true;
    this.#confirmed.resolve();
  }

  /** Ends the sending; the first fault counts. */
  stop(fault: TransferFault): void {
    this.#fault ??= fault;
    this.#stopped.resolve();
  }

  /** Sends all and closes the file; never rejects. `onProgress` follows each chunk. */
  async run(onProgress: (done: number) => void): Promise<UploadOutcome> {
    using _handle = this.file.handle;
    const sha256 = await this.#sendAll(onProgress);
    if (this.#fault === undefined && sha256 !== undefined) return { sha256 };
    const fault = this.#fault ?? linkLost();
    if (TOLD.has(fault.code) && this.#isConfirmed) {
      // Nobody is told that a link is lost which no longer matters.
      this.#send(giveUp(this.id, this.#next)).catch(() => undefined);
    }
    return { fault };
  }

  /** The digest, or undefined when it was stopped. */
  async #sendAll(onProgress: (done: number) => void): Promise<string | undefined> {
    const { name: filename, size } = this.file;
    const total = Math.ceil(size / FILE_CHUNK_BYTES);
    await this.#hand({ kind: "offer", file: this.id, filename, size, chunks: total });
    // Nothing is pushed at a server that refuses the file.
    await Promise.race([this.#confirmed.promise, this.#stopped.promise]);
    const hash = createHash("sha256");
    while (this.#fault === undefined && this.#next < total) {
      const isLast = this.#next === total - 1;
      const data = await this.#readChunk(isLast);
      if (data === undefined) return undefined;
      hash.update(data);
      await this.#hand({ kind: "chunk", file: this.id, index: this.#next++, data, last: isLast });
      if (this.#fault === undefined) onProgress(this.done);
    }
    return hash.digest("hex");
  }

  /** Returns when the link took the message or the sending was stopped. */
  async #hand(message: Parameters<UploadSend>[0]): Promise<void> {
    if (this.#fault !== undefined) return;
    const sent = this.#send(message).catch(() => this.stop(linkLost()));
    await Promise.race([sent, this.#stopped.promise]);
  }

  async #readChunk(isLast: boolean): Promise<Uint8Array | undefined> {
    const wanted = Math.min(this.file.size - this.done, FILE_CHUNK_BYTES);
    try {
      // Its own buffer each: a chunk may still wait to be written when the next is read.
      const data = new Uint8Array(wanted);
      const filled = await fill(this.file.handle, data);
      const hasMore = isLast && await this.file.handle.read(new Uint8Array(1)) !== null;
      if (filled === wanted && !hasMore) return data;
      const reason = `it ${hasMore ? "grew" : "shrank"} while it was sent`;
      this.stop({ code: "changed", reason });
    } catch (error) {
      this.stop({ code: "unreadable", reason: whyUnreadable(error) });
    }
    return undefined;
  }
}

/** Tells the receivers that no chunk from `index` on will come (docs/PROTOCOL.md, V14). */
export function giveUp(file: string, index: number): RequestOf<"chunk"> {
  return { kind: "chunk", file, index, data: new Uint8Array(), last: true };
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

function linkLost(): TransferFault {
  return { code: "link_lost", reason: "the link was lost" };
}
