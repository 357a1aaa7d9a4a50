// Handshakes cost more than anything else that a stranger can ask for, so members go first: few handshakes are computed
// at a time, members' messages are handled between any two, and sources take turns however many connections each has.

import { BUSY_PAUSE_MAX_MS } from "../../shared/base/limits.ts";
import { HANDSHAKE_PATIENCE_MS } from "../config/limits.ts";
import { siteOf } from "./ip_network.ts";
import { threadTurns } from "./thread_turns.ts";

/** How a queue runs its handshakes. */
export interface HandshakeQueueOptions {
  /** Pauses after each handshake for as long as it took, so that members get half of the thread that serves them. */
  readonly rests?: boolean;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** Connections of one source that wait. */
interface Source {
  readonly waiting: (() => void)[];
  /** Until when clients that were sent away are to come back; monotonic ms. */
  promised: number;
}

// Until it is measured, that of a slow machine: whoever is let in and cannot be answered in time has waited in vain.
const FIRST_PACE_MS = 4;
// Several run at once and end in clumps, and on a busy machine so do the turns of the process: over less, the pace of one
// lucky moment would let in more than can be answered in time.
const PACE_WINDOW = { handshakes: 16, ms: 250 } as const;
// Each window counts for a half: a server that starts is slow for a second, and it is then that all come.
const NEW_SHARE = 1 / 2;
// A pace that is slow for other reasons than a crowd is not told: who comes too early is told once more, for a fifth of a
// handshake, and a time at which nobody comes is lost.
const SLOWEST_TOLD_MS = 8;
// The first handshakes of a process take several times as long as those of a second later, when all whom it sends away
// come back. That holds for those whom it sends away first: telling the others so again would leave no time for handshakes.
const START = { handshakes: 500, slower: 4, ms: 4_000 } as const;

/** Runs handshakes, as many at a time as `atOnce` says. */
export class HandshakeQueue {
  readonly #atOnce: () => number;
  readonly #rests: boolean;
  /** Waiting handshakes by source; the source whose turn is next comes first. */
  readonly #sources = new Map<string, Source>();
  readonly #now: () => number;
  #waiting = 0;
  #running = 0;
  /** How many have ended since the process started. */
  #ended = 0;
  /** When the first client was sent away. */
  #awaySince: number | undefined;
  /** The ms from the end of one to the end of the next while others wait. */
  #paceMs = FIRST_PACE_MS;
  /** What that is measured over: since when others have waited, and how many have ended since. */
  #window: { readonly since: number; ended: number } | undefined;

  constructor(
    atOnce: () => number,
    { rests = false, now = () => performance.now() }: HandshakeQueueOptions = {},
  ) {
    this.#atOnce = atOnce;
    this.#rests = rests;
    this.#now = now;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Undefined where the turn of one more connection from `address` comes in time; otherwise the ms after which its
   * client is to come back. Clients of a source are sent away to one time after another, as fast as they can be taken.
   */
  pauseFor(address: string): number | undefined {
    const source = this.#sources.get(siteOf(address));
    // Sources take turns: so many rounds as it has connections here itself.
    const rounds = 1 + (source?.waiting.length ?? 0);
    const turns = Math.max(1, this.#sources.size);
    const before = Math.min(this.#waiting, rounds * turns);
    if (before * this.#paceMs <= HANDSHAKE_PATIENCE_MS) return undefined;
    const now = this.#now();
    const step = Math.min(this.#expectedPace(now), SLOWEST_TOLD_MS);
    const from = Math.max(now + before * step, source?.promised ?? 0);
    const latest = now + BUSY_PAUSE_MAX_MS;
    if (source !== undefined) source.promised = Math.min(from + turns * step, latest);
    return Math.round(Math.min(from, latest) - now);
  }

  #expectedPace(now: number): number {
    this.#awaySince ??= now;
    const isStarting = this.#ended < START.handshakes && now - this.#awaySince < START.ms;
    return isStarting ? this.#paceMs / START.slower : this.#paceMs;
  }

  /** Runs `work` for a connection from `address` when its turn comes; gives its result. */
  async run<T>(address: string, work: () => Promise<T>): Promise<T> {
    await this.#turn(siteOf(address));
    try {
      // After the reads that are ready: members come first.
      await threadTurns.next();
      threadTurns.begin();
      return await this.#timed(work);
    } finally {
      this.#running--;
      this.#noteEnd();
      this.#startNext();
    }
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      const took = performance.now() - began;
      if (this.#rests && this.#waiting > 0) {
        await new Promise((resolve) => setTimeout(resolve, took));
      }
    }
  }

  #noteEnd(): void {
    this.#ended++;
    if (this.#waiting === 0) {
      this.#window = undefined;
      return;
    }
    const now = this.#now();
    const window = this.#window ??= { since: now, ended: -1 };
    const took = now - window.since;
    if (++window.ended < PACE_WINDOW.handshakes || took < PACE_WINDOW.ms) return;
    this.#paceMs += NEW_SHARE * (took / window.ended - this.#paceMs);
    this.#window = { since: now, ended: 0 };
  }

  #turn(name: string): Promise<void> {
    return new Promise((resolve) => {
      const source = this.#sources.get(name);
      if (source === undefined) this.#sources.set(name, { waiting: [resolve], promised: 0 });
      else source.waiting.push(resolve);
      this.#waiting++;
      this.#startNext();
    });
  }

  #startNext(): void {
    const atOnce = this.#atOnce();
    while (this.#running < atOnce) {
      const [first] = this.#sources;
      if (first === undefined) return;
      const [name, source] = first;
      const start = source.waiting.shift();
      this.#sources.delete(name);
      if (source.waiting.length > 0) this.#sources.set(name, source);
      this.#waiting--;
      this.#running++;
      start?.();
    }
  }
}
