// What is known of one file that somebody offers: where it goes, what of it is here, and what it waits for.

import {
  type AnyClientId,
  type AnyRoomId,
  isSealedId,
  type WithAnyIds,
} from "../base/local_ids.ts";
import { FILE_OFFER_MS, FILE_STALLED_MS } from "../base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { MissingChunks } from "./missing_chunks.ts";
import { ChunkBuffer } from "./chunk_buffer.ts";
import type { DeliveryWindow } from "../transfer_base/delivery_window.ts";
import type { IncomingPart } from "../transfer_base/transfer_host.ts";
import { Progress } from "../transfer_base/progress.ts";
import type {
  TransferFault,
  TransferRef,
  TransferState,
  Waiting,
} from "../transfer_base/transfer_event.ts";

type Offer = WithAnyIds<EventOf<"offer">>;

/** What an incoming file is made of. */
export interface DownloadOptions {
  readonly file: TransferRef;
  readonly offer: Offer;
  readonly accepted: boolean;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
  /** Asks the sender for chunks. */
  readonly ask: (index: number, count: number) => void;
  /** Of all files that come to us, and how many these are. */
  readonly window: DeliveryWindow;
  readonly sharers: () => number;
}

/** A file's id is chosen by its sender, so it counts for that sender only. */
export function keyOf(
  { client, file }: { readonly client: AnyClientId; readonly file: string },
): string {
  return `${client}/${file}`;
}

/** One file that is offered, on its way, or all here. */
export class Download {
  readonly file: TransferRef;
  readonly offer: Offer;
  readonly client: AnyClientId;
  /** The room that it was offered in. */
  readonly room: AnyRoomId;
  readonly key: string;
  data: ChunkBuffer;
  progress: Progress;
  /** Undefined where chunks come by themselves: the sender speaks v1, or the room is sealed and asks for them itself. */
  asking: MissingChunks | undefined;
  state: Exclude<TransferState, "sending">;
  /** When it was offered, or could not be saved. */
  openedAt: number;
  /** When its last chunk came, or could come again. */
  heardAt: number;
  waitingFor: Waiting | undefined;
  /** Where it is written as it comes; undefined where it is held until all of it is here. */
  part: IncomingPart | undefined;
  /** Until the part is open and what came is written. */
  writing: Promise<void> = Promise.resolve();
  readonly #options: DownloadOptions;
  #isAnew = false;

  constructor(options: DownloadOptions) {
    const { file, offer, accepted, now } = this.#options = options;
    this.file = file;
    this.offer = offer;
    this.client = offer.client;
    this.room = offer.room;
    this.key = keyOf(offer);
    [this.data, this.progress, this.asking] = this.#nothing();
    this.state = accepted ? "accepted" : "offered";
    this.openedAt = this.heardAt = now();
  }

  /** Whether it may be wrong for what was here before, and not for what its sender sent; once. */
  get mayBeginAnew(): boolean {
    return this.data.hasKept && !this.#isAnew;
  }

  /** Forgets what came; `start` asks for all of it. */
  clear(): void {
    this.#isAnew = true;
    this.asking?.stop();
    this.part = undefined;
    this.writing = Promise.resolve();
    this.isStarted = false;
    [this.data, this.progress, this.asking] = this.#nothing();
  }

  /** What there is of a file of which nothing came. */
  #nothing(): [ChunkBuffer, Progress, MissingChunks | undefined] {
    const { offer, now } = this.#options;
    const data = new ChunkBuffer(offer);
    const asking = data.mayHaveGaps
      ? new MissingChunks({ ...this.#options, data, key: this.key })
      : undefined;
    return [data, new Progress(offer.size, now), asking];
  }

  /** Whether it can go on after a lost connection. */
  get survives(): boolean {
    // In sealed rooms members fetch what they miss without being asked here.
    return this.asking !== undefined || isSealedId(this.room);
  }

  /** Chunks were asked for. */
  isStarted = false;

  /** Whether chunks are to come: of a file that is asked for, only once it is accepted. */
  get isDue(): boolean {
    return !this.data.isComplete && (this.asking === undefined || this.isStarted);
  }

  /** The user takes it; chunks are asked for once their part of the disk is open. */
  accept(): void {
    this.state = "accepted";
  }

  /** Chunks may come. */
  start(): void {
    this.isStarted = true;
    this.heardAt = this.#options.now();
    if (this.waitingFor === undefined && !this.data.isComplete) this.asking?.start();
  }

  /** A connection is lost; whether that is news. */
  wait(waitingFor: Waiting): boolean {
    if (this.waitingFor === waitingFor || this.waitingFor === "connection") return false;
    this.waitingFor = waitingFor;
    return true;
  }

  /** The connection that it waits for is back: asks for what was missed. Returns whether that is new. */
  goOn(waitedFor: Waiting): boolean {
    if (this.waitingFor !== waitedFor) return false;
    this.waitingFor = undefined;
    this.heardAt = this.#options.now();
    if (this.isStarted) this.asking?.start();
    return true;
  }

  /** Looks whether something is overdue. */
  sweep(now: number): TransferFault | undefined {
    const { state, openedAt, heardAt } = this;
    if (state === "saving") return undefined;
    if (this.isDue && this.waitingFor === undefined) {
      this.asking?.sweep();
      if (now - heardAt >= FILE_STALLED_MS) {
        const reason = `nothing more of it came for ${FILE_STALLED_MS / 1_000} seconds`;
        return { code: "stalled", reason };
      }
    }
    if (state === "offered" && now - openedAt >= FILE_OFFER_MS) {
      return { code: "expired", reason: `not accepted within ${FILE_OFFER_MS / 60_000} minutes` };
    }
    return undefined;
  }
}
