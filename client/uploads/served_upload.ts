// A file that this client offers and keeps: each receiver that accepts it asks for its chunks (docs/PROTOCOL.md, 8.7). It
// counts as sent when somebody has all of it, and is served to others for a while after that.

import { Buffer } from "node:buffer";
import { FILE_OFFER_MS, FILE_PULL_AGAIN_MS } from "../base/limits.ts";
import { FILE_CHUNK_BYTES, FILE_PULLS, HOLD_S } from "../../shared/base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { ChunkSender } from "./chunk_sender.ts";
import type { DeliveryWindow } from "../transfer_base/delivery_window.ts";
import type { SourceFile } from "./source_file.ts";
import type { TransferFault, Waiting } from "../transfer_base/transfer_event.ts";
import {
  giveUp,
  isTold,
  newFileId,
  offerOf,
  type Upload,
  type UploadOutcome,
  type UploadSend,
} from "./upload.ts";

/** The server has all that a receiver asked for, and the receiver says nothing: it has the file, or is gone. */
const QUIET_MS = 2 * FILE_PULL_AGAIN_MS;

/** Nobody asks any longer: a receiver whose connection is lost is back within this, or never. */
const ABANDONED_MS = 2 * HOLD_S * 1_000;

/** What such a file is made of. */
export interface ServedUploadOptions {
  readonly file: SourceFile;
  readonly send: UploadSend;
  /** Shared by all files that leave over one connection. */
  readonly window: DeliveryWindow;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
}

/** One file that receivers ask for. */
export class ServedUpload implements Upload {
  readonly id = newFileId();
  readonly file: SourceFile;
  readonly survives = true;
  readonly #options: ServedUploadOptions;
  readonly #total: number;
  readonly #chunks: ChunkSender;
  #fault: TransferFault | undefined;
  #isConfirmed = false;
  #isLinkLost = false;
  #isComplete = false;
  /** Receivers that asked for chunks and have not said that they have all, with the time when they asked last. */
  readonly #receivers = new Map<number, number>();
  #isAsked = false;
  /** The bytes that the receiver that is furthest has been sent. */
  #done = 0;
  /** When it was offered, or somebody asked or was sent something last. */
  #heardAt: number;
  #onProgress: (done: number) => void = () => {};
  readonly #end = Promise.withResolvers<void>();

  constructor(options: ServedUploadOptions) {
    const { file, send, window, now } = this.#options = options;
    this.file = file;
    this.#total = Math.ceil(file.size / FILE_CHUNK_BYTES);
    this.#heardAt = now();
    this.#chunks = new ChunkSender({
      file,
      id: this.id,
      send,
      window,
      onSent: (index) => this.#sent(index),
      onFault: (fault) => this.stop(fault),
    });
  }

  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  get waitingFor(): Waiting | undefined {
    if (this.#isLinkLost) return "link";
    return this.#isAsked ? undefined : "receiver";
  }

  get done(): number {
    return this.#done;
  }

  get isServing(): boolean {
    const latest = this.#options.now() - FILE_PULL_AGAIN_MS;
    return this.#chunks.isBusy || this.#receivers.values().some((askedAt) => askedAt > latest);
  }

  confirm(): void {
    this.#isConfirmed = true;
  }

  stop(fault: TransferFault): void {
    if (this.#isComplete) return;
    this.#fault ??= fault;
    this.#end.resolve();
  }

  linkLost(): void {
    this.#isLinkLost = true;
    this.#receivers.clear();
    this.#chunks.linkLost();
  }

  /** Receivers ask again; an offer that was not answered is sent again by the ledger of requests. */
  linkBack(): void {
    this.#isLinkLost = false;
    this.#heardAt = this.#options.now();
  }

  pulled(event: EventOf<"pull">): void {
    const { index, count } = event;
    // A server that asks for what there is not is not worth an answer.
    if (this.#fault !== undefined || index + count > this.#total) return;
    this.#isAsked = true;
    this.#heardAt = this.#options.now();
    this.#note(event);
    this.#chunks.ask(event);
    if (count === 0 && index === this.#total) this.#complete();
  }

  taken(index: number): void {
    this.#heardAt = this.#options.now();
    this.#chunks.taken(index);
  }

  sweep(): void {
    const quietMs = this.#options.now() - this.#heardAt;
    if (this.#isLinkLost || !this.#isConfirmed) return;
    if (this.#done === this.file.size && quietMs >= QUIET_MS) this.#complete();
    if (!this.#isAsked && quietMs >= FILE_OFFER_MS) {
      const reason = `nobody accepted it within ${FILE_OFFER_MS / 60_000} minutes`;
      this.stop({ code: "expired", reason });
    } else if (this.#isAsked && quietMs >= ABANDONED_MS) {
      const reason = `nobody asked for the rest of it within ${ABANDONED_MS / 60_000} minutes`;
      this.stop({ code: "stalled", reason });
    }
  }

  async run(onProgress: (done: number) => void): Promise<UploadOutcome> {
    this.#onProgress = onProgress;
    // Where the connection is lost, the offer leaves over the next one.
    this.#options.send(offerOf(this.id, this.file)).catch(() => undefined);
    await this.#end.promise;
    const fault = this.#fault;
    if (fault === undefined) return { sha256: Buffer.from(this.file.hash).toString("hex") };
    this.close();
    if (
      (isTold(fault) || fault.code === "expired" || fault.code === "stalled") && this.#isConfirmed
    ) {
      this.#options.send(giveUp(this.id, 0)).catch(() => undefined);
    }
    return { fault };
  }

  close(): void {
    this.#chunks.close();
    this.file.close();
  }

  #note({ client, count }: EventOf<"pull">): void {
    if (count === 0) this.#receivers.delete(client);
    else if (this.#receivers.size < FILE_PULLS.receivers) {
      this.#receivers.set(client, this.#heardAt);
    }
  }

  #sent(index: number): void {
    const bytes = Math.min((index + 1) * FILE_CHUNK_BYTES, this.file.size);
    if (bytes <= this.#done || this.#isComplete) return;
    this.#done = bytes;
    this.#onProgress(bytes);
  }

  #complete(): void {
    this.#sent(this.#total - 1);
    this.#isComplete = true;
    this.#end.resolve();
  }
}
