// Limits how often each source may do something: a token bucket (RFC 2697 §3) per IPv4 address or IPv6 /64.

import type { Rate } from "../../shared/base/rate.ts";
import { sourceOf } from "./ip_network.ts";

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
    return this.#leftOf(sourceOf(address), now) >= 1;
  }

  /** Takes a token of the source of `address` at `now`; each `scope` has its own bucket. False if no token is left. */
  take(address: string, now: number, scope = ""): boolean {
    const key = scope + sourceOf(address);
    const left = this.#leftOf(key, now);
    const passes = left >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: passes ? left - 1 : left, at: now });
    if (this.#buckets.size > BUCKETS_MAX) this.#forgetOne(now);
    return passes;
  }

  #forgetOne(now: number): void {
    const oldest = this.#buckets.keys().take(COMPARED).toArray();
    const lefts = oldest.map((key) => this.#leftOf(key, now));
    const fullest = lefts.indexOf(Math.max(...lefts));
    for (const [place, key] of oldest.entries()) {
      const bucket = this.#buckets.get(key) as Bucket;
      this.#buckets.delete(key);
      // The others are compared with other ones next time.
      if (place !== fullest) this.#buckets.set(key, bucket);
    }
  }

  #leftOf(key: string, now: number): number {
    const { messages, seconds } = this.#rate;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return messages;
    return Math.min(messages, bucket.left + (now - bucket.at) * messages / (seconds * 1_000));
  }
}
