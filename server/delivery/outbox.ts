// The queue of one client. Self-clocked: while a write is in flight, bodies collect; when it returns, all of them leave
// as one write. No timer, no latency when quiet. Talk leaves before parts of files, and parts of files never close a
// connection.

import { type Flushing, flushSoon, noteFilled } from "./flush_turn.ts";
import { type PresenceReader, PresenceTurns } from "./presence_turns.ts";
import { turnTime } from "./turn_time.ts";
import { releaseBuffer } from "../../shared/base/bytes.ts";
import type { OutgoingBody } from "./encoded_event.ts";
import type { BudgetAccount, BudgetPayer, BudgetShare, FairBudget } from "../limits/fair_budget.ts";
import {
  OUTBOX_BULK_MAX_BYTES,
  OUTBOX_BULK_WRITE_BYTES,
  OUTBOX_MAX_BYTES,
  OUTBOX_PROMPT,
  OUTBOX_WRITE_BYTES,
} from "../config/limits.ts";

/** What an outbox of bodies with contents `C` needs from its owner. */
export interface OutboxOwner<C> {
  /** How many bodies one write may have, besides its bound in bytes. */
  readonly mostBodies: number;
  /** One body to the bytes of one write. */
  sealOne(body: OutgoingBody<C>): Uint8Array;
  /** The same of several. */
  seal(bodies: readonly OutgoingBody<C>[]): Uint8Array;
  /** Writes all bytes; rejects when the connection is lost. */
  write(bytes: Uint8Array): Promise<void>;
  /** Called once, when the client does not read fast enough: the outbox is closed and empty. */
  onOverflow(): void;
  /** Called once, when a write failed: the outbox is closed and empty. */
  onBroken(): void;
  /** Called after each write, whose bytes nobody reads any more, with the ms from its first body to its end. */
  onWritten(bytes: Uint8Array, ms: number): void;
}

const allPresence = new PresenceTurns(turnTime);

/** Bodies of one kind, in the order in which they came. An empty one keeps nothing, and one body needs no array. */
class Queue<C> {
  bytes = 0;
  count = 0;
  #bodies: OutgoingBody<C> | OutgoingBody<C>[] | undefined;
  /** How many were taken last: as many may come next, and an array that grows leaves three times its size behind. */
  #usual = 1;

  at(place: number): OutgoingBody<C> {
    return this.count === 1
      ? this.#bodies as OutgoingBody<C>
      : (this.#bodies as OutgoingBody<C>[])[place] as OutgoingBody<C>;
  }

  push(body: OutgoingBody<C>): void {
    if (this.count === 0) this.#bodies = body;
    else {
      if (this.count === 1) this.#list();
      (this.#bodies as OutgoingBody<C>[])[this.count] = body;
    }
    this.count++;
    this.bytes += body.bytes;
  }

  /** Takes out the only body. */
  takeOne(): OutgoingBody<C> {
    const body = this.#bodies as OutgoingBody<C>;
    this.#bodies = undefined;
    this.count = 0;
    this.bytes = 0;
    this.#usual = 1;
    return body;
  }

  /** Takes out the first `count` bodies, which have so many bytes. */
  take(count: number, bytes: number): readonly OutgoingBody<C>[] {
    if (count === 0) return [];
    if (this.count === 1) return [this.takeOne()];
    const bodies = this.#bodies as OutgoingBody<C>[];
    const left = this.count - count;
    if (left === 0) this.#bodies = undefined;
    else this.#bodies = left === 1 ? bodies[count] : bodies.slice(count, this.count);
    this.count = left;
    this.bytes -= bytes;
    this.#usual = count;
    bodies.length = count;
    return bodies;
  }

  #list(): void {
    const list = new Array<OutgoingBody<C>>(Math.max(2, this.#usual));
    list[0] = this.#bodies as OutgoingBody<C>;
    this.#bodies = list;
  }
}

/**
 * The contract:
 * 1. Nothing here waits or throws.
 * 2. Talk leaves in the order of the calls, each body once, or not at all after `close`. So do parts of files among
 *    themselves; talk overtakes them.
 * 3. A body is kept by reference until it is sealed. Its buffer, where it has one, is given back when the last outbox
 *    has sealed it: it must be in all that get it before the turn ends.
 * 4. Beyond OUTBOX_MAX_BYTES of talk the client is given up. Beyond OUTBOX_BULK_MAX_BYTES of parts of files these are
 *    refused, and nothing else happens.
 * 5. Where all outboxes together hold too much, the heaviest pay (fair_budget.ts): with their parts of files first, then
 *    with their connection.
 * 6. A body that may wait leaves with the next that may not, and at the latest when its turn comes (presence_turns.ts).
 */
export class Outbox<C> implements Flushing, BudgetPayer, PresenceReader {
  readonly #owner: OutboxOwner<C>;
  readonly #presence: PresenceTurns;
  readonly #budget: FairBudget;
  readonly #share: BudgetShare;
  readonly #talk = new Queue<C>();
  /** Made with the first part of a file: most clients never get one. */
  #bulk: Queue<C> | undefined;
  #bulkDrops = 0;
  /** When the first body that waits came; monotonic ms. */
  #since = 0;
  /** The same of the write that is due or in flight. */
  #sealedSince = 0;
  #sealed: Uint8Array | undefined;
  /** Bytes of the write that is due or in flight. */
  #inFlight = 0;
  #isFlushing = false;
  /** Presence has a turn for it. */
  #isAwaited = false;
  #idle: PromiseWithResolvers<void> | undefined;
  #isClosed = false;

  constructor(
    owner: OutboxOwner<C>,
    { budget, source }: BudgetAccount,
    presence: PresenceTurns = allPresence,
  ) {
    this.#owner = owner;
    this.#presence = presence;
    this.#budget = budget;
    this.#share = budget.open(source, this);
  }

  /** How often parts of files that waited here were dropped. */
  get bulkDrops(): number {
    return this.#bulkDrops;
  }

  /** Bytes that wait for the client, those of the write in flight included. */
  get waiting(): number {
    return this.#talk.bytes + (this.#bulk?.bytes ?? 0) + this.#inFlight;
  }

  get isHeavy(): boolean {
    const { count } = this.#talk;
    const bytes = this.#talk.bytes + (this.#bulk?.bytes ?? 0);
    if (bytes <= OUTBOX_PROMPT.bytes && count <= OUTBOX_PROMPT.bodies) return false;
    return bytes > OUTBOX_PROMPT.bytes + OUTBOX_PROMPT.presenceBytes || this.#isMuchSaid;
  }

  /** Whether it is more than a few lines without who came and who went. */
  get #isMuchSaid(): boolean {
    let bytes = this.#bulk?.bytes ?? 0;
    let bodies = 0;
    for (let place = 0; place < this.#talk.count; place++) {
      const body = this.#talk.at(place);
      if (body.mayWait === true) continue;
      bytes += body.bytes;
      bodies++;
    }
    return bytes > OUTBOX_PROMPT.bytes || bodies > OUTBOX_PROMPT.bodies;
  }

  /** Queues one body of talk. */
  send(body: OutgoingBody<C>): void {
    if (this.#isClosed) return;
    if (this.#talk.bytes + body.bytes > OUTBOX_MAX_BYTES) return this.#overflow();
    this.#add(this.#talk, body);
  }

  /** Queues a part of a file. False where there is no room for it. */
  sendBulk(body: OutgoingBody<C>): boolean {
    const bulk = this.#bulk ??= new Queue();
    if (this.#isClosed || bulk.bytes + body.bytes > OUTBOX_BULK_MAX_BYTES) return false;
    const drops = this.#bulkDrops;
    this.#add(bulk, body);
    return drops === this.#bulkDrops;
  }

  /** Resolves when nothing waits, or the outbox is closed. */
  async drained(): Promise<void> {
    this.#begin();
    if (!this.#isFlushing || this.#isClosed) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Drops what waits and takes nothing more; idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#drop(this.#talk);
    if (this.#bulk !== undefined) this.#drop(this.#bulk);
    this.#endFlight();
    this.#budget.close(this.#share);
    this.#idle?.resolve();
  }

  /** Called by the budget. */
  pay(): void {
    if (this.#bulk === undefined || this.#bulk.bytes === 0) return this.#overflow();
    this.#drop(this.#bulk);
    this.#bulkDrops++;
  }

  /** Called when the turn of what may wait has come. */
  tellPresence(): void {
    this.#isAwaited = false;
    this.#begin();
  }

  /** Called at the end of a turn. */
  seal(): number {
    if (this.#isClosed) return 0;
    this.#sealedSince = this.#since;
    try {
      this.#sealed = this.#sealNext();
    } catch {
      this.#break();
      return 0;
    }
    const { length } = this.#sealed;
    this.#inFlight = length;
    this.#budget.take(this.#share, length);
    return length;
  }

  /** Called when the others of that turn have sealed as well. */
  write(): void {
    const bytes = this.#sealed;
    this.#sealed = undefined;
    if (bytes === undefined || this.#isClosed) return;
    const since = this.#sealedSince;
    try {
      this.#owner.write(bytes).then(() => {
        this.#owner.onWritten(bytes, turnTime() - since);
        this.#endFlight();
        this.#goOn();
      }, () => this.#break());
    } catch {
      // Thrown on, it would keep all that write after it from their turn.
      this.#break();
    }
  }

  #add(queue: Queue<C>, body: OutgoingBody<C>): void {
    if (!this.#hasBodies) this.#since = turnTime();
    queue.push(body);
    if (queue.count > OUTBOX_PROMPT.bodies || queue.bytes > OUTBOX_PROMPT.bytes) noteFilled();
    this.#budget.take(this.#share, body.bytes, body.waiting++ === 0 ? body.bytes : 0);
    if (this.#isFlushing) return;
    if (body.mayWait !== true) this.#begin();
    else if (!this.#isAwaited) {
      if (this.#presence.mayTellNow()) return this.#begin();
      this.#isAwaited = true;
      this.#presence.tellLater(this);
    }
  }

  get #hasBodies(): boolean {
    return this.#talk.bytes > 0 || (this.#bulk?.bytes ?? 0) > 0;
  }

  #begin(): void {
    if (this.#isFlushing || this.#isClosed || !this.#hasBodies) return;
    // What was left waiting on purpose is no delay.
    this.#since = turnTime();
    this.#isFlushing = true;
    flushSoon(this);
  }

  #overflow(): void {
    this.close();
    this.#owner.onOverflow();
  }

  #break(): void {
    if (this.#isClosed) return;
    this.close();
    this.#owner.onBroken();
  }

  #goOn(): void {
    if (this.#isClosed) return;
    if (this.#hasBodies) return flushSoon(this);
    this.#isFlushing = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #endFlight(): void {
    this.#budget.give(this.#share, this.#inFlight);
    this.#inFlight = 0;
  }

  #drop(queue: Queue<C>): void {
    for (let place = 0; place < queue.count; place++) this.#release(queue.at(place));
    queue.take(queue.count, queue.bytes);
  }

  #release(body: OutgoingBody<C>): void {
    this.#budget.give(this.#share, body.bytes, --body.waiting === 0 ? body.bytes : 0);
  }

  #sealNext(): Uint8Array {
    if (this.#talk.count === 1 && (this.#bulk?.count ?? 0) === 0) return this.#sealOne();
    const bodies = this.#takeBodies();
    const sealed = this.#owner.seal(bodies);
    for (let place = bodies.length - 1; place >= 0; place--) {
      // Parts of files, which alone have something to give back, stand behind all talk.
      if (!giveBack(bodies[place] as OutgoingBody<C>)) break;
    }
    return sealed;
  }

  // Most lines of talk come one by one: their many members need no arrays for them.
  #sealOne(): Uint8Array {
    const body = this.#talk.takeOne();
    this.#release(body);
    const sealed = this.#owner.sealOne(body);
    giveBack(body);
    return sealed;
  }

  #takeBodies(): readonly OutgoingBody<C>[] {
    const talk = this.#takeFrom(this.#talk, OUTBOX_WRITE_BYTES);
    if (this.#bulk === undefined || this.#bulk.bytes === 0 || this.#talk.bytes > 0) return talk;
    return [...talk, ...this.#takeFrom(this.#bulk, OUTBOX_BULK_WRITE_BYTES)];
  }

  /** Bodies of about `most` bytes, at least one where there is one. */
  #takeFrom(queue: Queue<C>, most: number): readonly OutgoingBody<C>[] {
    const { mostBodies } = this.#owner;
    let bytes = 0;
    let count = 0;
    while (count < queue.count && bytes < most && count < mostBodies) {
      const body = queue.at(count++);
      bytes += body.bytes;
      this.#release(body);
    }
    return queue.take(count, bytes);
  }
}

/** Gives back what only this body needed, once all have sealed it. False where there is no such thing. */
function giveBack({ buffer, waiting }: OutgoingBody<unknown>): boolean {
  if (buffer === undefined) return false;
  if (waiting === 0) releaseBuffer(buffer);
  return true;
}
