// What waits to be written to one client. Self-clocked: while a write is in flight, bodies collect;
// when it returns, all that waits leaves as one write. No timer, no latency when quiet.

import { type Flushing, flushSoon } from "./flush_turn.ts";
import { OUTBOX_MAX_BYTES, OUTBOX_TOTAL_MAX_BYTES, OUTBOX_WRITE_BYTES } from "../config/limits.ts";

/** Bytes waiting in all outboxes of one server. */
export interface OutboxBudget {
  queuedBytes: number;
}

/** What an outbox of bodies `B` needs from whoever has it. */
export interface OutboxOwner<B> {
  /** Bytes that a body takes while it waits. */
  sizeOf(body: B): number;
  /** Bodies to the bytes of one write. */
  seal(bodies: readonly B[]): Uint8Array;
  /** Writes all bytes; rejects when the link is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Called once, when the client does not read fast enough: the outbox is closed and empty. */
  onOverflow(): void;
  /** Called once, when a write failed: the outbox is closed and empty. */
  onBroken(): void;
  /** Called after each write: its bytes, and the ms from the first body that waited for it to its end. */
  onWritten(bytes: number, ms: number): void;
}

/**
 * The contract of `send`:
 * 1. It never waits and never throws.
 * 2. Bodies leave in the order of the calls, each once, or not at all after `close`.
 * 3. A body is kept by reference until it is sealed: callers never change it afterwards.
 * 4. Beyond OUTBOX_MAX_BYTES for this client, or OUTBOX_TOTAL_MAX_BYTES for all, nothing is queued
 *    and the client is given up.
 */
export class Outbox<B> implements Flushing {
  readonly #owner: OutboxOwner<B>;
  readonly #budget: OutboxBudget;
  #queue: B[] = [];
  #queuedBytes = 0;
  /** When the first body that waits came; monotonic ms. */
  #since = 0;
  /** The same of what is sealed. */
  #sealedSince = 0;
  /** The bytes of the write that is due or in flight. */
  #sealed: Uint8Array | undefined;
  #flushing = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #closed = false;

  constructor(owner: OutboxOwner<B>, budget: OutboxBudget) {
    this.#owner = owner;
    this.#budget = budget;
  }

  /** Queues one body; see the contract above. */
  send(body: B): void {
    if (this.#closed) return;
    const budget = this.#budget;
    const size = this.#owner.sizeOf(body);
    if (
      this.#queuedBytes + size > OUTBOX_MAX_BYTES ||
      budget.queuedBytes + size > OUTBOX_TOTAL_MAX_BYTES
    ) {
      this.close();
      this.#owner.onOverflow();
      return;
    }
    if (this.#queue.length === 0) this.#since = performance.now();
    this.#queue.push(body);
    this.#queuedBytes += size;
    budget.queuedBytes += size;
    if (this.#flushing) return;
    this.#flushing = true;
    flushSoon(this);
  }

  /** Resolves when nothing waits any more, or the outbox is closed. */
  async drained(): Promise<void> {
    if (!this.#flushing || this.#closed) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Drops what waits and takes nothing more; idempotent. */
  close(): void {
    this.#closed = true;
    this.#budget.queuedBytes -= this.#queuedBytes;
    this.#queuedBytes = 0;
    this.#queue = [];
    this.#idle?.resolve();
  }

  /** Called at the end of a turn. */
  seal(): number {
    if (this.#closed) return 0;
    this.#sealedSince = this.#since;
    try {
      this.#sealed = this.#owner.seal(this.#take());
      return this.#sealed.length;
    } catch {
      this.#break();
      return 0;
    }
  }

  /** Called when the others of that turn have sealed as well. */
  write(): void {
    const bytes = this.#sealed;
    this.#sealed = undefined;
    if (bytes === undefined || this.#closed) return;
    const since = this.#sealedSince;
    this.#owner.write(bytes).then(() => {
      this.#owner.onWritten(bytes.length, performance.now() - since);
      this.#goOn();
    }, () => this.#break());
  }

  #goOn(): void {
    if (this.#queue.length > 0) return flushSoon(this);
    this.#flushing = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #break(): void {
    if (this.#closed) return;
    this.close();
    this.#owner.onBroken();
  }

  #take(): B[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && (count === 0 || bytes < OUTBOX_WRITE_BYTES)) {
      bytes += this.#owner.sizeOf(this.#queue[count++] as B);
    }
    const taken = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count);
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    this.#queuedBytes -= bytes;
    this.#budget.queuedBytes -= bytes;
    return taken;
  }
}
