// A file that this client offers and keeps: each receiver that accepts it asks for its chunks (docs/PROTOCOL.md, 8.7). It
// counts as sent when somebody saved it and all have answered, and is served to others for a while after that.

import { toHex } from "#platform/bytes.ts";
import type { AnyClientId, WithAnyIds } from "../base/local_ids.ts";
import { FILE_OFFER_MS } from "../base/limits.ts";
import { FILE_CHUNK_BYTES, HOLD_S } from "../../shared/base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { ChunkSender } from "./chunk_sender.ts";
import type { DeliveryWindow } from "../transfer_base/delivery_window.ts";
import { isFinal, type OfferedMember, Receivers } from "./receivers.ts";
import type { SourceFile } from "../transfer_base/source_file.ts";
import type { ReceiverAnswer, TransferFault, Waiting } from "../transfer_base/transfer_event.ts";
import {
  giveUp,
  isTold,
  newFileId,
  offerOf,
  type Upload,
  type UploadOutcome,
  type UploadSend,
} from "./upload.ts";

/** Nobody asks any longer: a receiver whose connection is lost is back within this, or never. */
const ABANDONED_MS = 2 * HOLD_S * 1_000;

/** What such a file is made of. */
export interface ServedUploadOptions {
  readonly file: SourceFile;
  readonly send: UploadSend;
  /** The only member who is offered it; undefined: all of the room are. */
  readonly to?: AnyClientId | undefined;
  /** Shared by all files that leave over one connection. */
  readonly window: DeliveryWindow;
  /** How long those who have not answered are waited for once somebody has it, ms. */
  readonly answerMs: number;
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
  #isConnectionLost = false;
  #isComplete = false;
  readonly #receivers = new Receivers();
  /** Those that the last chunk was sent to and the server has not confirmed it. */
  #endSentTo: readonly AnyClientId[] = [];
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
      onSent: (index, to) => this.#sent(index, to),
      onTaken: (index) => this.#taken(index),
      onFault: (fault) => this.stop(fault),
    });
  }

  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  get waitingFor(): Waiting | undefined {
    if (this.#isConnectionLost) return "connection";
    return this.#isAsked ? undefined : "receiver";
  }

  get done(): number {
    return this.#done;
  }

  confirm(people: readonly OfferedMember[]): void {
    this.#isConfirmed = true;
    const { to } = this.#options;
    const offered = to === undefined ? people : people.filter((one) => one.client === to);
    this.#receivers.offeredTo(offered);
    // An old client takes no file without a byte, and cannot say so.
    const old = this.#total > 0 ? [] : offered.filter(({ state }) => state === "old");
    for (const { client, name } of old) this.#receivers.heard({ client, name, state: "failed" });
    this.#judge();
  }

  stop(fault: TransferFault): void {
    if (this.#isComplete) return;
    this.#fault ??= fault;
    this.#end.resolve();
  }

  connectionLost(): void {
    this.#isConnectionLost = true;
    this.#chunks.connectionLost();
  }

  /** Receivers ask again; an offer that was not answered is sent again by the ledger of requests. */
  connectionBack(): void {
    this.#isConnectionLost = false;
    this.#heardAt = this.#options.now();
  }

  pulled(event: WithAnyIds<EventOf<"pull">>): void {
    const { index, count } = event;
    // A server that asks for what there is not is not worth an answer.
    if (this.#fault !== undefined || index + count > this.#total) return;
    this.#isAsked = true;
    this.#heardAt = this.#options.now();
    this.#chunks.ask(event);
  }

  answered(event: WithAnyIds<EventOf<"receipt">>): readonly ReceiverAnswer[] | undefined {
    if (!this.#receivers.heard(event)) return undefined;
    this.#heardAt = this.#options.now();
    this.#judge();
    return this.#receivers.answers;
  }

  memberLeft(client: AnyClientId): void {
    if (this.#receivers.left(client)) this.#judge();
  }

  memberAway(client: AnyClientId, isAway: boolean): void {
    this.#receivers.setAway(client, isAway);
  }

  peopleAre(people: readonly OfferedMember[]): void {
    if (this.#receivers.peopleAre(people)) this.#judge();
  }

  sweep(): void {
    const quietMs = this.#options.now() - this.#heardAt;
    if (this.#isConnectionLost || !this.#isConfirmed) return;
    const { hasIt, areBusy } = this.#receivers;
    if (hasIt && !areBusy && quietMs >= this.#options.answerMs) return this.#complete();
    if (!this.#isAsked && quietMs >= FILE_OFFER_MS) {
      const reason = `nobody accepted it within ${FILE_OFFER_MS / 60_000} minutes`;
      this.stop({ code: "expired", reason });
    } else if (this.#isAsked && quietMs >= ABANDONED_MS) {
      const reason = `nobody asked for the rest of it within ${ABANDONED_MS / 60_000} minutes`;
      if (hasIt) this.#complete();
      else this.stop({ code: "stalled", reason });
    }
  }

  async run(onProgress: (done: number) => void): Promise<UploadOutcome> {
    this.#onProgress = onProgress;
    // Where the connection is lost, the offer leaves over the next one.
    const { send, to } = this.#options;
    send(offerOf(this.id, this.file, to)).catch(() => undefined);
    await this.#end.promise;
    const fault = this.#fault;
    const { answers: receivers } = this.#receivers;
    if (fault === undefined) {
      return { sha256: toHex(this.file.hash), receivers };
    }
    this.close();
    if (isTold(fault) && this.#isConfirmed) {
      this.#options.send(giveUp(this.id, 0)).catch(() => undefined);
    }
    // Of those who were waiting when a connection was lost, nothing is known.
    const isOver = fault.code === "expired" || fault.code === "stalled";
    return { fault, receivers: isOver ? receivers : receivers.filter(isFinal) };
  }

  close(): void {
    this.#chunks.close();
    this.file.close();
  }

  #taken(index: number): void {
    this.#heardAt = this.#options.now();
    if (index !== this.#total - 1) return;
    const isNews = this.#receivers.gotAll(this.#endSentTo);
    this.#endSentTo = [];
    if (isNews) this.#judge();
  }

  #sent(index: number, to: readonly AnyClientId[]): void {
    if (index === this.#total - 1) this.#endSentTo = [...this.#endSentTo, ...to];
    const bytes = Math.min((index + 1) * FILE_CHUNK_BYTES, this.file.size);
    if (bytes <= this.#done || this.#isComplete) return;
    this.#done = bytes;
    this.#onProgress(bytes);
  }

  /** It is over when all who were offered it have said what became of it. */
  #judge(): void {
    if (this.#isComplete || this.#fault !== undefined || !this.#receivers.areDone) return;
    if (this.#receivers.hasIt) this.#complete();
    else this.stop(this.#receivers.fault);
  }

  #complete(): void {
    this.#sent(this.#total - 1, []);
    this.#isComplete = true;
    this.#end.resolve();
  }
}
