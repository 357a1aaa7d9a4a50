// A file that this client sends, pushed chunk by chunk, never faster than the connection takes it: to a v1 server, and to
// the part of the client that seals. To a v2 server see served_upload.ts.

import { toHex } from "#platform/bytes.ts";
import type { AnyClientId, WithAnyIds } from "../base/local_ids.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import type { EventOf, RequestOf } from "../../shared/messages/messages_v2.ts";
import { ChunkError, type SourceFile } from "../transfer_base/source_file.ts";
import type { ReceiverAnswer, TransferFault, Waiting } from "../transfer_base/transfer_event.ts";
import type { OfferedMember } from "./receivers.ts";
import type { OfferDraft, UploadRequest } from "../transfer_base/transfer_host.ts";

/** Sends it, as TransferHost says. */
export type UploadSend = (request: UploadRequest) => Promise<void>;

/** How a sending ended. */
export type UploadOutcome =
  | { readonly sha256: string; readonly receivers: readonly ReceiverAnswer[] }
  | { readonly fault: TransferFault; readonly receivers?: readonly ReceiverAnswer[] };

/** Faults after which the connection is still there, so that receivers can be told. */
const TOLD: ReadonlySet<TransferFault["code"]> = new Set([
  "cancelled",
  "changed",
  "unreadable",
  "expired",
  "stalled",
  "unsaved",
]);

/** One file on its way to a room. */
export interface Upload {
  /** Random, 128 bits in hex. */
  readonly id: string;
  readonly file: SourceFile;
  /** Whether it goes on after a lost connection: receivers ask for what they miss. */
  readonly survives: boolean;
  /** True when the server took the offer. */
  readonly isConfirmed: boolean;
  readonly waitingFor: Waiting | undefined;
  /** Bytes on their way or through. */
  readonly done: number;
  /** To be called when the server took the offer; `people`: who heard of it. */
  confirm(people: readonly OfferedMember[]): void;
  /** Ends the sending; the first fault counts. */
  stop(fault: TransferFault): void;
  /** The connection is lost, and may come back. */
  connectionLost(): void;
  /** The same session has a connection again. */
  connectionBack(): void;
  /** A receiver says what became of it: what all said, where that is news. */
  answered(event: WithAnyIds<EventOf<"receipt">>): readonly ReceiverAnswer[] | undefined;
  /** A member of the room left. */
  memberLeft(client: AnyClientId): void;
  /** A member of the room lost its connection, or has one again. */
  memberAway(client: AnyClientId, isAway: boolean): void;
  /** Who is in the room. */
  peopleAre(people: readonly OfferedMember[]): void;
  /** A receiver asks for chunks. */
  pulled(event: WithAnyIds<EventOf<"pull">>): void;
  /** Looks at deadlines. */
  sweep(): void;
  /** Sends it; never rejects. `onProgress` follows what is done. */
  run(onProgress: (done: number) => void): Promise<UploadOutcome>;
  /** Nobody is sent anything of it any longer. */
  close(): void;
}

/** A new id for a file. */
export function newFileId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** The first message about a file; `to`: the only member who is offered it, 0 = all. */
export function offerOf(
  id: string,
  { name: filename, size, hash, isFolder: folder = false }: SourceFile,
  to: AnyClientId = 0,
): OfferDraft {
  const chunks = Math.ceil(size / FILE_CHUNK_BYTES);
  return { kind: "offer", file: id, filename, size, chunks, hash, to, folder };
}

/** Tells the receivers that no chunk from `index` on will come (docs/PROTOCOL.md, V14). */
export function giveUp(file: string, index: number): RequestOf<"chunk"> {
  return { kind: "chunk", file, index, data: new Uint8Array(), last: true };
}

/** Whether receivers can learn of a fault of an upload. */
export function isTold({ code }: TransferFault): boolean {
  return TOLD.has(code);
}

/** A file of which the sender pushes every chunk once. */
export class PushedUpload implements Upload {
  readonly id = newFileId();
  readonly file: SourceFile;
  readonly survives = false;
  readonly waitingFor = undefined;
  readonly #send: UploadSend;
  readonly #total: number;
  #fault: TransferFault | undefined;
  #isConfirmed = false;
  #next = 0;
  #change = Promise.withResolvers<void>();

  constructor(file: SourceFile, send: UploadSend) {
    if (file.size === 0) {
      file.close();
      throw new UsageError(
        `Cannot send ${quote(file.name)}: it is empty, and this server takes no empty files`,
      );
    }
    this.file = file;
    this.#send = send;
    this.#total = Math.ceil(file.size / FILE_CHUNK_BYTES);
  }

  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  get done(): number {
    return Math.min(this.#next * FILE_CHUNK_BYTES, this.file.size);
  }

  confirm(): void {
    this.#isConfirmed = true;
    this.#changed();
  }

  stop(fault: TransferFault): void {
    this.#fault ??= fault;
    this.#changed();
  }

  /** Nothing: whoever owns it stops it, where it cannot go on. */
  connectionLost(): void {}

  /** Nothing. */
  connectionBack(): void {}

  /** Nothing: nobody says what became of it. */
  answered(): undefined {}

  /** Nothing. */
  memberLeft(): void {}

  /** Nothing. */
  memberAway(): void {}

  /** Nothing. */
  peopleAre(): void {}

  /** Nothing: a v1 server asks for nothing. */
  pulled(): void {}

  /** Nothing. */
  sweep(): void {}

  close(): void {
    this.file.close();
  }

  async run(onProgress: (done: number) => void): Promise<UploadOutcome> {
    await this.#sendAll(onProgress);
    const fault = this.#fault;
    this.close();
    if (fault === undefined) {
      return { sha256: toHex(this.file.hash), receivers: [] };
    }
    if (isTold(fault) && this.#isConfirmed) {
      // The loss of a connection that no longer matters is not reported.
      this.#send(giveUp(this.id, this.#next)).catch(() => undefined);
    }
    return { fault };
  }

  async #sendAll(onProgress: (done: number) => void): Promise<void> {
    await this.#hand(offerOf(this.id, this.file));
    // Nothing is pushed at a server that refuses the file.
    while (!this.#isConfirmed && this.#fault === undefined) await this.#change.promise;
    while (this.#fault === undefined && this.#next < this.#total) await this.#sendNext(onProgress);
  }

  async #sendNext(onProgress: (done: number) => void): Promise<void> {
    const index = this.#next;
    const data = await this.#read(index);
    if (data === undefined) return;
    const last = index === this.#total - 1;
    this.#next = index + 1;
    await this.#hand({ kind: "chunk", file: this.id, index, data, last });
    if (this.#fault === undefined) onProgress(this.done);
  }

  /** Returns when the connection took the message, or the sending was stopped. */
  async #hand(message: UploadRequest): Promise<void> {
    if (this.#fault !== undefined) return;
    let isOut = false;
    // No race with the next change: its promise would keep something of each chunk until it comes.
    void this.#send(message)
      .catch(() => this.stop({ code: "connection_lost", reason: "the connection was lost" }))
      .then(() => {
        isOut = true;
        this.#changed();
      });
    while (!isOut && this.#fault === undefined) await this.#change.promise;
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
