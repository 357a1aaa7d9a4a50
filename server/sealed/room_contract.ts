// What a sealed room is made with, what is said to it by who comes, and what of it the next process must know.

import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import type { SealedClock } from "./clock.ts";
import type { SealedCounters } from "../telemetry/counters.ts";
import type { OrderState } from "./commit_order.ts";
import type { BudgetAccount } from "../limits/fair_budget.ts";
import type { SeatState } from "./seat.ts";

/** What a room is made with. */
export interface SealedRoomOptions {
  readonly number: number;
  readonly rid: Uint8Array;
  readonly clock: SealedClock;
  readonly memory: BudgetAccount;
  readonly counters: SealedCounters;
  /** How long the place of a lost link is kept. */
  readonly graceMs: number;
  /** Called when nobody is left, and nobody is waited for. */
  readonly onEmpty: () => void;
  /** What the process before this one knew of it. */
  readonly known?: SealedRoomSnapshot;
}

/** What somebody says who attaches, after the proof was checked. */
export type SeatClaim = Pick<
  RequestOf<"sealed_attach">,
  "ask" | "handle" | "owner" | "member" | "epoch" | "seq"
>;

/** One room: its order, and its members. Votes that are open end with the process. */
export interface SealedRoomSnapshot {
  readonly number: number;
  readonly rid: Uint8Array;
  readonly order: OrderState;
  readonly seats: readonly SeatState[];
  /** Handle of whoever made the current epoch; null = not known. */
  readonly committer: Uint8Array | null;
}

/** All sealed rooms of a server. */
export interface SealedSnapshot {
  readonly lastNumber: number;
  /** Those that the operator closed. */
  readonly closed: readonly string[];
  readonly rooms: readonly SealedRoomSnapshot[];
}
