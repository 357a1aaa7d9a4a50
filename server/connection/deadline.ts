// Until when a login must be done. All of them share one timer: one for each would leave 400 bytes to the collector, of
// which a crowd of 10,000 makes a twentieth of what each of them takes.

import type { Closable } from "../limits/connection_slots.ts";

const open = new Set<Deadline>();
let timer: ReturnType<typeof setTimeout> | undefined;
/** When the timer is due; monotonic ms. */
let next = Infinity;

/** Closes something at its time, unless it is cancelled before. */
export class Deadline {
  readonly #closable: Closable;
  readonly #due: number;
  #isOver = false;

  /** `due`: monotonic ms. */
  constructor(closable: Closable, due: number) {
    this.#closable = closable;
    this.#due = due;
    open.add(this);
    if (due < next) lookAt(due);
  }

  /** Whether its time came before it was cancelled. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Idempotent. */
  cancel(): void {
    open.delete(this);
    if (open.size === 0) lookAt(Infinity);
  }

  /** Closes all whose time is over, in the order of their times, and looks again when that of the next one is. */
  static closeDue(): void {
    const now = performance.now();
    const late: Deadline[] = [];
    for (const deadline of open) if (deadline.#due <= now) late.push(deadline);
    // To close one may cancel another.
    for (const one of late.sort((a, b) => a.#due - b.#due)) if (open.has(one)) one.#close();
    let following = Infinity;
    for (const deadline of open) following = Math.min(following, deadline.#due);
    lookAt(following);
  }

  #close(): void {
    open.delete(this);
    this.#isOver = true;
    this.#closable.close();
  }
}

function lookAt(due: number): void {
  clearTimeout(timer);
  next = due;
  timer = due === Infinity
    ? undefined
    : setTimeout(() => Deadline.closeDue(), Math.max(0, Math.ceil(due - performance.now())));
}
