// A file of ours on its way to the room: chunk by chunk, never faster than the link takes it. Where the server says
// how far it is (session v2), the way goes on after a lost link from the chunk that the server wants next, and a
// receiver whose own link was lost gets again what it missed.

import { Buffer } from "node:buffer";
import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import type { EventOf, RequestOf } from "../../shared/messages/messages_v2.ts";
import { ChunkResender } from "./chunk_resender.ts";
import { ChunkError, type SourceFile } from "./source_file.ts";
import type { TransferFault } from "./transfer_event.ts";
import type { UploadRequest } from "./transfer_host.ts";

/** Sends it, as TransferOptions says. */
type UploadSend = (request: UploadRequest) => Promise<void>;

/** How a sending ended. */
export type UploadOutcome = { readonly sha256: string } | { readonly fault: TransferFault };

/** Faults after which the link still stands, so that receivers can be told. */
const TOLD: ReadonlySet<TransferFault["code"]> = new Set(["cancelled", "changed", "unreadable"]);

/** One file on its way to the room. */
export class Upload {
  /** Random, 128 bits in hex. */
  readonly id: string = crypto.randomUUID().replaceAll("-", "");
  /** What is sent. */
  readonly file: SourceFile;
  /** Whether it goes on after a lost link: the server says how far it is. */
  readonly survives: boolean;
  readonly #send: UploadSend;
  readonly #total: number;
  readonly #parts: ChunkResender;
  #fault: TransferFault | undefined;
  #isConfirmed = false;
  #next = 0;
  /** So many chunks the server has, as far as it said. */
  #reached = 0;
  /** No link, or the server has not said over this one how far it is. */
  #isWaiting = false;
  /** Counts links: what was read for one may not go out over the next. */
  #link = 0;
  #change = Promise.withResolvers<void>();

  constructor(file: SourceFile, send: UploadSend, survives = false) {
    this.file = file;
    this.survives = survives;
    this.#send = send;
    this.#total = Math.ceil(file.size / FILE_CHUNK_BYTES);
    this.#parts = new ChunkResender({ file, id: this.id, send });
  }

  /** True when the server gave our offer back: it took it. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Whether it waits for the link. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Bytes handed to the link. */
  get done(): number {
    return Math.min(this.#next * FILE_CHUNK_BYTES, this.file.size);
  }

  /** To be called when our offer came back. */
  confirm(): void {
    this.#isConfirmed = true;
    this.#changed();
  }

  /** Ends the sending; the first fault counts. */
  stop(fault: TransferFault): void {
    this.#fault ??= fault;
    this.#changed();
  }

  /** The link is lost, and may come back. */
  linkLost(): void {
    this.#parts.linkLost();
    this.#link++;
    this.#isWaiting = true;
    this.#changed();
  }

  /** The same session has a link again: asks the server how far the file is. */
  linkBack(): void {
    this.#link++;
    // Where the server has not even answered the offer, the offer is what is sent again.
    if (!this.#isConfirmed) this.#isWaiting = false;
    else this.#send({ kind: "resume", file: this.id }).catch(() => undefined);
    this.#changed();
  }

  /** The server has the chunks before `index`; null: it does not know of the file. True where that is news of the link. */
  reached(index: number | null): boolean {
    if (index === null || index > this.#total) {
      this.stop({ code: "link_lost", reason: "the server has forgotten it" });
      return false;
    }
    const wasWaiting = this.#isWaiting;
    this.#reached = index;
    if (wasWaiting) [this.#next, this.#isWaiting] = [index, false];
    this.#changed();
    return wasWaiting;
  }

  /** A receiver asks for chunks again. */
  pulled(event: EventOf<"pull">): void {
    // A server that asks for what there is not is not worth an answer.
    const isThere = event.index + event.count <= this.#total;
    if (this.#fault === undefined && isThere) this.#parts.ask(event);
  }

  /** Whether somebody is being sent parts now. */
  get isServing(): boolean {
    return this.#parts.isBusy;
  }

  /** Nobody is sent anything of it any more. */
  close(): void {
    this.#parts.close();
    this.file.close();
  }

  /** Sends all; never rejects. The file stays open for those who ask for parts. `onProgress` follows each chunk. */
  async run(onProgress: (done: number) => void): Promise<UploadOutcome> {
    await this.#sendAll(onProgress);
    const fault = this.#fault;
    if (fault === undefined) return { sha256: Buffer.from(this.file.hash).toString("hex") };
    this.close();
    if (TOLD.has(fault.code) && this.#isConfirmed) {
      // Nobody is told that a link is lost which no longer matters.
      this.#send(giveUp(this.id, this.#next)).catch(() => undefined);
    }
    return { fault };
  }

  /** Returns when the server has all, or it was stopped. */
  async #sendAll(onProgress: (done: number) => void): Promise<void> {
    const { name: filename, size, hash } = this.file;
    await this.#hand({ kind: "offer", file: this.id, filename, size, chunks: this.#total, hash });
    // Nothing is pushed at a server that refuses the file.
    while (!this.#isConfirmed && this.#fault === undefined) await this.#change.promise;
    while (this.#fault === undefined && !this.#isThrough) {
      if (this.#isWaiting || this.#next === this.#total) await this.#change.promise;
      else await this.#sendNext(onProgress);
    }
  }

  get #isThrough(): boolean {
    return this.survives ? this.#reached === this.#total : this.#next === this.#total;
  }

  async #sendNext(onProgress: (done: number) => void): Promise<void> {
    const [link, index] = [this.#link, this.#next];
    const data = await this.#read(index);
    if (data === undefined || link !== this.#link) return;
    const last = index === this.#total - 1;
    this.#next = index + 1;
    await this.#hand({ kind: "chunk", file: this.id, index, data, last });
    if (this.#fault === undefined && !this.#isWaiting) onProgress(this.done);
  }

  /** Returns when the link took the message, was lost, or the sending was stopped. */
  async #hand(message: UploadRequest): Promise<void> {
    const link = this.#link;
    let isOut = this.#fault !== undefined;
    const sent = isOut ? Promise.resolve() : this.#send(message).catch(() => {
      if (!this.survives) this.stop({ code: "link_lost", reason: "the link was lost" });
      // Whoever reads from the link will say the same.
      else if (link === this.#link) this.#isWaiting = true;
    }).finally(() => isOut = true);
    while (!isOut && this.#fault === undefined && link === this.#link) {
      await Promise.race([sent, this.#change.promise]);
    }
  }

  async #read(index: number): Promise<Uint8Array | undefined> {
    try {
      return await this.file.chunk(index);
    } catch (error) {
      if (!(error instanceof ChunkError)) throw error;
      this.stop(error.fault);
      return undefined;
    }
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

/** Tells the receivers that no chunk from `index` on will come (docs/PROTOCOL.md, V14). */
export function giveUp(file: string, index: number): RequestOf<"chunk"> {
  return { kind: "chunk", file, index, data: new Uint8Array(), last: true };
}
