// Time as the process of a test has it. A machine that is busy, or that sleeps, stops the process for seconds; what the
// process could not see meanwhile is nobody's fault, so waits and figures leave that time out.

/** How often the process looks whether it runs, in milliseconds. */
const TICK_MS = 50;

/** A wait that was begun. */
export interface OwnTimer {
  /** Ends the wait; `over` is not called any more. */
  stop(): void;
}

/** Calls `over` after `ms` in which this process ran: a tick that comes late counts as one tick. */
export function startOwnTimer(ms: number, over: () => void): OwnTimer {
  let left = ms;
  const tick = () => {
    if (left <= 0) return over();
    const part = Math.min(left, TICK_MS);
    left -= part;
    timer = setTimeout(tick, part);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  tick();
  return { stop: () => clearTimeout(timer) };
}

/** Measures for how long this process stood still. */
export class StallMeter implements Disposable {
  #total = 0;
  #longest = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => this.#look(), TICK_MS);

  /** All stalls so far together, in milliseconds. */
  get total(): number {
    this.#look();
    return this.#total;
  }

  /** The longest of them, in milliseconds. */
  get longest(): number {
    this.#look();
    return this.#longest;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const late = now - this.#last - TICK_MS;
    this.#last = now;
    if (late <= 0) return;
    this.#total += late;
    this.#longest = Math.max(this.#longest, late);
  }
}

/** For how long the main thread of another process has had a processor (Linux), in ms: what waits for it costs nothing. */
export function threadMs(pid: number): number {
  return Number(Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ")[0]) / 1e6;
}

/**
 * Begins to measure; what it gives says how many ms have gone by since, without those in which the calling thread, or
 * the main thread of one of the processes, was ready and had no processor because others had it (Linux; elsewhere all
 * time counts). It is never less than what these main threads did meanwhile, since two threads that are kept waiting at
 * the same time are left out twice. What one of them waits for otherwise counts, but for the part in which another one is
 * kept waiting: the more the test's own thread has to do, the less a wait of the server shows.
 */
export function startStopwatch(...pids: readonly number[]): () => number {
  const began = performance.now();
  const threads = ["thread-self", ...pids] as const;
  const before = threads.map(timesOf);
  return () => {
    const times = threads.map(timesOf).map(({ ran, held }, n) => ({
      ran: ran - (before[n]?.ran ?? 0),
      held: held - (before[n]?.held ?? 0),
    }));
    const all = performance.now() - began;
    const ready = times.reduce((left, { held }) => left - held, all);
    return Math.max(0, ready, ...times.slice(1).map(({ ran }) => Math.min(ran, all)));
  };
}

/** For how long a thread has had a processor, and for how long it was ready and had none, in ms. */
function timesOf(thread: number | "thread-self"): { readonly ran: number; readonly held: number } {
  try {
    const [ran, held] = Deno.readTextFileSync(`/proc/${thread}/schedstat`).split(" ");
    return { ran: Number(ran) / 1e6, held: Number(held) / 1e6 };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { ran: 0, held: 0 };
    throw error;
  }
}
