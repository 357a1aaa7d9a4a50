// Chunks of one file for the receivers that ask for them. Receivers that are at the same chunk get it by one message,
// and one that is behind is helped to catch up, so that a file for many leaves about once.

import { releaseBytes } from "../../shared/base/bytes.ts";
import { FILE_PART_RECEIVERS_MAX, FILE_PULLS } from "../../shared/base/limits.ts";
import type { AnyClientId, WithAnyIds } from "../base/local_ids.ts";
import type { EventOf, RequestOf } from "../../shared/messages/messages_v2.ts";
import type { DeliveryWindow } from "../transfer_base/delivery_window.ts";
import { ChunkError, type SourceFile } from "../transfer_base/source_file.ts";
import type { TransferFault } from "../transfer_base/transfer_event.ts";

/** A chunk of one of our files in the window of all of them. */
export function chunkKey(
  { file, index }: { readonly file: string; readonly index: number },
): string {
  return `${file}/${index}`;
}

/** What a sender of chunks is made of. */
export interface ChunkSenderOptions {
  readonly file: SourceFile;
  /** The file's id. */
  readonly id: string;
  /** Resolves when the connection can take more, rejects when it is lost. */
  readonly send: (request: WithAnyIds<RequestOf<"part">>) => Promise<void>;
  /** Shared by all files that leave over one connection. */
  readonly window: DeliveryWindow;
  /** The connection took a chunk. */
  readonly onSent: (index: number, to: readonly AnyClientId[]) => void;
  /** The server has a chunk. */
  readonly onTaken: (index: number) => void;
  /** The file cannot be read any longer, or is not what it was. */
  readonly onFault: (fault: TransferFault) => void;
}

/** The chunks of one file that receivers wait for. */
export class ChunkSender {
  readonly #options: ChunkSenderOptions;
  /** By receiver: the next chunk, and the one behind the last. The one that waits longest comes first. */
  readonly #asked = new Map<AnyClientId, { next: number; readonly end: number }>();
  #turns = 0;
  #isSending = false;
  /** What is waited for now. */
  #waiting: PromiseWithResolvers<void> | undefined;
  #isClosed = false;

  constructor(options: ChunkSenderOptions) {
    this.#options = options;
  }

  /** A receiver asks for chunks; with `count` 0 for none any longer. */
  ask(
    { client, index, count }: Pick<WithAnyIds<EventOf<"pull">>, "client" | "index" | "count">,
  ): void {
    const isOneTooMany = this.#asked.size >= FILE_PULLS.receivers && !this.#asked.has(client);
    if (this.#isClosed || isOneTooMany) return;
    const known = this.#asked.get(client);
    const next = known?.end === index ? known.next : index;
    if (count === 0) this.#asked.delete(client);
    else this.#asked.set(client, { next, end: index + count });
    void this.#sendAll();
  }

  /** What was asked for over the lost connection is asked for again over the next one. */
  connectionLost(): void {
    this.#asked.clear();
    this.#options.window.forget();
    this.#waiting?.resolve();
  }

  /** Nothing more is sent. */
  close(): void {
    this.#isClosed = true;
    this.#asked.clear();
    this.#waiting?.resolve();
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { window } = this.#options;
    while (this.#asked.size > 0 && !this.#isClosed) {
      if (!window.hasRoom) {
        await this.#whileConnected(() => window.changed);
        continue;
      }
      const index = this.#nextIndex();
      const data = await this.#read(index);
      const to = this.#takeReceivers(index);
      if (this.#isClosed || to.length === 0) continue;
      await this.#sendPart(to, index, data);
    }
    this.#isSending = false;
  }

  async #sendPart(to: AnyClientId[], index: number, data: Uint8Array): Promise<void> {
    const { id: file, send, window, onSent, onTaken } = this.#options;
    window.sent(chunkKey({ file, index }), () => onTaken(index));
    await this.#whileConnected(() =>
      send({ kind: "part", to, file, index, data }).then(
        () => {
          releaseBytes(data);
          onSent(index, to);
        },
        () => this.#asked.clear(),
      )
    );
  }

  /**
   * Resolves with `work`, or when the connection is lost: a write to it may never end. No race with one promise for the
   * whole connection: that would keep a kilobyte for each chunk until the connection ends.
   */
  async #whileConnected(work: () => Promise<void>): Promise<void> {
    const waiting = this.#waiting = Promise.withResolvers();
    void work().then(waiting.resolve);
    await waiting.promise;
  }

  /** In turns the chunk of the receiver that waits longest, and the chunk of the one that is furthest behind. */
  #nextIndex(): number {
    const waiting = this.#asked.values().map(({ next }) => next).toArray();
    return this.#turns++ % 2 === 0 ? waiting[0] as number : Math.min(...waiting);
  }

  /** The receivers whose next chunk is `index`; each then waits behind the others. */
  #takeReceivers(index: number): AnyClientId[] {
    const all = [...this.#asked].filter(([, { next }]) => next === index);
    const taken = all.slice(0, FILE_PART_RECEIVERS_MAX);
    for (const [client, { next, end }] of taken) {
      this.#asked.delete(client);
      if (next + 1 < end) this.#asked.set(client, { next: next + 1, end });
    }
    return taken.map(([client]) => client);
  }

  /** No bytes where the file is not any longer what it was. */
  async #read(index: number): Promise<Uint8Array> {
    try {
      return await this.#options.file.chunk(index);
    } catch (error) {
      if (!(error instanceof ChunkError)) throw error;
      this.#options.onFault(error.fault);
      return new Uint8Array();
    }
  }
}
