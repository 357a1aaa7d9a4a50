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
 * time counts). What one of them waits for otherwise counts, and so does all that they do themselves.
 */
export function startStopwatch(...pids: readonly number[]): () => number {
  const heldMs = () => heldMsOf("thread-self") + pids.reduce((sum, pid) => sum + heldMsOf(pid), 0);
  const [began, held] = [performance.now(), heldMs()];
  return () => Math.max(0, performance.now() - began - (heldMs() - held));
}

/** For how long a thread was ready and had no processor. */
function heldMsOf(thread: number | "thread-self"): number {
  try {
    return Number(Deno.readTextFileSync(`/proc/${thread}/schedstat`).split(" ")[1]) / 1e6;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
