// Sources that the makers of rooms banned from them, on this server.

import { ROOM_BANS_BUDGET } from "../config/limits.ts";
import { type BudgetPayer, type BudgetShare, FairBudget } from "./fair_budget.ts";
import { sourceOf } from "./ip_network.ts";

/** The room of a ban. */
export interface BanningRoom {
  readonly title: string;
  /** Address of the client that made the room; undefined where nobody knows it. */
  readonly madeBy: string | undefined;
}

/** Bans of sources from rooms; times are ms since 1970. Where there are too many, whoever made most loses the oldest. */
export class RoomBans {
  readonly #budget = new FairBudget(ROOM_BANS_BUDGET);
  readonly #rooms = new Map<string, BansOfRoom>();

  /** Keeps the source of `address` out of a room. */
  add({ title, madeBy }: BanningRoom, address: string, until: number): void {
    let bans = this.#rooms.get(title);
    if (bans === undefined) {
      bans = new BansOfRoom(this.#budget, madeBy === undefined ? title : sourceOf(madeBy));
      this.#rooms.set(title, bans);
    }
    bans.add(sourceOf(address), until);
  }

  /** Until when `address` is kept out of the room `title`, as seen at `now`; undefined where it is not. */
  until(title: string, address: string, now: number): number | undefined {
    const bans = this.#rooms.get(title);
    const until = bans?.until(sourceOf(address), now);
    if (bans?.isEmpty) this.#forget(title, bans);
    return until;
  }

  /** Ends all bans of the room `title`: whoever lifts one knows no addresses. */
  lift(title: string): void {
    const bans = this.#rooms.get(title);
    if (bans !== undefined) this.#forget(title, bans);
  }

  #forget(title: string, bans: BansOfRoom): void {
    bans.close();
    this.#rooms.delete(title);
  }
}

class BansOfRoom implements BudgetPayer {
  readonly #budget: FairBudget;
  readonly #share: BudgetShare;
  readonly #until = new Map<string, number>();

  constructor(budget: FairBudget, maker: string) {
    this.#budget = budget;
    this.#share = budget.open(maker, this);
  }

  get isEmpty(): boolean {
    return this.#until.size === 0;
  }

  add(source: string, until: number): void {
    this.#remove(source);
    this.#until.set(source, until);
    this.#budget.take(this.#share, 1);
  }

  until(source: string, now: number): number | undefined {
    const until = this.#until.get(source);
    if (until === undefined || until > now) return until;
    this.#remove(source);
    return undefined;
  }

  /** Called by the budget. */
  pay(): void {
    const [oldest] = this.#until.keys();
    if (oldest !== undefined) this.#remove(oldest);
  }

  close(): void {
    for (const source of this.#until.keys()) this.#remove(source);
    this.#budget.close(this.#share);
  }

  #remove(source: string): void {
    if (this.#until.delete(source)) this.#budget.give(this.#share, 1);
  }
}
