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

  /** Closes all whose time is over, and looks again when that of the next one is. */
  static closeDue(): void {
    const now = performance.now();
    let following = Infinity;
    for (const deadline of open) {
      if (deadline.#due <= now) deadline.#close();
      else following = Math.min(following, deadline.#due);
    }
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
