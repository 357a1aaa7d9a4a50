// What we say of files that others offer us. It is said again over the next connection, since nobody knows what was lost
// with one; and what the program says by itself is said so seldom that no sender can make us break the server's limits.

import {
  type AnyClientId,
  type AnyRoomId,
  isSealedId,
  type WithAnyIds,
} from "../base/local_ids.ts";
import type { FileReceipt, RequestOf } from "../../shared/messages/messages_v2.ts";

/** Files whose receipts are known; the oldest is forgotten. */
const KEPT = 64;
/** What is said without the user: so often at once, and then so often a second. */
const PLAIN = { burst: 32, perSecond: 4 };
/** In sealed rooms answers go where talk goes, and the server lets as much through of both together. */
const SEALED = { burst: 4, perSecond: 0.2 };

type Receipt = WithAnyIds<RequestOf<"receipt">>;

/** A file that somebody offered. */
export interface OfferedFile {
  readonly room: AnyRoomId;
  readonly client: AnyClientId;
  readonly file: string;
  /** Null: its sender speaks v1, and takes no answers. */
  readonly hash: Uint8Array | null;
}

/** What answers are sent with. */
export interface OwnReceiptsOptions {
  /** Rejects where the connection is lost. */
  readonly send: (receipt: Receipt) => Promise<void>;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
}

/** Our answers to offers. */
export class OwnReceipts {
  readonly #options: OwnReceiptsOptions;
  readonly #said = new Map<string, Receipt>();
  readonly #plain: Allowance;
  readonly #sealed: Allowance;

  constructor(options: OwnReceiptsOptions) {
    this.#options = options;
    this.#plain = new Allowance(PLAIN, options.now());
    this.#sealed = new Allowance(SEALED, options.now());
  }

  /** Says what became of a file. */
  say({ room, client: to, file, hash }: OfferedFile, state: FileReceipt): void {
    if (hash === null) return;
    const key = `${to}/${file}`;
    const receipt: Receipt = { kind: "receipt", room, to, file, state };
    if (isSealedId(room)) {
      // Whoever asks for chunks has accepted; and nothing that is said there is lost with a connection.
      if (state !== "accepted") this.#send(receipt);
      return;
    }
    this.#said.delete(key);
    this.#said.set(key, receipt);
    if (this.#said.size > KEPT) this.#said.delete(this.#said.keys().next().value as string);
    this.#send(receipt);
  }

  /** Refuses a file without having asked the user. */
  refuse(offer: OfferedFile): void {
    const allowance = isSealedId(offer.room) ? this.#sealed : this.#plain;
    if (allowance.take(this.#options.now())) this.say(offer, "refused");
  }

  /** There is a connection again; to another session nothing of what was said belongs. */
  connectionBack(isResumed: boolean): void {
    if (!isResumed) return this.#said.clear();
    for (const receipt of this.#said.values()) this.#send(receipt);
  }

  #send(receipt: Receipt): void {
    // Where the connection is lost, it is said over the next one.
    this.#options.send(receipt).catch(() => undefined);
  }
}

/** So much at once, and it fills up again with time. */
class Allowance {
  readonly #rate: typeof PLAIN;
  #left: number;
  #at: number;

  constructor(rate: typeof PLAIN, now: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#at = now;
  }

  take(now: number): boolean {
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + (now - this.#at) * perSecond / 1_000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
