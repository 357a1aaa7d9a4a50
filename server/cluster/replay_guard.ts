// Which words are new. Whoever has the bus can repeat what it once carried, sealed as it is: a goodbye, a ban, a direct
// message. So each server counts its words, and one that is not known, or was lost, is asked for a sign of life first.

import type { Slot } from "./client_numbers.ts";

/** Bytes of what a server must repeat to show that it is alive. */
export const SIGN_BYTES = 16;
// Old words of servers long gone are asked about no faster than this, and so are answers to old questions.
const PAUSE_MS = 500;
const STRANGERS_MAX = 1_000;

/** What a word is: to be followed, to be dropped, or of a server that must show first that it is alive. */
export type Verdict = "new" | "repeat" | "stranger";

interface Asked {
  readonly sign: Uint8Array;
  readonly at: number;
}

/** What one server knows of the others' counts. */
export class ReplayGuard {
  readonly #counts = new Map<Slot, number>();
  readonly #asked = new Map<Slot, Asked>();
  readonly #answered = new Map<Slot, number>();

  /** Judges a word by its count, and notes it. */
  judge(slot: Slot, count: number): Verdict {
    const last = this.#counts.get(slot);
    if (last === undefined) return "stranger";
    if (count <= last) return "repeat";
    this.#counts.set(slot, count);
    return "new";
  }

  /** What to ask a stranger for; undefined where it was asked a moment ago. `now` is monotonic, ms. */
  ask(slot: Slot, now: number): Uint8Array | undefined {
    const asked = this.#asked.get(slot);
    if (asked !== undefined && now - asked.at < PAUSE_MS) return undefined;
    const sign = crypto.getRandomValues(new Uint8Array(SIGN_BYTES));
    note(this.#asked, slot, { sign, at: now });
    return sign;
  }

  /** Whether `slot`, which is a stranger, answers with the sign it was asked for: then it is none any more. */
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

  /** Whether to answer `slot`, which asks for a sign, now. */
  mayAnswer(slot: Slot, now: number): boolean {
    if (now - (this.#answered.get(slot) ?? -Infinity) < PAUSE_MS / 2) return false;
    note(this.#answered, slot, now);
    return true;
  }

  /** `slot` is lost, and a stranger when it comes back. */
  lose(slot: Slot): void {
    this.#counts.delete(slot);
  }
}

function note<T>(known: Map<Slot, T>, slot: Slot, value: T): void {
  known.delete(slot);
  known.set(slot, value);
  if (known.size > STRANGERS_MAX) known.delete(known.keys().next().value as Slot);
}
