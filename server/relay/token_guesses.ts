// How often a token may be guessed: ten times a minute from a source, and eight times as much from its site. A source
// from which a right token came does not pay for the guesses of sources of its site from which none came. Such sources
// also count together: otherwise somebody with one token could guess from a whole site.

import { WRONG_TOKEN_RATE } from "../config/limits.ts";
import { siteOf, sourceOf } from "../limits/ip_network.ts";
import { SourceRate } from "../limits/source_rate.ts";

// Some 100 bytes each. The oldest of a site, and the site that had a right one longest ago, are forgotten.
const KNOWN_OF_A_SITE = 64;
const SITES_KEPT = 1_024;

/** Counts wrong tokens. */
export class TokenGuesses {
  readonly #rate = new SourceRate(WRONG_TOKEN_RATE);
  readonly #ofKnown = new SourceRate(WRONG_TOKEN_RATE);
  readonly #known = new Map<string, Set<string>>();

  /** Whether a token that could be guessed is looked at. */
  allows(address: string, now: number): boolean {
    return this.#rateOf(address).allows(address, now);
  }

  /** A wrong one came from there. */
  wrong(address: string, now: number): void {
    this.#rateOf(address).take(address, now);
  }

  /** A right one came from there. */
  right(address: string): void {
    const [source, site] = [sourceOf(address), siteOf(address)];
    // An IPv4 address has no neighbors that count with it.
    if (source === site) return;
    const known = this.#known.get(site) ?? new Set();
    touch(known, source, KNOWN_OF_A_SITE);
    this.#known.delete(site);
    this.#known.set(site, known);
    if (this.#known.size > SITES_KEPT) forgetFirst(this.#known);
  }

  #rateOf(address: string): SourceRate {
    const isKnown = this.#known.get(siteOf(address))?.has(sourceOf(address)) === true;
    return isKnown ? this.#ofKnown : this.#rate;
  }
}

function touch(known: Set<string>, source: string, most: number): void {
  known.delete(source);
  known.add(source);
  if (known.size > most) forgetFirst(known);
}

function forgetFirst(known: Map<string, unknown> | Set<string>): void {
  for (const first of known.keys()) {
    known.delete(first);
    return;
  }
}
