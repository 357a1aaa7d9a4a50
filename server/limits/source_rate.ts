// Limits how often each source may do something: a token bucket (RFC 2697 §3) per IPv4 address or IPv6 /64.

import type { Rate } from "../../shared/base/rate.ts";
import { sourceOf } from "./ip_network.ts";

// Some 100 bytes each. The source that was quiet longest is forgotten first; its bucket is full again by then.
const SOURCES_MAX = 10_000;

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
    if (this.#buckets.size > SOURCES_MAX) {
      this.#buckets.delete(this.#buckets.keys().next().value as string);
    }
    return passes;
  }

  #leftOf(key: string, now: number): number {
    const { messages, seconds } = this.#rate;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return messages;
    return Math.min(messages, bucket.left + (now - bucket.at) * messages / (seconds * 1_000));
  }
}
