// Handshakes cost more than anything else that a stranger can ask for, so members go first: few handshakes are computed
// at a time, members' messages are handled between any two, and sites take turns however many connections each has, and
// so do the sources of a site.

import { BUSY_PAUSE_MAX_MS } from "../../shared/base/limits.ts";
import { HANDSHAKE_PATIENCE_MS } from "../config/limits.ts";
import { siteOf, sourceOf } from "./ip_network.ts";
import { threadTurns } from "./thread_turns.ts";

/** How a queue runs its handshakes. */
export interface HandshakeQueueOptions {
  /** Pauses after each handshake for as long as it took, so that members get half of the thread that serves them. */
  readonly rests?: boolean;
  /** Monotonic ms. */
  readonly now?: () => number;
}

/** Connections of one site that wait. */
interface Site {
  /** By source; the one whose turn is next comes first. */
  readonly sources: Map<string, (() => void)[]>;
  waiting: number;
  /** Until when clients that were sent away are to come back; monotonic ms. */
  promised: number;
}

// Until the pace is measured, assume a slow machine: a client that is let in and not answered in time has waited for
// nothing.
const FIRST_PACE_MS = 4;
// Several run at once and end in clumps, and on a busy machine so do the turns of the process: over less, the pace of one
// lucky moment would let in more than can be answered in time.
const PACE_WINDOW = { handshakes: 16, ms: 250 } as const;
// Each window counts for a half: a server that starts is slow for a second, and it is then that all come.
const NEW_SHARE = 1 / 2;
// The told time follows from the fastest of so many windows, at least a second: otherwise a moment without a processor,
// or of garbage collection, would send hundreds of clients away for many seconds in which the server is idle.
const TOLD_WINDOWS = 4;
// A slower pace has other reasons than a crowd, so no client is told one. A client that comes too early costs a fifth
// of a handshake; an idle server loses time.
const SLOWEST_TOLD_MS = 8;
// The first handshakes of a process take several times as long as those of a second later, when the clients that it
// sent away come back. So the first of these get a shorter time; giving it to all would leave no time for handshakes.
const START = { handshakes: 500, slower: 4, ms: 4_000 } as const;
// A client that is sent away comes back before its turn, while others still wait: an empty queue is lost time, and
// turns come sooner than expected, since a server that has just started gets faster. The queue has room for it then.
const COMES_EARLY = { ms: HANDSHAKE_PATIENCE_MS - 1_000, leastPauseMs: 1_000 } as const;
/** By how much a client may lengthen the pause that it is told (PROTOCOL §5.5). */
export const BUSY_PAUSE_LONGEST = 1 + 1 / 4;
const LATEST_TURN_MS = COMES_EARLY.ms + BUSY_PAUSE_MAX_MS * BUSY_PAUSE_LONGEST;

/** Runs handshakes, as many at a time as `atOnce` says. */
export class HandshakeQueue {
  readonly #atOnce: () => number;
  readonly #rests: boolean;
  /** Waiting handshakes by site; the site whose turn is next comes first. */
  readonly #sites = new Map<string, Site>();
  readonly #now: () => number;
  #waiting = 0;
  #running = 0;
  /** How many have ended since the process started. */
  #ended = 0;
  /** When the first client was sent away. */
  #awaySince: number | undefined;
  /** The ms from the end of one to the end of the next while others wait. */
  #paceMs = FIRST_PACE_MS;
  /** What the last windows had for it. */
  #lastPaces: readonly number[] = [];
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

  /**
   * One will take so many ms, as far as was tried; what is measured once others wait is better known. A trial that was held
   * up must not send away whom the server could answer.
   */
  expectPace(ms: number): void {
    if (this.#awaySince !== undefined || this.#window !== undefined) return;
    this.#paceMs = Math.min(ms, SLOWEST_TOLD_MS);
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Undefined where the turn of one more connection from `address` comes in time; otherwise the ms after which its
   * client is to come back, which is some time before its turn. Clients of a site are sent away to one time after another,
   * as fast as they can be taken.
   */
  pauseFor(address: string): number | undefined {
    const site = this.#sites.get(siteOf(address));
    const turns = Math.max(1, this.#sites.size);
    // Sites take turns: so many rounds as its site has connections here that come before it.
    const rounds = 1 + (site === undefined ? 0 : waitingBefore(site, sourceOf(address)));
    const before = Math.min(this.#waiting, rounds * turns);
    if (before * this.#paceMs <= HANDSHAKE_PATIENCE_MS) return undefined;
    const now = this.#now();
    const step = Math.min(this.#expectedPace(now), SLOWEST_TOLD_MS, ...this.#lastPaces);
    const from = Math.max(now + before * step, site?.promised ?? 0);
    const latest = now + LATEST_TURN_MS;
    if (site !== undefined) site.promised = Math.min(from + turns * step, latest);
    const early = (Math.min(from, latest) - now - COMES_EARLY.ms) / BUSY_PAUSE_LONGEST;
    return Math.round(Math.max(COMES_EARLY.leastPauseMs, early));
  }

  #expectedPace(now: number): number {
    this.#awaySince ??= now;
    const isStarting = this.#ended < START.handshakes && now - this.#awaySince < START.ms;
    return isStarting ? this.#paceMs / START.slower : this.#paceMs;
  }

  /** Runs `work` for a connection from `address` when its turn comes; gives its result. */
  async run<T>(address: string, work: () => Promise<T>): Promise<T> {
    await this.#turn(address);
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
    const pace = took / window.ended;
    this.#paceMs += NEW_SHARE * (pace - this.#paceMs);
    this.#lastPaces = [...this.#lastPaces, pace].slice(-TOLD_WINDOWS);
    this.#window = { since: now, ended: 0 };
  }

  #turn(address: string): Promise<void> {
    return new Promise((resolve) => {
      const [name, source] = [siteOf(address), sourceOf(address)];
      let site = this.#sites.get(name);
      if (site === undefined) {
        this.#sites.set(name, site = { sources: new Map(), waiting: 0, promised: 0 });
      }
      const own = site.sources.get(source);
      if (own === undefined) site.sources.set(source, [resolve]);
      else own.push(resolve);
      site.waiting++;
      this.#waiting++;
      this.#startNext();
    });
  }

  #startNext(): void {
    const atOnce = this.#atOnce();
    while (this.#running < atOnce) {
      const next = takeFirst(this.#sites);
      if (next === undefined) return;
      const [name, site] = next;
      const [source, own] = takeFirst(site.sources) ?? ["", []];
      const start = own.shift();
      if (own.length > 0) site.sources.set(source, own);
      if (--site.waiting > 0) this.#sites.set(name, site);
      this.#waiting--;
      this.#running++;
      start?.();
    }
  }
}

/** How many of a site have their turn before one more of that source. */
function waitingBefore({ sources, waiting }: Site, source: string): number {
  const own = sources.get(source)?.length ?? 0;
  const others = sources.size - (own > 0 ? 1 : 0);
  return Math.min(waiting, own + (own + 1) * others);
}

/** Takes the first one out. */
function takeFirst<V>(map: Map<string, V>): [string, V] | undefined {
  const [first] = map;
  if (first !== undefined) map.delete(first[0]);
  return first;
}
