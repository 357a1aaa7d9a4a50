// Decides when to paint: at once after a key, in batches for texts that arrive together, never while the terminal
// still takes the last update. So a storm of messages costs a few large writes, and a slow line is not flooded.

/** Timers as the terminal needs them; injected so that tests decide when time passes. */
export interface Timers {
  /** Runs the callback after so many milliseconds; returns what cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The timers of the runtime. */
export const RUNTIME_TIMERS: Timers = {
  after(milliseconds, callback) {
    const id = setTimeout(callback, milliseconds);
    return () => clearTimeout(id);
  },
};

/** Pause between two updates that no key caused: one frame at 60 Hz. */
const FRAME_MS = 16;

/** Calls `paint` once for any number of requests. */
export class PaintScheduler {
  readonly #paint: () => Promise<void>;
  readonly #timers: Timers;
  readonly #failed: (cause: unknown) => void;
  #wanted: "no" | "soon" | "now" = "no";
  #writing = false;
  #cancel: (() => void) | undefined;
  #closed = false;
  #paused = false;

  constructor(
    paint: () => Promise<void>,
    options: { readonly timers: Timers; readonly failed: (cause: unknown) => void },
  ) {
    this.#paint = paint;
    this.#timers = options.timers;
    this.#failed = options.failed;
  }

  /** Requests an update: "now" after a key, "soon" for what can wait one frame. */
  request(when: "soon" | "now"): void {
    if (this.#wanted !== "now") this.#wanted = when;
    if (this.#closed || this.#writing || this.#paused) return;
    if (when === "now") this.#run();
    else this.#cancel ??= this.#timers.after(0, () => this.#tick());
  }

  /** No paint begins until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Paints what was requested during the pause. */
  resume(): void {
    this.#paused = false;
    this.request("now");
  }

  /** No paint begins after this. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #tick(): void {
    this.#cancel = undefined;
    if (this.#wanted !== "no" && !this.#writing) this.#run();
  }

  #run(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wanted = "no";
    this.#writing = true;
    this.#paint().then(() => this.#written(), this.#failed);
  }

  #written(): void {
    this.#writing = false;
    if (this.#closed || this.#paused) return;
    if (this.#wanted === "now") return this.#run();
    // Even without a request: one that comes within this frame waits for its end.
    this.#cancel = this.#timers.after(FRAME_MS, () => this.#tick());
  }
}
