// Moving transfers as rows that change in place: share, rate and time left.

import { formatBytes } from "../../shared/text/byte_size.ts";
import { answersText, barText, WAITING_TEXTS } from "../render/transfer_text.ts";
import type {
  ReceiverAnswer,
  TransferEvent,
  TransferRef,
  Waiting,
} from "../transfer_base/transfer_event.ts";

// The rate is measured over this time: short enough to follow the connection, long enough not to jump.
const WINDOW_MS = 3_000;
const BARS_MAX = 3;

interface Bar {
  readonly file: TransferRef;
  done: number;
  waitingFor?: Waiting | undefined;
  /** What receivers of one of our files said. */
  receivers?: readonly ReceiverAnswer[];
  /** Bytes that were through at a time, oldest first. */
  readonly samples: { readonly at: number; readonly done: number }[];
}

/** Bars of all moving transfers. */
export class ProgressBars {
  readonly #bars = new Map<number, Bar>();
  readonly #now: () => number;

  /** `now` in milliseconds of any monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes an event; true if a bar changed. */
  take(event: TransferEvent): boolean {
    if (event.kind === "refused") return false;
    const { file } = event;
    if (event.kind === "answered") return this.#answered(event);
    const moves = event.kind === "progress" || event.kind === "waiting" || event.kind === "resumed";
    // A complete file that waits for its user has no bar: the offer is on the screen. A sent one may not be there yet.
    const isHere = moves && file.direction === "in" && event.done >= file.size;
    if (!moves || isHere) return this.#bars.delete(file.n);
    const bar: Bar = this.#bars.get(file.n) ?? { file, done: 0, samples: [] };
    const at = this.#now();
    // After a lost connection some bytes may have to come once more: a bar never goes back.
    bar.done = Math.max(bar.done, event.done);
    bar.waitingFor = event.kind === "waiting" ? event.for : undefined;
    // The rate before a pause does not tell the rate after it.
    if (event.kind !== "progress") bar.samples.length = 0;
    bar.samples.push({ at, done: bar.done });
    while (bar.samples.length > 2 && at - (bar.samples[0]?.at ?? 0) > WINDOW_MS) {
      bar.samples.shift();
    }
    this.#bars.set(file.n, bar);
    return true;
  }

  #answered({ file, receivers, isLate }: Extract<TransferEvent, { kind: "answered" }>): boolean {
    if (isLate) return false;
    const bar = this.#bars.get(file.n) ?? { file, done: 0, samples: [] };
    bar.receivers = receivers;
    bar.waitingFor = undefined;
    this.#bars.set(file.n, bar);
    return true;
  }

  /** One row for each file, within `columns` cells; only the newest if there are many. */
  rows(columns: number): string[] {
    const bars = [...this.#bars.values()];
    const hidden = bars.length - BARS_MAX;
    const rows = bars.slice(-BARS_MAX).map((bar) => {
      const { file, done } = bar;
      return barText(file, { done, how: howOf(bar), columns });
    });
    return hidden > 0 ? [...rows, `… ${hidden} more: /files`] : rows;
  }
}

/** Why it waits, what its receivers said, or its rate. */
function howOf({ file, done, samples, waitingFor, receivers }: Bar): string | undefined {
  if (waitingFor !== undefined) return WAITING_TEXTS[waitingFor];
  // While chunks leave, how fast they do says more.
  const isMoving = receivers?.some(({ answer }) => answer === "accepted") && done < file.size;
  if (receivers === undefined || isMoving) return speedOf(file.size - done, samples);
  return answersText(receivers, 2);
}

/** `1.2 MiB/s, 3 s left`; undefined before a rate is known. */
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
