// Time as sealed rooms see it, what a room is made with, what a connection that attaches says to it, and what the next
// process must know.

import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import type { SealedCounters } from "../telemetry/counters.ts";
import type { OrderState } from "./commit_order.ts";
import type { BudgetAccount } from "../limits/fair_budget.ts";
import type { SourceRate } from "../limits/source_rate.ts";
import type { RosterSnapshot } from "./roster.ts";
import type { SeatState } from "./seat.ts";

/** Two clocks and a timer; tests bring their own. */
export interface SealedClock {
  /** Monotonic ms. */
  now(): number;
  /** ms since 1970. */
  utc(): number;
  /** Calls `run` once, after `ms`. Returns what stops that. */
  after(ms: number, run: () => void): () => void;
}

/** The clock of the machine. */
export const SYSTEM_CLOCK: SealedClock = {
  now: () => performance.now(),
  utc: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** What a room is made with. */
export interface SealedRoomOptions {
  readonly number: number;
  readonly rid: Uint8Array;
  readonly clock: SealedClock;
  readonly memory: BudgetAccount;
  readonly counters: SealedCounters;
  /** How long the seat of a member without a connection is kept. */
  readonly graceMs: number;
  /** How often a source may come in; undefined where addresses say nothing about clients. */
  readonly entrances?: (() => SourceRate | undefined) | undefined;
  /** Called when nobody is left, and nobody is waited for. */
  readonly onEmpty: () => void;
  /** What the process before this one knew of it. */
  readonly known?: SealedRoomSnapshot;
}

/** What a connection says that attaches, after its proofs were checked. */
export interface SeatClaim
  extends Pick<RequestOf<"sealed_attach">, "ask" | "member" | "epoch" | "seq"> {
  readonly handle: Uint8Array;
  /** Where it comes from: a network, or what else stands for one. */
  readonly source: string;
}

/** One room: its order, and its members. Votes that are open end with the process. */
export interface SealedRoomSnapshot {
  readonly number: number;
  readonly rid: Uint8Array;
  readonly order: OrderState;
  readonly seats: readonly SeatState[];
  readonly roster: RosterSnapshot;
  /** Handle of the member that made the current epoch; null = not known. */
  readonly committer: Uint8Array | null;
}

/** Of what one process hands to the next, by its shape; see HAND_OVER_FORMAT of server/relay/hand_over_state.ts. */
export const SEALED_FORMAT = "61a3c20a";

/** All sealed rooms of a server. */
export interface SealedSnapshot {
  readonly format: typeof SEALED_FORMAT;
  readonly lastNumber: number;
  /** Those that the admin closed. */
  readonly closed: readonly string[];
  readonly rooms: readonly SealedRoomSnapshot[];
}
