// Which messages are new. Anyone who controls NATS can replay what it once carried, still sealed: a goodbye, a ban, a
// direct message. So each server numbers its messages, and an unknown or lost server must first answer a challenge.

import type { Slot } from "./client_numbers.ts";

/** Bytes of the challenge that a server repeats to prove that it is alive. */
export const SIGN_BYTES = 16;
// Replayed messages of servers long gone trigger challenges no faster than this, and replayed challenges answers.
const PAUSE_MS = 500;
const STRANGERS_MAX = 1_000;

/** Whether a message is followed, is dropped, or comes from a server that must first prove that it is alive. */
export type Verdict = "new" | "repeat" | "stranger";

interface Asked {
  readonly sign: Uint8Array;
  readonly at: number;
}

/** Numbers of the other servers' last messages. */
export class ReplayGuard {
  readonly #counts = new Map<Slot, number>();
  readonly #asked = new Map<Slot, Asked>();
  readonly #answered = new Map<Slot, number>();

  /** Judges a message by its number, and notes the number. */
  judge(slot: Slot, count: number): Verdict {
    const last = this.#counts.get(slot);
    if (last === undefined) return "stranger";
    if (count <= last) return "repeat";
    this.#counts.set(slot, count);
    return "new";
  }

  /** The challenge for a stranger; undefined if it was challenged a moment ago. `now` is monotonic, ms. */
  ask(slot: Slot, now: number): Uint8Array | undefined {
    const asked = this.#asked.get(slot);
    if (asked !== undefined && now - asked.at < PAUSE_MS) return undefined;
    const sign = crypto.getRandomValues(new Uint8Array(SIGN_BYTES));
    note(this.#asked, slot, { sign, at: now });
    return sign;
  }

  /** Whether stranger `slot` answers its challenge; if so, it is a stranger no longer. */
  meet(
    slot: Slot,
    { sign, count }: { readonly sign: Uint8Array; readonly count: number },
  ): boolean {
    const asked = this.#asked.get(slot);
    if (asked === undefined || !sign.every((byte, n) => byte === asked.sign[n])) return false;
    this.#asked.delete(slot);
    this.#counts.set(slot, count);
    return true;
  }

  /** Whether to answer a challenge of `slot` now. */
  mayAnswer(slot: Slot, now: number): boolean {
    if (now - (this.#answered.get(slot) ?? -Infinity) < PAUSE_MS / 2) return false;
    note(this.#answered, slot, now);
    return true;
  }

  /** `slot` is lost, and is a stranger when it returns. */
  lose(slot: Slot): void {
    this.#counts.delete(slot);
  }
}

function note<T>(known: Map<Slot, T>, slot: Slot, value: T): void {
  known.delete(slot);
  known.set(slot, value);
  if (known.size > STRANGERS_MAX) known.delete(known.keys().next().value as Slot);
}
