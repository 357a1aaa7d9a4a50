// One log that several servers write, so that all have the same state:
// 1. An entry names the entry that it follows. It is valid only if that is the last valid entry; of two that follow
//    the same entry, the first is valid. All servers read the same order, so all decide alike.
// 2. The backplane's compare-and-set keeps most invalid entries out of the log, but not all: in a cluster of
//    nats-server 2.9, two appends with one expected sequence were both accepted, 12 times in 113.
// 3. Nobody writes after an invalid entry, so an entry that another one follows is valid. A server that joins late, or
//    missed entries, uses this to find an entry with the whole state to start from.

import {
  type Backplane,
  ClusterLost,
  type EntryRefusal,
  EntryRefused,
  type Following,
  type Subject,
} from "./backplane.ts";
import { LogSize } from "./log_size.ts";
import {
  decodeEntry,
  encodeEntry,
  type Entry,
  newEntryId,
  type Placed,
  startOf,
} from "./log_entry.ts";

// Entries in between arrive within this time, or the log was lost.
const OVERTAKEN_MS = 1_000;
const RETRY_MS = 250;
// A room that others have and whose log is gone is put back within this, or it is made again.
const RETURN_MS = 5_000;
// A log keeps some hundred entries; a server that joins late needs one of them with the whole state.
const WHOLE_EVERY = 64;
// Entries that do not count take the place of those that do: so often it is looked whether they have.
const LOOK_MS = 1_000;

/** The state behind a log: proposals `P` become entries, and entries change the state. */
export interface LogMachine<P> {
  /**
   * Writes proposals from the front of the queue, based on the current state. Returns how many of them are settled or in
   * the entry, and the entry if one is needed. `whole`: the entry must also hold the whole state before it; without
   * proposals, it holds that alone.
   */
  write(
    proposals: readonly P[],
    whole: boolean,
  ): { readonly taken: number; readonly body: Uint8Array | undefined };
  /** An entry is in the log; `own` are the proposals behind it if this server wrote it. */
  apply(entry: { readonly body: Uint8Array; readonly whole: boolean }, own: readonly P[]): void;
  /**
   * The backplane refuses the entry of `own`. Tells those who proposed what is given up, and returns the proposals to
   * try again.
   */
  refuse(own: readonly P[], refusal: EntryRefusal): readonly P[];
  /** Whether the state is as before the first entry, so that the log is of no use. */
  readonly empty: boolean;
  /** Entries were trimmed before this server read them; the next one that is applied holds the whole state. */
  skipped(): void;
  /** The backplane lost the log, which restarts with the state of the server that writes first. */
  lost(): void;
}

/** What a shared log needs. */
export interface SharedLogOptions<P> {
  readonly backplane: Backplane;
  readonly subject: Subject;
  readonly machine: LogMachine<P>;
  readonly seal: (body: Uint8Array) => Uint8Array;
  /** Undefined for bytes that were not sealed by this cluster. */
  readonly open: (sealed: Uint8Array) => Uint8Array | undefined;
  /** Whether others have what is not in the log: they are about to put it back. */
  readonly isElsewhere?: () => Promise<boolean>;
  readonly wait: (ms: number) => Promise<void>;
  /** Told of internal errors. */
  readonly onFault: (error: unknown) => void;
}

interface Flight<P> {
  readonly id: Uint8Array;
  readonly own: readonly P[];
  landed: boolean;
  refusal: EntryRefusal | undefined;
}

/**
 * The contract of `propose`:
 * 1. It never waits and never throws.
 * 2. Proposals are written in the order of the calls, those with `isFirst` before all others; many share an entry while
 *    another one is on its way.
 * 3. Each is applied once, or not at all after `close`, whatever happens to the connection; only if the backplane lost
 *    the whole log may one be applied again: machines recognize repeats.
 * 4. What the backplane refuses goes back to the machine, and blocks nothing behind it.
 */
export class SharedLog<P> {
  readonly #options: SharedLogOptions<P>;
  readonly #follower: Following;
  #urgent: P[] = [];
  #queue: P[] = [];
  /** Position of the last entry that was read. */
  #read = 0;
  /** Position of the last valid entry. */
  #tail = 0;
  /** Entries that cannot be judged yet; undefined = all are judged. */
  #unjudged: Placed[] | undefined;
  /** Entries that wait until it is known whether the log is another by now; undefined = none do. */
  #doubted: Placed[] | undefined;
  #sinceWhole = 0;
  readonly #size = new LogSize();
  /** The log is too large, and can be trimmed only behind another whole state. */
  #wantsWhole = false;
  #flight: Flight<P> | undefined;
  #running: Promise<void> | undefined;
  #moved = Promise.withResolvers<void>();
  #known = false;
  #looksSoon = false;
  #epoch = 0;
  #finishing = false;
  #closed = false;

  constructor(options: SharedLogOptions<P>) {
    this.#options = options;
    this.#follower = options.backplane.follow(options.subject, {
      entry: (position, sealed) => this.#take(position, sealed),
      reset: () => this.#reset(),
    });
  }

  /** Queues a proposal; see the contract above. */
  propose(proposal: P, { isFirst = false }: { readonly isFirst?: boolean } = {}): void {
    if (this.#closed || this.#finishing) return;
    (isFirst ? this.#urgent : this.#queue).push(proposal);
    this.#start();
  }

  /** Takes back a proposal; false where it is on its way, or settled. */
  withdraw(proposal: P): boolean {
    return [this.#urgent, this.#queue].some((queue) => {
      const at = queue.lastIndexOf(proposal);
      return at !== -1 && queue.splice(at, 1).length > 0;
    });
  }

  /** Trims the log where it is larger than the backplane allows now. */
  fit(): void {
    const { logBytes } = this.#options.backplane.limits;
    if (!this.#known || this.#closed || this.#size.bytes <= logBytes) return;
    const upTo = this.#size.trimTo(logBytes);
    if (upTo !== undefined) return void this.#trim(upTo);
    this.#wantsWhole ||= this.#sinceWhole > 0;
    if (this.#wantsWhole && !this.#finishing) this.#start();
  }

  /** Looks whether what this server knows is still in the log, and puts it back if not; false if it knows nothing. */
  look(): boolean {
    if (!this.#known || this.#read === 0 || this.#options.machine.empty) return false;
    const epoch = this.#epoch;
    void this.#asked("first").then((first) => {
      if (first === undefined || epoch !== this.#epoch || this.#closed) return;
      if (first === 0) this.#follower.restart();
      else if (first > this.#size.wholeAt) this.#putBack();
    }).catch(this.#options.onFault);
    return true;
  }

  /** Resolves when all entries that the log had at the call are applied. */
  async caughtUp(): Promise<void> {
    let waits = RETURN_MS / RETRY_MS;
    while (!this.#closed) {
      const last = await this.#asked("last");
      if (last !== undefined && await this.#reaches(last)) {
        this.#judge();
        const isMissing = this.#tail === 0 && (!this.#known || this.#unjudged !== undefined);
        const isElsewhere = isMissing && waits-- > 0 && await this.#options.isElsewhere?.();
        // Nobody has the state that these entries follow.
        if (isMissing && !isElsewhere) this.#unjudged = undefined;
        if (this.#unjudged === undefined && !isElsewhere) break;
      }
      await this.#options.wait(RETRY_MS);
    }
    this.#known = true;
  }

  /** Accepts no more proposals, and stops following once the queued ones are written. */
  async finish(): Promise<void> {
    this.#finishing = true;
    while (this.#running !== undefined) await this.#running;
    if (this.#options.machine.empty && !this.#closed) await this.#trim(this.#tail);
    this.close();
  }

  /** Stops following and drops the queue. */
  close(): void {
    this.#closed = true;
    [this.#urgent, this.#queue] = [[], []];
    this.#follower.close();
    this.#move();
  }

  #start(): void {
    this.#running ??= this.#run().then(() => true, (error) => {
      this.#options.onFault(error);
      return false;
    }).then((isWell) => {
      this.#running = undefined;
      // What was proposed after the last look at the queue, and before this line, would wait for the next proposal.
      if (isWell && this.#hasWork && !this.#closed) this.#start();
    });
  }

  get #hasWork(): boolean {
    return this.#urgent.length + this.#queue.length > 0 || this.#wantsWhole;
  }

  async #run(): Promise<void> {
    // One microtask later: all requests of one read of a client share one entry.
    await undefined;
    while (this.#hasWork && !this.#closed) {
      if (!this.#known || this.#unjudged !== undefined) await this.caughtUp();
      if (!this.#closed) await this.#writeSome();
    }
  }

  async #writeSome(): Promise<void> {
    const after = this.#tail;
    const { machine } = this.#options;
    // After an empty state the log may be trimmed at any time.
    const whole = after === 0 || this.#sinceWhole >= WHOLE_EVERY || machine.empty ||
      this.#wantsWhole;
    const queue = this.#urgent.length > 0 ? this.#urgent : this.#queue;
    const { taken, body } = machine.write(queue, whole);
    const own = queue.splice(0, taken);
    if (body === undefined) return;
    this.#wantsWhole = false;
    const entry = { id: newEntryId(), after, whole, body };
    this.#flight = { id: entry.id, own, landed: false, refusal: undefined };
    const { landed, refusal } = await this.#append(entry, this.#flight);
    this.#flight = undefined;
    if (landed) return;
    if (refusal === undefined) this.#wantsWhole ||= whole;
    queue.unshift(...refusal === undefined ? own : machine.refuse(own, refusal));
    if (refusal !== undefined) await this.#options.wait(RETRY_MS);
  }

  async #append(entry: Entry, flight: Flight<P>): Promise<Flight<P>> {
    const { backplane, subject, seal, wait } = this.#options;
    const sealed = seal(encodeEntry(entry));
    const epoch = this.#epoch;
    while (!flight.landed && this.#tail === entry.after && epoch === this.#epoch && !this.#closed) {
      try {
        const position = await backplane.append(subject, sealed, this.#read);
        if (position === undefined) await this.#overtaken();
        else await this.#reaches(position);
      } catch (error) {
        if (error instanceof EntryRefused) {
          flight.refusal = error.refusal;
          break;
        }
        if (!(error instanceof ClusterLost)) throw error;
        // It may have succeeded; the log tells. The same entry may be sent again: only one copy is valid.
        await wait(RETRY_MS);
        await this.caughtUp();
      }
    }
    return flight;
  }

  #take(position: number, sealed: Uint8Array): void {
    if (position <= this.#read || this.#closed) return;
    this.#read = position;
    this.#size.add({ position: position, bytes: sealed.length, whole: false });
    const opened = this.#options.open(sealed);
    // An entry of somebody without the cluster's key, or of another version, does not count.
    const entry = opened === undefined ? undefined : decodeEntry(opened);
    if (entry === undefined) void this.#lookSoon();
    else this.#consider({ ...entry, position });
    this.#move();
  }

  async #lookSoon(): Promise<void> {
    if (this.#looksSoon) return;
    this.#looksSoon = true;
    await this.#options.wait(LOOK_MS);
    this.#looksSoon = false;
    this.look();
  }

  #putBack(): void {
    if (this.#finishing || this.#closed || this.#options.machine.empty) return;
    this.#wantsWhole = true;
    this.#start();
  }

  #consider(entry: Placed): void {
    if (this.#doubted !== undefined) return void this.#doubted.push(entry);
    if (this.#unjudged === undefined && entry.after > this.#tail) this.#unjudged = [];
    if (this.#unjudged !== undefined) {
      this.#unjudged.push(entry);
      if (this.#known) this.#judge();
    } else if (entry.after === this.#tail) this.#land(entry);
    else if (entry.after > 0 || !this.#known) void this.#lookSoon();
    else void this.#doubt(entry.position).catch(this.#options.onFault);
  }

  // Somebody found the log empty and wrote at `position`: is what this server knows still in it? What comes meanwhile
  // waits: taken for part of the old log, it would be lost with that.
  async #doubt(position: number): Promise<void> {
    const doubted: Placed[] = this.#doubted = [];
    let first = await this.#asked("first");
    while (first === undefined && this.#doubted === doubted && !this.#closed) {
      await this.#options.wait(RETRY_MS);
      first = await this.#asked("first");
    }
    if (this.#doubted !== doubted || this.#closed) return;
    this.#doubted = undefined;
    if (first === position) this.#follower.restart();
    else for (const entry of doubted) this.#consider(entry);
    this.#move();
  }

  /** Finds a valid entry with the whole state among those that were read, and continues from there. */
  #judge(): void {
    const entries = this.#unjudged;
    if (entries === undefined) return;
    const start = startOf(entries);
    if (start === undefined) return;
    this.#unjudged = undefined;
    if (this.#tail > 0) this.#options.machine.skipped();
    this.#land(start);
    for (const entry of entries) if (entry.position > start.position) this.#consider(entry);
  }

  #land(entry: Placed): void {
    this.#tail = entry.position;
    this.#sinceWhole = entry.whole ? 0 : this.#sinceWhole + 1;
    if (entry.whole) this.#size.markWhole(entry.position);
    const flight = this.#flight;
    const mine = flight !== undefined && entry.id.every((byte, i) => byte === flight.id[i]);
    if (mine) flight.landed = true;
    this.#options.machine.apply(entry, mine ? flight.own : []);
  }

  #reset(): void {
    this.#epoch++;
    if (this.#tail > 0) this.#options.machine.lost();
    this.#read = 0;
    this.#tail = 0;
    this.#sinceWhole = 0;
    this.#unjudged = undefined;
    this.#doubted = undefined;
    this.#size.clear();
    // Nobody must find a room empty that is not.
    if (this.#known) this.#putBack();
    this.#move();
  }

  // Entries in between arrive by themselves; if they do not, the log was lost.
  async #overtaken(): Promise<void> {
    if (await this.#reaches(this.#read + 1)) return;
    if (await this.#asked("last") === 0 && this.#read > 0) this.#reset();
  }

  async #reaches(position: number): Promise<boolean> {
    let late = false;
    const epoch = this.#epoch;
    const timer = this.#options.wait(OVERTAKEN_MS).then(() => {
      late = true;
    });
    const isBehind = () => this.#read < position || this.#doubted !== undefined;
    while (isBehind() && epoch === this.#epoch && !late && !this.#closed) {
      await Promise.race([this.#moved.promise, timer]);
    }
    return !isBehind() && epoch === this.#epoch;
  }

  async #trim(upTo: number): Promise<void> {
    try {
      await this.#options.backplane.trim(this.#options.subject, upTo);
    } catch (error) {
      if (!(error instanceof ClusterLost)) throw error;
    }
  }

  /** What the backplane says of the log; undefined where it cannot be reached. */
  async #asked(what: "first" | "last"): Promise<number | undefined> {
    const { backplane, subject } = this.#options;
    try {
      return await backplane[what](subject);
    } catch (error) {
      if (error instanceof ClusterLost) return undefined;
      throw error;
    }
  }

  #move(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}
