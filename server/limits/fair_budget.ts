// A bound that many clients share. When it is reached, the site that holds most pays (ip_network.ts), and within it the
// source that holds most, not its neighbors, and never the client that asks next. Shares up to a reserve are never
// taken away below a ceiling.

import { siteOf } from "./ip_network.ts";

/** Sizes of a budget, in bytes or in entries. */
export interface FairBudgetOptions {
  /** The most that all shares may hold together. */
  readonly most: number;
  /** A share up to this size does not pay. Such shares can therefore come on top of `most`. */
  readonly reserve: number;
  /** Above this total, shares within their reserve pay as well: for shares that anybody can open without end. */
  readonly ceiling?: number;
}

/** The owner of a share. */
export interface BudgetPayer {
  /** Makes the share pay: gives back some or all of it before it returns. Never throws. */
  pay(): void;
}

/** A budget, and the payer of one share in it. */
export interface BudgetAccount {
  readonly budget: FairBudget;
  /** The source that pays, as `sourceOf` names it. */
  readonly source: string;
}

/** What all shares of a source, or of a site, hold. */
interface Holder {
  readonly name: string;
  held: number;
  shares: number;
}

/** What one payer holds; only the budget changes it. */
export interface BudgetShare {
  readonly source: Holder;
  readonly site: Holder;
  readonly payer: BudgetPayer;
  held: number;
}

/** A budget in which each payer has a share. */
export class FairBudget {
  readonly #most: number;
  readonly #reserve: number;
  readonly #ceiling: number;
  readonly #sources = new Map<string, Holder>();
  readonly #sites = new Map<string, Holder>();
  readonly #shares = new Set<BudgetShare>();
  #used = 0;
  /** Shares above the reserve. */
  #heavy = 0;
  #isCollecting = false;

  constructor({ most, reserve, ceiling = Infinity }: FairBudgetOptions) {
    this.#most = most;
    this.#reserve = reserve;
    this.#ceiling = ceiling;
  }

  /** What all shares hold together; what several of them share counts once. */
  get used(): number {
    return this.#used;
  }

  /** A share for a payer of the source `name`; `close` ends it. */
  open(name: string, payer: BudgetPayer): BudgetShare {
    const source = joined(this.#sources, name);
    const site = joined(this.#sites, siteOf(name));
    const share = { source, site, payer, held: 0 };
    this.#shares.add(share);
    return share;
  }

  /**
   * `share` grows by `amount`, of which `fresh` is held by nobody else. Above the total, the heaviest source pays
   * before this returns; that may be the source of this share.
   */
  take(share: BudgetShare, amount: number, fresh: number = amount): void {
    this.#hold(share, amount);
    this.#used += fresh;
    if (this.#used > this.#most) this.#collect();
  }

  /** `share` shrinks by `amount`, of which nobody else holds `freed`. */
  give(share: BudgetShare, amount: number, freed: number = amount): void {
    this.#hold(share, -amount);
    this.#used -= freed;
  }

  #hold(share: BudgetShare, amount: number): void {
    const wasHeavy = share.held > this.#reserve;
    share.held += amount;
    share.source.held += amount;
    share.site.held += amount;
    this.#heavy += Number(share.held > this.#reserve) - Number(wasHeavy);
  }

  /** Ends a share that has given everything back; idempotent. */
  close(share: BudgetShare): void {
    if (!this.#shares.delete(share)) return;
    leave(this.#sources, share.source);
    leave(this.#sites, share.site);
  }

  #collect(): void {
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    while (this.#used > this.#most) {
      const share = this.#heavy > 0 ? this.#heaviest() : this.#oldest();
      if (share === undefined) break;
      const before = share.held;
      share.payer.pay();
      // A payer that gives nothing back would be asked forever.
      if (share.held >= before) break;
    }
    this.#isCollecting = false;
  }

  /** Above the ceiling, the oldest share that holds anything. */
  #oldest(): BudgetShare | undefined {
    if (this.#used <= this.#ceiling) return undefined;
    for (const share of this.#shares) if (share.held > 0) return share;
    return undefined;
  }

  /** The largest share above the reserve of the source that holds most of the site that holds most. */
  #heaviest(): BudgetShare | undefined {
    let heaviest: BudgetShare | undefined;
    for (const share of this.#shares) {
      if (share.held <= this.#reserve) continue;
      if (heaviest === undefined || isHeavier(share, heaviest)) heaviest = share;
    }
    return heaviest;
  }
}

function joined(holders: Map<string, Holder>, name: string): Holder {
  let holder = holders.get(name);
  if (holder === undefined) holders.set(name, holder = { name, held: 0, shares: 0 });
  holder.shares++;
  return holder;
}

function leave(holders: Map<string, Holder>, holder: Holder): void {
  if (--holder.shares === 0) holders.delete(holder.name);
}

function isHeavier(share: BudgetShare, than: BudgetShare): boolean {
  if (share.site !== than.site) return share.site.held > than.site.held;
  if (share.source !== than.source) return share.source.held > than.source.held;
  return share.held > than.held;
}

// The part that is reserved, and how much a site may hold and still get some of it.
const KEPT_PART = 1 / 16;
const SMALL_HOLDER = 2;

/**
 * Whether a site that has `held` of `most` slots gets another while `used` are taken. A slot cannot be taken back
 * from the heaviest site; instead the last sixteenth is reserved for sites that have one slot or none.
 */
export function mayTakeSlot(
  { most, used, held }: { readonly most: number; readonly used: number; readonly held: number },
): boolean {
  const kept = Math.floor(most * KEPT_PART);
  return used < most - kept || (used < most && held < SMALL_HOLDER);
}

/** A bound in bytes of what cannot be taken back: sites that hold some of it do not get the last part, as with slots. */
export class FirmBudget {
  readonly #most: number;
  readonly #sites = new Map<string, number>();
  #used = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether the source of `address` gets so many bytes. */
  mayTake(address: string, bytes: number): boolean {
    // Each request asks, and mostly nothing is held.
    if (this.#used === 0) return bytes <= this.#most;
    const held = this.#sites.get(siteOf(address)) ?? 0;
    return mayTakeSlot({ most: this.#most, used: this.#used + bytes, held });
  }

  /** It holds them until `end` resolves. */
  hold(address: string, bytes: number, end: Promise<void>): void {
    const site = siteOf(address);
    this.#add(site, bytes);
    void end.then(() => this.#add(site, -bytes));
  }

  #add(site: string, bytes: number): void {
    const held = (this.#sites.get(site) ?? 0) + bytes;
    this.#used += bytes;
    if (held > 0) this.#sites.set(site, held);
    else this.#sites.delete(site);
  }
}
