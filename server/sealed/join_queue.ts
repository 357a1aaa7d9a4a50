// Clients enter the group of a sealed room one at a time: each gets the GroupInfo of the current epoch, and some
// seconds for its commit, which a member judges before it is ordered. Members who come back go first; then those whose
// source has left the fewest turns unused (or an eighth of those of its site, if that is more). So a source can delay
// its own people, and hardly others.

import {
  SEALED_CHECK_DENIALS,
  SEALED_CHECK_MS,
  SEALED_FRESH_MAX,
  SEALED_GROUP_INFO_MS,
  SEALED_JOIN_TURN_MS,
} from "../config/limits.ts";
import { TurnsInVain } from "./guests.ts";
import type { SealedClock } from "./room_contract.ts";
import type { Seat } from "./seat.ts";

/** A commit by which somebody joins, and what becomes of it. */
export interface JoiningCommit {
  readonly epoch: number;
  /** Digest of the members after it. */
  readonly roster: Uint8Array;
  readonly body: Uint8Array;
  /** A member has found it sound: orders it. */
  readonly order: () => void;
  /** Members have found it unsound, and its sender may try again by another GroupInfo: tells it so. */
  readonly refuse: () => void;
}

/** The queue's view of its room. */
export interface JoinQueueOptions {
  /** Number of the room. */
  readonly room: number;
  readonly clock: SealedClock;
  /** The current epoch. */
  readonly epoch: () => number;
  /** Whether a seat is in the group. */
  readonly isMember: (seat: Seat) => boolean;
  /** Members with a connection, the best to ask first. */
  readonly members: () => readonly Seat[];
  /** No member could let that seat in. */
  readonly onInVain: (seat: Seat) => void;
  /** Members have found the commit of that seat unsound. */
  readonly onUnsound: (seat: Seat) => void;
}

interface Waiting {
  readonly seat: Seat;
  readonly ask: number;
}

/** A question that members are asked. */
interface Inquiry {
  /** Its number, the same for all of them: also who is slow may answer. */
  readonly question: number;
  /** The epoch that it is about. */
  readonly epoch: number;
  readonly asked: Set<Seat>;
  /** Those of them that have said nothing yet. */
  readonly open: Set<Seat>;
  /** Whether their time is over. */
  isOver: boolean;
}

interface Check extends JoiningCommit, Inquiry {
  denials: number;
}

interface Turn extends Waiting {
  /** The open question for a GroupInfo; undefined = the GroupInfo was handed out. */
  inquiry: Inquiry | undefined;
  /** The commit that members judge. */
  check: Check | undefined;
  stop: () => void;
}

interface GroupInfo {
  readonly epoch: number;
  readonly body: Uint8Array;
  readonly giver: Seat;
  /** Who has been given it. */
  readonly takers: Set<Seat>;
}

/** Hands out turns to join. */
export class JoinQueue {
  readonly #options: JoinQueueOptions;
  readonly #inVain = new TurnsInVain();
  #waiting: Waiting[] = [];
  #turn: Turn | undefined;
  #info: GroupInfo | undefined;
  /** Whose GroupInfo was of no use. */
  readonly #distrusted = new WeakSet<Seat>();
  /** Whose GroupInfo somebody was given last. */
  readonly #gave = new WeakMap<Seat, Seat>();
  /** Who did not answer when last asked: asked after the others. */
  readonly #silentGivers = new WeakSet<Seat>();
  readonly #silentJudges = new WeakSet<Seat>();
  /** The last question that each was asked to judge by: whoever was asked longest ago is next. */
  readonly #judgedAt = new WeakMap<Seat, number>();
  #lastQuestion = 0;

  constructor(options: JoinQueueOptions) {
    this.#options = options;
  }

  /** Bytes of the GroupInfo that is kept. */
  get bytes(): number {
    return this.#info?.body.length ?? 0;
  }

  /** Whether a seat waits for its turn, or has it. */
  has(seat: Seat): boolean {
    return this.#turn?.seat === seat || this.#waiting.some((one) => one.seat === seat);
  }

  /** Takes a seat in at the end. `fresh`: what it was given is of no use, and is not given again. */
  add(seat: Seat, { ask, fresh }: { readonly ask: number; readonly fresh: boolean }): void {
    if (fresh && this.#mayDistrust(seat)) this.#distrust();
    this.#waiting = this.#waiting.filter((one) => one.seat !== seat);
    this.#waiting.push({ seat, ask });
    if (this.#turn?.seat === seat) this.#endInVain(this.#turn);
    else if (this.#turn === undefined) this.#next();
  }

  /** The answer of `giver` to a question. False where it was not asked, or is too late. */
  give(
    giver: Seat,
    info: { readonly question: number; readonly epoch: number; readonly body: Uint8Array },
  ): boolean {
    const turn = this.#turn;
    const inquiry = turn?.inquiry;
    if (turn === undefined || inquiry?.question !== info.question) return false;
    if (!inquiry.open.delete(giver)) return false;
    if (info.epoch !== this.#options.epoch()) {
      this.#askGivers(turn, inquiry);
      return false;
    }
    this.#silentGivers.delete(giver);
    this.#info = { epoch: info.epoch, body: info.body, giver, takers: new Set() };
    this.#handOut(turn, this.#info);
    return true;
  }

  /** The commit of one who joins, for members to judge. False where it is not its turn. */
  judge(seat: Seat, commit: JoiningCommit): boolean {
    const turn = this.#turn;
    if (turn?.seat !== seat || turn.inquiry !== undefined || turn.check !== undefined) return false;
    turn.check = { ...commit, ...this.#inquireAbout(commit.epoch), denials: 0 };
    this.#askJudges(turn, turn.check);
    return true;
  }

  /** What `judge` says of the commit of that question; others' answers and late ones count for nothing. */
  judged(
    judge: Seat,
    { question, ok }: { readonly question: number; readonly ok: boolean },
  ): void {
    const turn = this.#turn;
    const check = turn?.check;
    if (turn === undefined || check?.question !== question || !check.open.delete(judge)) return;
    this.#silentJudges.delete(judge);
    if (ok) {
      turn.check = undefined;
      return check.order();
    }
    if (++check.denials >= SEALED_CHECK_DENIALS) return this.#endUnsound(turn, check);
    this.#askJudges(turn, check);
  }

  /** The commit of a seat came too late, which is nobody's fault: it may ask again. */
  late(seat: Seat): void {
    this.#remove(seat);
  }

  /** A seat has entered. */
  entered(seat: Seat): void {
    this.#inVain.forgive(seat);
    seat.turnsInVain = 0;
    this.#remove(seat);
  }

  /** A seat has no connection any more. */
  gone(seat: Seat): void {
    const turn = this.#turn;
    // Not to have used it is the same as to have gone without.
    if (turn?.seat === seat && turn.inquiry === undefined) this.#countInVain(seat);
    this.#remove(seat);
    if (turn === undefined || turn !== this.#turn) return;
    const { inquiry, check } = turn;
    if (check?.open.delete(seat)) this.#askJudges(turn, check);
    else if (inquiry?.open.delete(seat)) this.#askGivers(turn, inquiry);
  }

  /** The epoch has changed: what is kept is of no use any more. */
  moved(): void {
    this.#info = undefined;
    const turn = this.#turn;
    if (turn === undefined) return;
    // Members answer for the epoch in which they are; a client with a GroupInfo of another gets `conflict`.
    if (turn.inquiry !== undefined) return this.#ask(turn);
    if (turn.check === undefined) return;
    turn.check.refuse();
    this.late(turn.seat);
  }

  /** The room is gone. */
  clear(): void {
    this.#turn?.stop();
    [this.#turn, this.#waiting, this.#info] = [undefined, [], undefined];
  }

  /** Another GroupInfo is work of a member: it is for who was given this one, and not without end. */
  #mayDistrust(seat: Seat): boolean {
    return this.#info?.takers.has(seat) === true && this.#inVain.of(seat) < SEALED_FRESH_MAX;
  }

  /** Members have voided the commit by which that seat came in. */
  voided(seat: Seat): void {
    const giver = this.#gave.get(seat);
    if (giver !== undefined) this.#distrusted.add(giver);
  }

  /** What is kept is of no use: another member is to give one. */
  #distrust(): void {
    if (this.#info !== undefined) this.#distrusted.add(this.#info.giver);
    this.#info = undefined;
  }

  #remove(seat: Seat): void {
    this.#waiting = this.#waiting.filter((one) => one.seat !== seat);
    if (this.#turn?.seat === seat) this.#next();
  }

  #next(): void {
    this.#turn?.stop();
    const next = this.#takeFirst();
    this.#turn = next && { ...next, inquiry: undefined, check: undefined, stop: () => {} };
    if (this.#turn === undefined) return;
    if (this.#info?.epoch === this.#options.epoch()) this.#handOut(this.#turn, this.#info);
    else this.#ask(this.#turn);
  }

  #takeFirst(): Waiting | undefined {
    const [first, ...others] = this.#waiting;
    if (first === undefined) return undefined;
    const best = others.reduce(
      (best, one) => this.#rank(one) < this.#rank(best) ? one : best,
      first,
    );
    this.#waiting = this.#waiting.filter((one) => one !== best);
    return best;
  }

  #rank({ seat }: Waiting): number {
    // A member that fell behind comes first, once: one that uses no turn could keep all newcomers out.
    if (this.#options.isMember(seat) && seat.turnsInVain === 0) return -Infinity;
    const inVain = this.#inVain.of(seat);
    // Within a source or a site, clients without a turn so far come first.
    return inVain + seat.turnsInVain / (inVain + seat.turnsInVain + 1);
  }

  #inquireAbout(epoch: number): Inquiry {
    return {
      question: ++this.#lastQuestion,
      epoch,
      asked: new Set(),
      open: new Set(),
      isOver: false,
    };
  }

  /**
   * Who is asked now, the best first: one, then as many more as have said nothing. So silent members, whoever they are,
   * delay a newcomer by as many waves as their number has digits in base two.
   */
  #nextOf(turn: Turn, inquiry: Inquiry, rank: (seat: Seat) => number): Seat[] {
    const { asked, open } = inquiry;
    const left = this.#options.members().filter((seat) => seat !== turn.seat && !asked.has(seat));
    const next = left.toSorted((a, b) => rank(a) - rank(b)).slice(0, Math.max(1, open.size));
    for (const seat of next) {
      asked.add(seat);
      open.add(seat);
      inquiry.isOver = false;
    }
    return next;
  }

  /** Asks for a GroupInfo of this epoch. */
  #ask(turn: Turn): void {
    turn.inquiry = this.#inquireAbout(this.#options.epoch());
    this.#askGivers(turn, turn.inquiry);
  }

  #askGivers(turn: Turn, inquiry: Inquiry): void {
    const { clock, room } = this.#options;
    const rank = (seat: Seat) =>
      this.#distrusted.has(seat) ? 2 : this.#silentGivers.has(seat) ? 1 : 0;
    const next = this.#nextOf(turn, inquiry, rank);
    if (next.length === 0 && inquiry.open.size > 0 && !inquiry.isOver) return;
    turn.stop();
    if (next.length === 0) return this.#fail(turn);
    const { question, epoch } = inquiry;
    for (const seat of next) seat.tell({ kind: "sealed_group_info_please", room, question, epoch });
    turn.stop = clock.after(SEALED_GROUP_INFO_MS, () => {
      note(inquiry, this.#silentGivers);
      this.#askGivers(turn, inquiry);
    });
  }

  #handOut(turn: Turn, { epoch, body, giver, takers }: GroupInfo): void {
    turn.stop();
    takers.add(turn.seat);
    this.#gave.set(turn.seat, giver);
    turn.inquiry = undefined;
    turn.seat.tell({ kind: "sealed_group_info", ask: turn.ask, epoch, body });
    const { first, least } = SEALED_JOIN_TURN_MS;
    // A neighbor in the site of somebody who wastes turns comes later, but has a whole turn.
    const ms = Math.max(least, first / 2 ** this.#inVain.ofSource(turn.seat));
    turn.stop = this.#options.clock.after(ms, () => this.#endInVain(turn));
  }

  #askJudges(turn: Turn, check: Check): void {
    const { clock, room } = this.#options;
    const next = this.#nextOf(turn, check, (seat) => this.#rankOfJudge(seat, check));
    if (next.length === 0 && check.open.size > 0 && !check.isOver) return;
    turn.stop();
    if (next.length === 0) return this.#endUnsound(turn, check);
    const { question, epoch, roster, body } = check;
    const from = turn.seat.handle;
    for (const seat of next) {
      this.#judgedAt.set(seat, question);
      seat.tell({ kind: "sealed_check_please", room, question, epoch, from, roster, body });
    }
    turn.stop = clock.after(SEALED_CHECK_MS, () => {
      note(check, this.#silentJudges);
      this.#askJudges(turn, check);
    });
  }

  /**
   * The member that gave the GroupInfo is asked last, since it would lie about a bad one; but it is asked before a
   * third member that may not answer either, since the giver has shown that it answers.
   */
  #rankOfJudge(seat: Seat, { asked, denials }: Check): number {
    const last = Number.MAX_SAFE_INTEGER;
    if (seat === this.#info?.giver) {
      return asked.size >= SEALED_CHECK_DENIALS - 1 && denials === 0 ? -1 : last;
    }
    return this.#silentJudges.has(seat) ? last - 1 : this.#judgedAt.get(seat) ?? 0;
  }

  #endUnsound(turn: Turn, { denials, refuse }: Check): void {
    // Where nobody has answered, nobody has found anything wrong with it either.
    if (denials === 0) return this.#fail(turn);
    // The fault may be the GroupInfo's: a source has one more try by that of another member.
    const mayBeInnocent = this.#inVain.of(turn.seat) === 0;
    this.#distrust();
    this.#endInVain(turn);
    if (mayBeInnocent) refuse();
    else this.#options.onUnsound(turn.seat);
  }

  #endInVain(turn: Turn): void {
    this.#countInVain(turn.seat);
    this.#next();
  }

  #countInVain(seat: Seat): void {
    seat.turnsInVain++;
    this.#inVain.count(seat);
  }

  #fail(turn: Turn): void {
    const why = "Cannot join now: nobody in the room could let you in. Try again.";
    turn.seat.tell({ kind: "sealed_declined", ask: turn.ask, room: this.#options.room, why });
    this.#next();
    this.#options.onInVain(turn.seat);
  }
}

/** The time of an inquiry is over: who has said nothing? */
function note(inquiry: Inquiry, silent: WeakSet<Seat>): void {
  inquiry.isOver = true;
  for (const seat of inquiry.open) silent.add(seat);
}
