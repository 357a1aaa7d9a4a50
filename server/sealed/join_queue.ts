// Those who want into the group of a sealed room, one at a time: each gets the GroupInfo of the current epoch, and
// SEALED_JOIN_TURN_MS for its commit before the next has its turn.

import {
  SEALED_GROUP_INFO_MS,
  SEALED_GROUP_INFO_TRIES,
  SEALED_JOIN_TURN_MS,
} from "../config/limits.ts";
import type { SealedClock } from "./clock.ts";
import type { Seat } from "./seat.ts";

/** The queue's view of its room. */
export interface JoinQueueOptions {
  /** Number of the room. */
  readonly room: number;
  readonly clock: SealedClock;
  /** The current epoch. */
  readonly epoch: () => number;
  /** Who can give a GroupInfo now, the best first. */
  readonly members: () => readonly Seat[];
  /** Nobody could let that seat in. */
  readonly onInVain: (seat: Seat) => void;
}

interface Turn {
  readonly seat: Seat;
  readonly ask: number;
  readonly asked: Set<Seat>;
  /** Number of the question that is open; 0 = none, the GroupInfo was handed out. */
  question: number;
  stop: () => void;
}

interface GroupInfo {
  readonly epoch: number;
  readonly body: Uint8Array;
  readonly giver: Seat;
}

/** Hands out turns to join. */
export class JoinQueue {
  readonly #options: JoinQueueOptions;
  #waiting: { readonly seat: Seat; readonly ask: number }[] = [];
  #turn: Turn | undefined;
  #info: GroupInfo | undefined;
  #distrusted: Seat | undefined;
  #lastQuestion = 0;

  constructor(options: JoinQueueOptions) {
    this.#options = options;
  }

  /** Bytes of the GroupInfo that is kept. */
  get bytes(): number {
    return this.#info?.body.length ?? 0;
  }

  /** Takes a seat in at the end. `fresh`: what it was given is of no use, and is not given again. */
  add(seat: Seat, { ask, fresh }: { readonly ask: number; readonly fresh: boolean }): void {
    if (fresh) {
      this.#distrusted = this.#info?.giver;
      this.#info = undefined;
    }
    const inTurn = this.#turn?.seat === seat;
    this.#waiting = this.#waiting.filter((one) => one.seat !== seat);
    this.#waiting.push({ seat, ask });
    if (inTurn) this.#next();
    else if (this.#turn === undefined) this.#next();
  }

  /** The answer of `giver` to a question. False where it was not asked, or is too late. */
  give(
    giver: Seat,
    info: { readonly question: number; readonly epoch: number; readonly body: Uint8Array },
  ): boolean {
    const turn = this.#turn;
    if (turn === undefined || turn.question !== info.question || !turn.asked.has(giver)) {
      return false;
    }
    if (info.epoch !== this.#options.epoch()) {
      this.#ask(turn);
      return false;
    }
    this.#info = { epoch: info.epoch, body: info.body, giver };
    this.#handOut(turn, this.#info);
    return true;
  }

  /** A seat is done: its commit was ordered, or it is gone. */
  done(seat: Seat): void {
    this.#waiting = this.#waiting.filter((one) => one.seat !== seat);
    if (this.#turn?.seat === seat) this.#next();
    else if (this.#turn !== undefined && this.#turn.question > 0) this.#giverGone(this.#turn, seat);
  }

  /** The epoch has changed: what is kept is of no use any more. */
  moved(): void {
    this.#info = undefined;
    // Whoever has just been asked answers for an epoch that is over; whoever has its GroupInfo is told `conflict`.
    if (this.#turn !== undefined && this.#turn.question > 0) this.#ask(this.#turn, this.#turn.seat);
  }

  /** The room is gone. */
  clear(): void {
    this.#turn?.stop();
    [this.#turn, this.#waiting, this.#info] = [undefined, [], undefined];
  }

  #next(): void {
    this.#turn?.stop();
    const next = this.#waiting.shift();
    this.#turn = next && { ...next, asked: new Set(), question: 0, stop: () => {} };
    if (this.#turn === undefined) return;
    if (this.#info?.epoch === this.#options.epoch()) this.#handOut(this.#turn, this.#info);
    else this.#ask(this.#turn);
  }

  /** Asks the next member; `again`: all may be asked once more. */
  #ask(turn: Turn, again?: Seat): void {
    turn.stop();
    if (again !== undefined) turn.asked.clear();
    const { clock, room, epoch } = this.#options;
    const members = this.#options.members().filter((seat) =>
      seat !== turn.seat && !turn.asked.has(seat)
    );
    const giver = members.find((seat) => seat !== this.#distrusted) ?? members[0];
    if (giver === undefined || turn.asked.size >= SEALED_GROUP_INFO_TRIES) return this.#fail(turn);
    turn.asked.add(giver);
    turn.question = ++this.#lastQuestion;
    giver.tell({ kind: "sealed_group_info_please", room, question: turn.question, epoch: epoch() });
    turn.stop = clock.after(SEALED_GROUP_INFO_MS, () => this.#ask(turn));
  }

  #giverGone(turn: Turn, seat: Seat): void {
    const last = [...turn.asked].at(-1);
    if (last === seat) this.#ask(turn);
  }

  #handOut(turn: Turn, { epoch, body }: GroupInfo): void {
    turn.stop();
    turn.question = 0;
    turn.seat.tell({ kind: "sealed_group_info", ask: turn.ask, epoch, body });
    turn.stop = this.#options.clock.after(SEALED_JOIN_TURN_MS, () => this.#next());
  }

  #fail(turn: Turn): void {
    const why = "Cannot join now: nobody in the room could let you in. Try again.";
    turn.seat.tell({ kind: "sealed_declined", ask: turn.ask, room: this.#options.room, why });
    this.#next();
    this.#options.onInVain(turn.seat);
  }
}
