// What receivers that missed chunks of one file of ours are sent again: each to the one who asked, in turns, and never
// faster than the link takes it.

import { FILE_PULLS } from "../../shared/base/limits.ts";
import type { EventOf, RequestOf } from "../../shared/messages/messages_v2.ts";
import { ChunkError, type SourceFile } from "./source_file.ts";

/** What parts are made of. */
export interface ChunkResenderOptions {
  readonly file: SourceFile;
  /** The file's id. */
  readonly id: string;
  /** Resolves when the link can take more, rejects when it is lost. */
  readonly send: (request: RequestOf<"part">) => Promise<void>;
}

/** The parts of one file that somebody waits for. */
export class ChunkResender {
  readonly #options: ChunkResenderOptions;
  /** By receiver: the next chunk, and the one behind the last. What is asked for last counts. */
  readonly #asked = new Map<number, { next: number; readonly end: number }>();
  #serving = false;
  /** Resolves when the link is lost: a write to it may never end. */
  #lost = Promise.withResolvers<void>();
  #closed = false;

  constructor(options: ChunkResenderOptions) {
    this.#options = options;
  }

  /** Whether parts are on their way. */
  get isBusy(): boolean {
    return this.#serving;
  }

  /** A receiver asks for chunks. */
  ask({ client, index, count }: Pick<EventOf<"pull">, "client" | "index" | "count">): void {
    const isOneTooMany = this.#asked.size >= FILE_PULLS.receivers && !this.#asked.has(client);
    if (this.#closed || isOneTooMany) return;
    this.#asked.set(client, { next: index, end: index + count });
    void this.#serve();
  }

  /** What was asked for over that link is asked for again over the next one. */
  linkLost(): void {
    this.#asked.clear();
    this.#lost.resolve();
    this.#lost = Promise.withResolvers();
  }

  /** Nothing more is sent. */
  close(): void {
    this.#closed = true;
    this.linkLost();
  }

  async #serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    for (let turn = this.#takeTurn(); turn !== undefined; turn = this.#takeTurn()) {
      const [to, index] = turn;
      const { id: file, send } = this.#options;
      const data = await this.#read(to, index);
      if (this.#closed) break;
      const sent = send({ kind: "part", to, file, index, data }).catch(() => this.#asked.clear());
      await Promise.race([sent, this.#lost.promise]);
    }
    this.#serving = false;
  }

  /** The receiver that waits longest, and the chunk that it wants next. */
  #takeTurn(): [receiver: number, index: number] | undefined {
    const [first] = this.#asked;
    if (first === undefined) return undefined;
    const [receiver, wanted] = first;
    const index = wanted.next++;
    this.#asked.delete(receiver);
    if (wanted.next < wanted.end) this.#asked.set(receiver, wanted);
    return [receiver, index];
  }

  /** No bytes where the file is not any more what it was. */
  async #read(to: number, index: number): Promise<Uint8Array> {
    try {
      return await this.#options.file.chunk(index);
    } catch (error) {
      if (!(error instanceof ChunkError)) throw error;
      this.#asked.delete(to);
      return new Uint8Array();
    }
  }
}
