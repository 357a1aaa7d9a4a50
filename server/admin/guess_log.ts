// Wrong admin tokens in the log: each source's first at once, the rest as one line a minute, whatever comes.

import type { Logger } from "@logtape/logtape";
import { sourceOf } from "../limits/ip_network.ts";

const SUMMARY_MS = 60_000;
// Sources with a line of their own; guesses from more are counted together.
const SOURCES_MAX = 16;
const OTHERS = "others";

/** What the log of guesses needs. */
export interface GuessLogOptions {
  readonly log: Logger;
  /** Calls back once after `ms`; without it, a timer that does not keep the process alive. */
  readonly later?: (run: () => void, ms: number) => void;
}

/** Counts wrong tokens by source: an IPv4 address or an IPv6 /64. */
export class GuessLog {
  readonly #options: GuessLogOptions;
  readonly #counts = new Map<string, number>();

  constructor(options: GuessLogOptions) {
    this.#options = options;
  }

  /** Notes a wrong token from address `address`. */
  note(address: string): void {
    const own = sourceOf(address);
    const source = this.#counts.has(own) || this.#counts.size < SOURCES_MAX ? own : OTHERS;
    const count = this.#counts.get(source);
    this.#counts.set(source, (count ?? 0) + 1);
    if (count === undefined) this.#report(source, 1);
    if (count === undefined && this.#counts.size === 1) this.#startTimer();
  }

  #startTimer(): void {
    const { later = unreferenced } = this.#options;
    later(() => this.#summarize(), SUMMARY_MS);
  }

  #summarize(): void {
    for (const [source, count] of this.#counts) {
      // The first one has its line already.
      if (count > 1) this.#report(source, count - 1);
    }
    this.#counts.clear();
  }

  #report(source: string, guesses: number): void {
    this.#options.log.warning("wrong admin credentials", { address: source, guesses });
  }
}

function unreferenced(run: () => void, ms: number): void {
  Deno.unrefTimer(setTimeout(run, ms));
}
