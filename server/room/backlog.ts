// The last lines of a room for newcomers, where a moderator or the operator wants that: only what was said
// after it was switched on, as it is now. In memory, bounded in lines and bytes, and all rooms together in bytes.

import { BACKLOG_MAX_BYTES } from "../config/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import type { BudgetAccount, BudgetPayer, BudgetShare, FairBudget } from "../limits/fair_budget.ts";

/** A line: sequence, client, name, time, text, action, reply. */
export type EarlierChat = EventOf<"earlier">["list"][number];

// The cost of an entry besides its texts.
const ENTRY_BYTES = 64;

const utf8 = new TextEncoder();

function bytesOf([, , name, , text]: EarlierChat): number {
  return ENTRY_BYTES + utf8.encode(name).length + utf8.encode(text).length;
}

/** What a room keeps for newcomers. */
export class Backlog implements BudgetPayer {
  readonly #byDefault: number;
  readonly #budget: FairBudget | undefined;
  readonly #share: BudgetShare | undefined;
  #lines: number;
  #kept: EarlierChat[] = [];
  #bytes = 0;
  #isClosed = false;

  /** `byDefault`: how many lines a room keeps of which nobody has said otherwise; 0 = none. */
  constructor(byDefault = 0, account?: BudgetAccount) {
    this.#byDefault = byDefault;
    this.#lines = byDefault;
    this.#budget = account?.budget;
    this.#share = account?.budget.open(account.source, this);
  }

  /** How many lines are kept at most; 0 = none. */
  get lines(): number {
    return this.#lines;
  }

  /** What is kept, oldest first. */
  get all(): readonly EarlierChat[] {
    return this.#kept;
  }

  /** From now on so many lines are kept; 0 = none, and what was kept is forgotten. */
  keep(lines: number): void {
    this.#lines = lines;
    this.#trim();
  }

  /** Somebody said something. */
  add(chat: EarlierChat): void {
    if (this.#lines === 0 || this.#isClosed) return;
    this.#take(chat);
    this.#trim();
  }

  /** A line says something else now, or was taken back: null. */
  revise(sequence: number, text: string | null): void {
    const at = this.#kept.findIndex(([each]) => each === sequence);
    const before = this.#kept[at];
    if (before === undefined) return;
    const [, client, name, time, , action, reply] = before;
    const after: EarlierChat[] = text === null
      ? []
      : [[sequence, client, name, time, text, action, reply]];
    this.#kept.splice(at, 1, ...after);
    this.#count(after.reduce((bytes, each) => bytes + bytesOf(each), 0) - bytesOf(before));
    this.#trim();
  }

  /** Takes over what another server or process kept. */
  restore(lines: number, kept: readonly EarlierChat[]): void {
    this.#lines = 0;
    this.#trim();
    this.#lines = lines;
    for (const chat of this.#isClosed ? [] : kept) this.#take(chat);
    this.#trim();
  }

  /** Nobody is in the room any more: the next room of its name begins with nothing. */
  end(): void {
    this.keep(0);
    this.#lines = this.#byDefault;
  }

  /** Called by the budget: forgets the older half. */
  pay(): void {
    const half = this.#bytes / 2;
    while (this.#bytes > half) this.#drop();
  }

  /** The room is gone from this server. */
  close(): void {
    this.keep(0);
    this.#isClosed = true;
    if (this.#share !== undefined) this.#budget?.close(this.#share);
  }

  #take(chat: EarlierChat): void {
    this.#kept.push(chat);
    this.#count(bytesOf(chat));
  }

  #trim(): void {
    while (this.#kept.length > this.#lines || this.#bytes > BACKLOG_MAX_BYTES) this.#drop();
  }

  #drop(): void {
    const oldest = this.#kept.shift();
    if (oldest !== undefined) this.#count(-bytesOf(oldest));
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#share === undefined) return;
    if (bytes > 0) this.#budget?.take(this.#share, bytes);
    else this.#budget?.give(this.#share, -bytes);
  }
}
