// One bound that many clients share, and who pays when it is reached: the source that holds most, never whoever asks
// next. A source is an IPv4 address or the /64 of an IPv6 one (ip_network.ts). What is no larger than a reserve is not
// taken away from anybody, below a ceiling.

/** Sizes of a budget, in bytes or in entries. */
export interface FairBudgetOptions {
  /** Most that all shares hold together. */
  readonly most: number;
  /** A share that holds no more than this never pays. Shares of this size can therefore come on top of `most`. */
  readonly reserve: number;
  /** Above this, shares within their reserve pay as well: for shares that anybody can have without end. */
  readonly ceiling?: number;
}

/** Who has a share. */
export interface BudgetPayer {
  /** Its share must pay: it gives back some or all of what it holds before it returns. Never throws. */
  pay(): void;
}

/** A budget, and on whose account something is held in it. */
export interface BudgetAccount {
  readonly budget: FairBudget;
  /** Where what is held comes from, as `sourceOf` names it. */
  readonly source: string;
}

interface Source {
  readonly name: string;
  held: number;
  shares: number;
}

/** What one payer holds; changed by the budget alone. */
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

  /** What all shares hold together; what several of them hold in common counts once. */
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
   * `share` holds `amount` more, of which `fresh` is held by nobody else. Where that is too much in all, others pay
   * before this returns, or this share itself where it is the heaviest.
   */
  take(share: BudgetShare, amount: number, fresh: number = amount): void {
    this.#hold(share, amount);
    this.#used += fresh;
    if (this.#used > this.#most) this.#collect();
  }

  /** `share` holds `amount` less, of which nobody else holds `freed`. */
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
      // One that gives nothing back would be asked without end.
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

  /** Of the shares above the reserve: the largest one of the source that holds most. */
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

// The last part of what there is, and how much a source may hold that still gets some of it.
const KEPT_PART = 1 / 16;
const SMALL_HOLDER = 2;

/**
 * Whether a source that has `held` of `most` slots gets another while `used` are taken. What nobody can be made to give
 * back cannot be collected from the heaviest: instead the last sixteenth is kept for sources that have one or none.
 */
export function mayTakeSlot(
  { most, used, held }: { readonly most: number; readonly used: number; readonly held: number },
): boolean {
  const kept = Math.floor(most * KEPT_PART);
  return used < most - kept || (used < most && held < SMALL_HOLDER);
}
