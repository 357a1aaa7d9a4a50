// A bound that many clients share. When it is reached, the source that holds most pays, never the client that asks
// next. A source is an IPv4 address or an IPv6 /48, a site (ip_network.ts). Shares up to a reserve are never taken away below
// a ceiling.

/** Sizes of a budget, in bytes or in entries. */
export interface FairBudgetOptions {
  /** The most that all shares may hold together. */
  readonly most: number;
  /** A share up to this size does not pay. Such shares can therefore come on top of `most`. */
  readonly reserve: number;
  /** Above this total, shares within their reserve pay as well: for shares that anybody can open without end. */
  readonly ceiling?: number;
}

/** Who has a share. */
export interface BudgetPayer {
  /** Makes the share pay: gives back some or all of it before it returns. Never throws. */
  pay(): void;
}

/** A budget, and the payer of one share in it. */
export interface BudgetAccount {
  readonly budget: FairBudget;
  /** The source that pays, as `siteOf` names it. */
  readonly source: string;
}

interface Source {
  readonly name: string;
  held: number;
  shares: number;
}

/** What one payer holds; only the budget changes it. */
export interface BudgetShare {
  readonly source: Source;
  readonly payer: BudgetPayer;
  held: number;
}

/** A budget in which each payer has a share. */
export class FairBudget {
  readonly #most: number;
  readonly #reserve: number;
  readonly #ceiling: number;
  readonly #sources = new Map<string, Source>();
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
    let source = this.#sources.get(name);
    if (source === undefined) this.#sources.set(name, source = { name, held: 0, shares: 0 });
    source.shares++;
    const share = { source, payer, held: 0 };
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
    this.#heavy += Number(share.held > this.#reserve) - Number(wasHeavy);
  }

  /** Ends a share that has given everything back; idempotent. */
  close(share: BudgetShare): void {
    if (this.#shares.delete(share) && --share.source.shares === 0) {
      this.#sources.delete(share.source.name);
    }
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

  /** The largest share above the reserve of the source that holds most. */
  #heaviest(): BudgetShare | undefined {
    let heaviest: BudgetShare | undefined;
    for (const share of this.#shares) {
      if (share.held <= this.#reserve) continue;
      if (heaviest === undefined || isHeavier(share, heaviest)) heaviest = share;
    }
    return heaviest;
  }
}

function isHeavier(share: BudgetShare, than: BudgetShare): boolean {
  return share.source === than.source
    ? share.held > than.held
    : share.source.held > than.source.held;
}

// The part that is reserved, and how much a source may hold and still get some of it.
const KEPT_PART = 1 / 16;
const SMALL_HOLDER = 2;

/**
 * Whether a source that has `held` of `most` slots gets another while `used` are taken. A slot cannot be taken back
 * from the heaviest source; instead the last sixteenth is reserved for sources that have one slot or none.
 */
export function mayTakeSlot(
  { most, used, held }: { readonly most: number; readonly used: number; readonly held: number },
): boolean {
  const kept = Math.floor(most * KEPT_PART);
  return used < most - kept || (used < most && held < SMALL_HOLDER);
}
