// Limits how often each source may do something: a token bucket (RFC 2697 §3) per IPv4 address or IPv6 /64, and a larger
// one per IPv6 /48.

import type { Rate } from "../../shared/base/rate.ts";
import { SITE_SHARE, siteOf, sourceOf } from "./ip_network.ts";

// Some 100 bytes each.
const BUCKETS_MAX = 10_000;
// Of so many that were quiet longest, the fullest bucket is forgotten: a source that may choose its scopes must not get
// a burst anew by using ever more of them.
const COMPARED = 16;

interface Bucket {
  left: number;
  /** When `left` was true; monotonic ms. */
  at: number;
}

/** Allows each source a burst of `rate.messages`, refilled over `rate.seconds`. */
export class SourceRate {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Whether the source of `address` has a token left at `now`, monotonic ms; takes none. */
  allows(address: string, now: number): boolean {
    return namesOf(address).every((name, place) => this.#leftOf(name, SHARES[place], now) >= 1);
  }

  /** Takes a token of the source of `address` at `now`; each `scope` has its own bucket. False if no token is left. */
  take(address: string, now: number, scope = ""): boolean {
    const lefts = namesOf(address).map((name, place) => {
      const key = scope + name;
      return { key, left: this.#leftOf(key, SHARES[place], now) };
    });
    const passes = lefts.every(({ left }) => left >= 1);
    for (const { key, left } of lefts) {
      this.#buckets.delete(key);
      this.#buckets.set(key, { left: passes ? left - 1 : left, at: now });
      if (this.#buckets.size > BUCKETS_MAX) this.#forgetOne(now);
    }
    return passes;
  }

  #forgetOne(now: number): void {
    const oldest = this.#buckets.keys().take(COMPARED).toArray();
    const lefts = oldest.map((key) => this.#leftOf(key, 1, now));
    const fullest = lefts.indexOf(Math.max(...lefts));
    for (const [place, key] of oldest.entries()) {
      const bucket = this.#buckets.get(key) as Bucket;
      this.#buckets.delete(key);
      // The others are compared with other ones next time.
      if (place !== fullest) this.#buckets.set(key, bucket);
    }
  }

  #leftOf(key: string, share = 1, now: number): number {
    const messages = this.#rate.messages * share;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return messages;
    const refilled = (now - bucket.at) * messages / (this.#rate.seconds * 1_000);
    return Math.min(messages, bucket.left + refilled);
  }
}

/** Of a source, and of its site. */
const SHARES = [1, SITE_SHARE] as const;

/** The source of `address`, and its site where that is more. */
function namesOf(address: string): readonly string[] {
  const [source, site] = [sourceOf(address), siteOf(address)];
  return source === site ? [source] : [source, site];
}
