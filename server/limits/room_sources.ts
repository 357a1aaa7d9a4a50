// A value for each source in each room, such as a ban. When there are too many, the source that made the rooms with the
// most values loses its oldest one.

import type { FairBudgetOptions } from "./fair_budget.ts";
import { type BudgetPayer, type BudgetShare, FairBudget } from "./fair_budget.ts";
import { sourceOf } from "./ip_network.ts";

/** The room that a value belongs to. */
export interface SourcedRoom {
  readonly title: string;
  /** Address of the client that made the room; undefined where nobody knows it. */
  readonly madeBy: string | undefined;
}

/** One value, for another process: room, source of the room's maker, source, value. */
export type RoomSourcesState<V> = readonly (readonly [string, string, string, V])[];

/** Values of type `V` by room and source: an IPv4 address or an IPv6 /64. */
export class RoomSources<V> {
  readonly #budget: FairBudget;
  readonly #rooms = new Map<string, SourcesOfRoom<V>>();

  constructor(budget: FairBudgetOptions) {
    this.#budget = new FairBudget(budget);
  }

  /** Sets the value for the source of `address` in a room. */
  set({ title, madeBy }: SourcedRoom, address: string, value: V): void {
    let sources = this.#rooms.get(title);
    if (sources === undefined) {
      sources = new SourcesOfRoom(this.#budget, {
        maker: madeBy === undefined ? title : sourceOf(madeBy),
        onEmpty: () => this.clear(title),
      });
      this.#rooms.set(title, sources);
    }
    sources.set(sourceOf(address), value);
  }

  /** All values, for another process. */
  get state(): RoomSourcesState<V> {
    return [...this.#rooms].flatMap(([title, { maker, values }]) =>
      Array.from(values, ([source, value]) => [title, maker, source, value] as const)
    );
  }

  /** Restores the state of the process before. */
  restore(state: RoomSourcesState<V>): void {
    for (const [title, madeBy, source, value] of state) this.set({ title, madeBy }, source, value);
  }

  /** The value for the source of `address` in the room `title`; undefined = none. */
  get(title: string, address: string): V | undefined {
    return this.#rooms.get(title)?.values.get(sourceOf(address));
  }

  /** Forgets the value for the source of `address` in the room `title`. */
  delete(title: string, address: string): void {
    const sources = this.#rooms.get(title);
    sources?.delete(sourceOf(address));
    sources?.endIfEmpty();
  }

  /** Forgets everything about the room `title`. */
  clear(title: string): void {
    this.#rooms.get(title)?.close();
    this.#rooms.delete(title);
  }
}

class SourcesOfRoom<V> implements BudgetPayer {
  readonly #budget: FairBudget;
  readonly #share: BudgetShare;
  readonly values = new Map<string, V>();
  readonly maker: string;

  readonly #onEmpty: () => void;

  constructor(
    budget: FairBudget,
    { maker, onEmpty }: { readonly maker: string; readonly onEmpty: () => void },
  ) {
    this.maker = maker;
    this.#onEmpty = onEmpty;
    this.#budget = budget;
    this.#share = budget.open(maker, this);
  }

  set(source: string, value: V): void {
    this.delete(source);
    this.values.set(source, value);
    this.#budget.take(this.#share, 1);
  }

  /** Called by the budget. */
  pay(): void {
    const [oldest] = this.values.keys();
    if (oldest !== undefined) this.delete(oldest);
    this.endIfEmpty();
  }

  /** Forgets a room that has no values left. */
  endIfEmpty(): void {
    if (this.values.size === 0) this.#onEmpty();
  }

  delete(source: string): void {
    if (this.values.delete(source)) this.#budget.give(this.#share, 1);
  }

  close(): void {
    for (const source of this.values.keys()) this.delete(source);
    this.#budget.close(this.#share);
  }
}
