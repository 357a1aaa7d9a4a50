// Limits how often each source may do something: a token bucket (RFC 2697 §3) per IPv4 address or IPv6 /64, and a larger
// one per IPv6 /48.

import type { Rate } from "../../shared/base/rate.ts";
import { SITE_SHARE, siteOf, sourceOf } from "./ip_network.ts";

// Some 100 bytes each.
const BUCKETS_MAX = 10_000;
// Of so many that were quiet longest, the bucket that lacks least is forgotten: a source that may choose its scopes must
// not get another burst by using ever more of them.
const COMPARED = 16;

interface Bucket {
  /** Of a full one. */
  readonly most: number;
  left: number;
  /** When `left` was true; monotonic ms. */
  at: number;
}

/** Allows each source a burst of `rate.messages`, refilled over `rate.seconds`. */
export class SourceRate {
  readonly #rate: Rate;
  readonly #bySite: boolean;
  readonly #buckets = new Map<string, Bucket>();

  /** Without `bySite`, a site may have as much as all of its sources. */
  constructor(rate: Rate, { bySite = true } = {}) {
    this.#rate = rate;
    this.#bySite = bySite;
  }

  /** Whether the source of `address` has a token left at `now`, monotonic ms, in that `scope`; takes none. */
  allows(address: string, now: number, scope = ""): boolean {
    return this.#sharesOf(address).every(({ name, most }) =>
      this.#leftOf(scope + name, most, now) >= 1
    );
  }

  /** Takes a token of the source of `address` at `now`; each `scope` has its own bucket. False if no token is left. */
  take(address: string, now: number, scope = ""): boolean {
    const lefts = this.#sharesOf(address).map(({ name, most }) => {
      const key = scope + name;
      return { key, most, left: this.#leftOf(key, most, now) };
    });
    const passes = lefts.every(({ left }) => left >= 1);
    for (const { key, most, left } of lefts) {
      this.#buckets.delete(key);
      this.#buckets.set(key, { most, left: passes ? left - 1 : left, at: now });
      if (this.#buckets.size > BUCKETS_MAX) this.#forgetOne(now);
    }
    return passes;
  }

  /** Whether the source of `address` would have a token left, had its neighbors in the /48 not taken those of the site. */
  isSpentByNeighbors(address: string, now: number): boolean {
    const [own, site] = this.#sharesOf(address);
    const has = (share: typeof own) =>
      share === undefined || this.#leftOf(share.name, share.most, now) >= 1;
    return has(own) && !has(site);
  }

  #forgetOne(now: number): void {
    const oldest = this.#buckets.entries().take(COMPARED).toArray();
    const lacks = oldest.map(([key, { most }]) => most - this.#leftOf(key, most, now));
    const fullest = lacks.indexOf(Math.min(...lacks));
    for (const [place, [key, bucket]] of oldest.entries()) {
      this.#buckets.delete(key);
      // The others are compared with other ones next time.
      if (place !== fullest) this.#buckets.set(key, bucket);
    }
  }

  #leftOf(key: string, most: number, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return most;
    const refilled = (now - bucket.at) * most / (this.#rate.seconds * 1_000);
    return Math.min(most, bucket.left + refilled);
  }

  /** The source of `address`, and its site where that is more, and what the full bucket of each has. */
  #sharesOf(address: string): readonly { readonly name: string; readonly most: number }[] {
    const { messages } = this.#rate;
    const [source, site] = [sourceOf(address), siteOf(address)];
    const own = { name: source, most: messages };
    if (!this.#bySite || source === site) return [own];
    return [own, { name: site, most: messages * SITE_SHARE }];
  }
}
