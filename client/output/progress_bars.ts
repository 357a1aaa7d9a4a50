// Files on their way, as rows that change in place: how far, how fast, how long still.

import { formatBytes } from "../../shared/text/byte_size.ts";
import { barText, WAITING_TEXTS } from "../render/transfer_text.ts";
import type { TransferEvent, TransferRef, Waiting } from "../transfers/transfer_event.ts";

// Over so long a rate is measured: short enough to follow the link, long enough not to jump.
const WINDOW_MS = 3_000;
const BARS_MAX = 3;

interface Bar {
  readonly file: TransferRef;
  done: number;
  waitingFor?: Waiting | undefined;
  /** When how much was through, oldest first. */
  readonly samples: { readonly at: number; readonly done: number }[];
}

/** Bars of all transfers that move. */
export class ProgressBars {
  readonly #bars = new Map<number, Bar>();
  readonly #now: () => number;

  /** `now` in milliseconds of any monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the event changed what is to be seen. */
  take(event: TransferEvent): boolean {
    if (event.kind === "refused") return false;
    const { file } = event;
    const moves = event.kind === "progress" || event.kind === "waiting" || event.kind === "resumed";
    // What is all here waits for its user, which the offer has said.
    if (!moves || event.done >= file.size) return this.#bars.delete(file.n);
    const bar: Bar = this.#bars.get(file.n) ?? { file, done: 0, samples: [] };
    const at = this.#now();
    bar.done = event.done;
    bar.waitingFor = event.kind === "waiting" ? event.for : undefined;
    // How fast it was before a pause says nothing of what comes behind it.
    if (event.kind !== "progress") bar.samples.length = 0;
    bar.samples.push({ at, done: event.done });
    while (bar.samples.length > 2 && at - (bar.samples[0]?.at ?? 0) > WINDOW_MS) {
      bar.samples.shift();
    }
    this.#bars.set(file.n, bar);
    return true;
  }

  /** One row a file, the newest ones where there are many, each within `columns` cells. */
  rows(columns: number): string[] {
    const bars = [...this.#bars.values()];
    const hidden = bars.length - BARS_MAX;
    const rows = bars.slice(-BARS_MAX).map(({ file, done, samples, waitingFor }) => {
      const how = waitingFor === undefined
        ? speedOf(file.size - done, samples)
        : WAITING_TEXTS[waitingFor];
      return barText(file, { done, how, columns });
    });
    return hidden > 0 ? [...rows, `… ${hidden} more: /files`] : rows;
  }
}

/** `1.2 MiB/s, 3 s left`; undefined before there is a rate. */
function speedOf(left: number, samples: Bar["samples"]): string | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at <= first.at) return undefined;
  const rate = (last.done - first.done) / ((last.at - first.at) / 1_000);
  if (rate <= 0) return undefined;
  return `${formatBytes(Math.round(rate))}/s, ${shortDuration(left / rate)} left`;
}

/** `3 s`, `2 min`, `1 h 5 min`. */
export function shortDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
