// Turns events that peers can cause at will into a bounded number of log lines.

const SUMMARY_MS = 60_000;
// Most keys that have a line of their own; events of further keys are counted together.
const KEYS_MAX = 16;
const OTHERS = "others";

/** What a bounded log needs. */
export interface RepeatLogOptions {
  /** Writes one line for `count` events of `key`, of which `detail` is one. */
  readonly report: (key: string, count: number, detail: string) => void;
  /** Calls back once after `ms`; without it, a timer that does not keep the process alive. */
  readonly later?: (run: () => void, ms: number) => void;
}

/** Reports the first event of each key at once, and the others as one line a minute. */
export class RepeatLog {
  readonly #options: RepeatLogOptions;
  readonly #events = new Map<string, { count: number; detail: string }>();

  constructor(options: RepeatLogOptions) {
    this.#options = options;
  }

  /** Notes an event of `key`. */
  note(key: string, detail = ""): void {
    const events = this.#events;
    const known = events.has(key) || events.size < KEYS_MAX ? key : OTHERS;
    const event = events.get(known);
    if (event !== undefined) {
      event.count++;
      event.detail = detail;
      return;
    }
    events.set(known, { count: 1, detail });
    this.#options.report(known, 1, detail);
    if (events.size === 1) {
      (this.#options.later ?? unreferenced)(() => this.#summarize(), SUMMARY_MS);
    }
  }

  #summarize(): void {
    for (const [key, { count, detail }] of this.#events) {
      // The first event already has its line.
      if (count > 1) this.#options.report(key, count - 1, detail);
    }
    this.#events.clear();
  }
}

function unreferenced(run: () => void, ms: number): void {
  Deno.unrefTimer(setTimeout(run, ms));
}
