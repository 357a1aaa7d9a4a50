// Who wants to enter the group of a sealed room, one at a time: each gets the GroupInfo of the current epoch, and some
// seconds for its commit, which a member judges before it is ordered. Members who come back are first; the others in
// the order of how many turns their source, and an eighth of how many their site, has had in vain. So a source can delay
// its own people, and hardly others.

import {
  SEALED_CHECK_MS,
  SEALED_CHECK_TRIES,
  SEALED_FRESH_MAX,
  SEALED_GROUP_INFO_MS,
  SEALED_GROUP_INFO_TRIES,
  SEALED_JOIN_TURN_MS,
  SEALED_SOURCES_KEPT,
} from "../config/limits.ts";
import { SITE_SHARE } from "../limits/ip_network.ts";
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

interface Check extends JoiningCommit {
  readonly question: number;
  readonly asked: Set<Seat>;
  isDenied: boolean;
}

interface Turn extends Waiting {
  readonly asked: Set<Seat>;
  /** Number of the open question for a GroupInfo; 0 = the GroupInfo was handed out. */
  question: number;
  /** The commit that a member judges. */
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

/** How many turns each source, and each site, has had in vain. */
class TurnsInVain {
  readonly #sources = new Map<string, number>();
  readonly #sites = new Map<string, number>();

  count({ source, site }: Seat): void {
    add(this.#sources, source);
    add(this.#sites, site);
  }

  /** One of that source has used its turn: those of its neighbors count on. */
  forgive(seat: Seat): void {
    const left = (this.#sites.get(seat.site) ?? 0) - this.ofSource(seat);
    this.#sources.delete(seat.source);
    if (left > 0) this.#sites.set(seat.site, left);
    else this.#sites.delete(seat.site);
  }

  ofSource({ source }: Seat): number {
    return this.#sources.get(source) ?? 0;
  }

  /** Of a seat's source, or its part of those of its whole site, whichever is more. */
  of(seat: Seat): number {
    const ofSite = Math.floor((this.#sites.get(seat.site) ?? 0) / SITE_SHARE);
    return Math.max(this.ofSource(seat), ofSite);
  }
}

function add(counts: Map<string, number>, name: string): void {
  const before = counts.get(name) ?? 0;
  counts.delete(name);
  counts.set(name, before + 1);
  if (counts.size > SEALED_SOURCES_KEPT) counts.delete(counts.keys().next().value as string);
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
    if (turn === undefined || turn.question !== info.question || !turn.asked.has(giver)) {
      return false;
    }
    if (info.epoch !== this.#options.epoch()) {
      this.#ask(turn);
      return false;
    }
    this.#info = { epoch: info.epoch, body: info.body, giver, takers: new Set() };
    this.#handOut(turn, this.#info);
    return true;
  }

  /** The commit of one who joins, for members to judge. False where it is not its turn. */
  judge(seat: Seat, commit: JoiningCommit): boolean {
    const turn = this.#turn;
    if (turn?.seat !== seat || turn.question > 0 || turn.check !== undefined) return false;
    turn.check = {
      ...commit,
      question: ++this.#lastQuestion,
      asked: new Set(),
      isDenied: false,
    };
    this.#askForCheck(turn, turn.check);
    return true;
  }

  /** What `judge` says of the commit of that question; others' answers and late ones count for nothing. */
  judged(
    judge: Seat,
    { question, ok }: { readonly question: number; readonly ok: boolean },
  ): void {
    const turn = this.#turn;
    const check = turn?.check;
    if (turn === undefined || check?.question !== question || !check.asked.has(judge)) return;
    if (ok) {
      turn.check = undefined;
      return check.order();
    }
    check.isDenied = true;
    this.#askForCheck(turn, check);
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
    if (turn?.seat === seat && turn.question === 0) this.#countInVain(seat);
    this.#remove(seat);
    const last = turn && [...(turn.check ?? turn).asked].at(-1);
    if (turn === undefined || turn !== this.#turn || last !== seat) return;
    if (turn.check !== undefined) this.#askForCheck(turn, turn.check);
    else if (turn.question > 0) this.#ask(turn);
  }

  /** The epoch has changed: what is kept is of no use any more. */
  moved(): void {
    this.#info = undefined;
    // A member that has just been asked answers for an epoch that is over; a client with its GroupInfo gets `conflict`.
    if (this.#turn !== undefined && this.#turn.question > 0) this.#ask(this.#turn, this.#turn.seat);
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
    this.#turn = next &&
      { ...next, asked: new Set(), question: 0, check: undefined, stop: () => {} };
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
    // Within a source or a site, whoever has not had a turn yet comes first.
    return inVain + seat.turnsInVain / (inVain + seat.turnsInVain + 1);
  }

  /** Asks the next member; `again`: all may be asked once more. */
  #ask(turn: Turn, again?: Seat): void {
    turn.stop();
    if (again !== undefined) turn.asked.clear();
    const { clock, room, epoch } = this.#options;
    const members = this.#options.members().filter((seat) =>
      seat !== turn.seat && !turn.asked.has(seat)
    );
    const giver = members.find((seat) => !this.#distrusted.has(seat)) ?? members[0];
    if (giver === undefined || turn.asked.size >= SEALED_GROUP_INFO_TRIES) return this.#fail(turn);
    turn.asked.add(giver);
    turn.question = ++this.#lastQuestion;
    giver.tell({ kind: "sealed_group_info_please", room, question: turn.question, epoch: epoch() });
    turn.stop = clock.after(SEALED_GROUP_INFO_MS, () => this.#ask(turn));
  }

  #handOut(turn: Turn, { epoch, body, giver, takers }: GroupInfo): void {
    turn.stop();
    takers.add(turn.seat);
    this.#gave.set(turn.seat, giver);
    turn.question = 0;
    turn.seat.tell({ kind: "sealed_group_info", ask: turn.ask, epoch, body });
    const { first, least } = SEALED_JOIN_TURN_MS;
    // A neighbor in the site of somebody who wastes turns comes later, but has a whole turn.
    const ms = Math.max(least, first / 2 ** this.#inVain.ofSource(turn.seat));
    turn.stop = this.#options.clock.after(ms, () => this.#endInVain(turn));
  }

  /** The next member judges. */
  #askForCheck(turn: Turn, check: Check): void {
    turn.stop();
    const { clock, room } = this.#options;
    const { question, epoch, roster, body } = check;
    const judge = this.#judgeFor(turn, check);
    if (judge === undefined || check.asked.size >= SEALED_CHECK_TRIES) {
      return this.#endUnsound(turn, check);
    }
    check.asked.add(judge);
    const from = turn.seat.handle;
    judge.tell({ kind: "sealed_check_please", room, question, epoch, from, roster, body });
    turn.stop = clock.after(SEALED_CHECK_MS, () => this.#askForCheck(turn, check));
  }

  /**
   * Last of all whoever gave the GroupInfo: where that is the fault, its giver would say of it what it likes. But before a
   * third member that may not answer either, since the giver has shown that it does.
   */
  #judgeFor({ seat: joiner }: Turn, { asked, isDenied }: Check): Seat | undefined {
    const giver = this.#info?.giver;
    const left = this.#options.members().filter((seat) => seat !== joiner && !asked.has(seat));
    const isLast = asked.size >= SEALED_CHECK_TRIES - 1 && !isDenied;
    return left.find((seat) => (seat === giver) === isLast) ?? left[0];
  }

  #endUnsound(turn: Turn, { isDenied, refuse }: Check): void {
    // Where nobody has answered, nobody has found anything wrong with it either.
    if (!isDenied) return this.#fail(turn);
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
