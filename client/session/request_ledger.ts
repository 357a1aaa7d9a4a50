// Requests that the server has not answered, and those that have not been sent yet: none is lost with a connection, and
// no request is done twice.
//
// The contract:
// 1. Requests leave in the order of the calls, numbered from 1 within a session, paced to the server's limit.
// 2. Each promise resolves once: "confirmed" or with a refusal as the server answered, "lost" where the client cannot
//    know. A refusal says why this one request was not done, whatever else is open.
// 3. A request that left is sent again, under its number, only to the same session; the server drops repeats. The
//    owner calls startAnew() for each session that does not resume the one before.
// 4. A request that has not left waits for the next session, unless it names a person or a message by a number that means
//    another one there.

import type { RequestId } from "../../shared/messages/ids.ts";
import { SealedLinkGuard } from "./sealed_link_guard.ts";
import { quote, sanitizeLine } from "../../shared/base/sanitize.ts";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { UNSENT_MAX } from "../base/limits.ts";
import { type AnyRoomId, isSealedId, type WithAnyIds } from "../base/local_ids.ts";
import type { Event, Request } from "../../shared/messages/messages_v2.ts";
import type { Clock } from "../base/clock.ts";
import type { RatePacer } from "./rate_pacer.ts";

/** Why a request was not done, in the words of whoever refused it; NOT sanitized. */
export interface RequestRefusal {
  readonly why: string;
  /** Whether nobody has shown it to the user. */
  readonly isUntold?: true;
}

const REASON_SHOWN_MAX = 300;

/** Why, as it goes on behind a colon; sanitized. */
export function refusalReason({ why }: RequestRefusal): string {
  return sanitizeLine(why).slice(0, REASON_SHOWN_MAX).replace(/^Not (?:sent|done): |\.$/g, "");
}

/** What became of a request: done, not done, or unknown because the connection broke. */
export type RequestOutcome = "confirmed" | "lost" | RequestRefusal;

/** What became of several requests as if they were one: what is not known, else what was not done. */
export function outcomeOfAll(outcomes: readonly RequestOutcome[]): RequestOutcome {
  return outcomes.find((one) => one === "lost") ?? outcomes.find((one) => one !== "confirmed") ??
    "confirmed";
}

type Drafted<R> = R extends { readonly room: AnyRoomId } ? Omit<R, "id" | "room"> : Omit<R, "id">;
type DraftOf<R> = R extends unknown ? Drafted<R> : never;
type Numbered = Extract<WithAnyIds<Request>, { readonly id: number }> | LinkMove;

/** Tells the members of a sealed room of another link; no server is ever asked for that. */
export interface LinkMove {
  readonly kind: "move";
  readonly id: number;
  readonly secret: Uint8Array;
}

/** A request before it has its number and the id of its room. */
export type RequestDraft = DraftOf<Numbered>;

/** The room of a request: its id is another one in each session, undefined while we are not in it. */
export interface RequestRoom {
  readonly id: AnyRoomId | undefined;
  readonly title?: string;
  /** Only members can read it: its requests never go to the server. */
  readonly isSealed?: boolean;
}

/** Where requests leave to: a session, or the engine of a sealed room. */
export interface RequestSink {
  /** Rejects where the request cannot leave. */
  readonly send: (request: WithAnyIds<Request> | LinkMove) => Promise<void>;
  /** Gives the connection up on which a request could not leave. */
  close(): void;
}

interface Entry {
  readonly draft: RequestDraft;
  readonly room: RequestRoom | undefined;
  readonly settle: (outcome: RequestOutcome) => void;
  /** As it was sent in this session; undefined before that. */
  sent: Numbered | undefined;
  /** When that was. */
  sentAt: number;
  /** Tells the pacer when the server has taken it. */
  taken: (now: number) => void;
}

// A longer wait is shown: until the heartbeat gives a dead connection up, nothing else shows it.
const OVERDUE_MS = 3_000;
const OTHER_SESSION =
  "Not sent: the session ended meanwhile, and the person or message that it was for may be another one now.";

/** What the ledger needs. */
export interface RequestLedgerOptions {
  readonly clock: Clock;
  readonly pacer: RatePacer;
  /** Whether this is the ledger of a sealed room. */
  readonly isSealed?: boolean;
  /** The ledger of a sealed room, which takes all that is asked for there, or of its people; undefined for others. */
  readonly sealedLedger?: (
    draft: RequestDraft,
    room: RequestRoom | undefined,
  ) => RequestLedger | undefined;
  /**
   * Whether something must be known before a request leaves: a promise that resolves when it may be otherwise, or why it
   * does not leave at all; undefined: it leaves.
   */
  readonly hold?: (
    draft: RequestDraft,
    room: RequestRoom | undefined,
  ) => Promise<void> | string | undefined;
  /** Told why a request of the user did not leave. */
  readonly onHeld?: (why: string, room: RequestRoom | undefined) => void;
  /** Called whenever the number of unsent or unanswered requests has changed. */
  readonly onChange: () => void;
}

/** The requests of one client, over as many sessions as it takes. */
export class RequestLedger {
  /** Asks before the link of a sealed room leaves as text. */
  readonly linkGuard = new SealedLinkGuard();
  readonly #options: RequestLedgerOptions;
  #entries: Entry[] = [];
  /** What the server answered, where that is more than whether it was done. */
  readonly #answers = new WeakMap<RequestDraft, Event>();
  /** Requests that the user did not ask for. */
  readonly #unasked = new WeakSet<RequestDraft>();
  /** Why nothing is done any more; undefined while it is. */
  #stopped: string | undefined;
  #lastId = 0;
  #sink: RequestSink | undefined;
  #pumping = false;
  #watching = false;
  #holding: AbortController | undefined;
  #attached = new AbortController();

  constructor(options: RequestLedgerOptions) {
    this.#options = options;
  }

  /** Requests that have not left. */
  get unsent(): number {
    return this.#entries.filter(({ sent }) => sent === undefined).length;
  }

  /** Requests that left and have no answer. */
  get unanswered(): number {
    return this.#entries.length - this.unsent;
  }

  /** Those of them whose answer should be here; all of them without a connection. */
  get overdue(): number {
    if (this.#sink === undefined) return this.unanswered;
    const latest = this.#options.clock.now() - OVERDUE_MS;
    return this.#entries.filter(({ sent, sentAt }) => sent !== undefined && sentAt <= latest)
      .length;
  }

  /** Takes a request, about `room`; it leaves as soon as there is a session and the server's limit allows. */
  add(draft: RequestDraft, room?: RequestRoom): Promise<RequestOutcome> {
    const ledger = this.#options.sealedLedger?.(draft, room);
    if (ledger !== undefined) return ledger.add(draft, room);
    this.#checkPrivacy(draft, room);
    if (!this.#options.isSealed) this.#checkLinks(draft);
    return new Promise((settle) => {
      const entry = { draft, room, settle, sent: undefined, sentAt: 0, taken: () => {} };
      if (this.#stopped !== undefined) return this.#giveUp(entry, this.#stopped);
      this.#entries.push(entry);
      this.#options.onChange();
      void this.#pump();
    });
  }

  /** Throws UsageError where a file of this name, offered in `room`, would give a sealed room away. */
  checkFileName(name: string, room: RequestRoom): void {
    if (!room.isSealed) this.linkGuard.check(name, this.#options.clock.now());
  }

  /** Whatever of it the user has written; the name of a file was checked when it was chosen. */
  #checkLinks(draft: RequestDraft): void {
    const now = this.#options.clock.now();
    if ("text" in draft && draft.text !== null) this.linkGuard.check(draft.text, now);
    if ("name" in draft) this.linkGuard.check(draft.name, now);
    if ("title" in draft) this.linkGuard.check(draft.title, now);
  }

  /** As add(), for what the user did not ask for: nobody waits for it, and its refusal is no news. */
  async addUnasked(draft: RequestDraft, room?: RequestRoom): Promise<RequestOutcome> {
    const ledger = this.#options.sealedLedger?.(draft, room) ?? this;
    ledger.#unasked.add(draft);
    return await ledger.add(draft, room);
  }

  /** What the server answered to a request; undefined if that was lost, or says only the outcome. */
  answerTo(draft: RequestDraft): Event | undefined {
    return this.#answers.get(draft);
  }

  /** Whether the user asked for a request. */
  isUnasked(draft: RequestDraft | undefined): boolean {
    return draft !== undefined && this.#unasked.has(draft);
  }

  /** The next session does not resume this one: what left is lost, and numbers start again at 1. */
  startAnew(): void {
    this.#holding?.abort();
    this.#options.pacer.reset();
    this.#loseSent();
    for (const entry of this.#entries.filter(isBound)) this.#giveUp(entry, OTHER_SESSION);
    this.#lastId = 0;
  }

  /** A session is open and its rooms are known. What left and has no answer leaves again. */
  attach(sink: RequestSink): void {
    this.#holding?.abort();
    this.#sink = sink;
    this.#attached = new AbortController();
    const { clock, pacer } = this.#options;
    for (const entry of this.#entries) {
      if (entry.sent === undefined) continue;
      // The server may see it for the first time now: then it counts from now.
      entry.sentAt = clock.now();
      entry.taken = pacer.count(entry.sentAt);
      this.#send(entry.sent);
    }
    void this.#watch();
    void this.#pump();
  }

  /** The connection is lost. Requests that left are lost once the server no longer holds the session. */
  detach(holdSeconds: number): void {
    // A connection that broke before its rooms were known changes nothing for what left over an earlier one.
    if (this.#sink === undefined) return;
    this.#sink = undefined;
    this.#attached.abort();
    if (holdSeconds === 0) return this.#loseSent();
    const holding = this.#holding = new AbortController();
    void this.#options.clock.wait(holdSeconds * 1_000, holding.signal).then(() => {
      if (!holding.signal.aborted) this.#loseSent();
    });
  }

  /** The server answered request `id`, with `answer` where it said more. Returns the request; undefined where none has this number. */
  answer(
    id: RequestId,
    outcome: "confirmed" | RequestRefusal,
    answer?: Event,
  ): RequestDraft | undefined {
    const at = this.#entries.findIndex(({ sent }) => sent?.id === id);
    const [entry] = at < 0 ? [] : this.#entries.splice(at, 1);
    if (entry === undefined) return undefined;
    entry.taken(this.#options.clock.now());
    if (answer !== undefined) this.#answers.set(entry.draft, answer);
    entry.settle(outcome);
    this.#options.onChange();
    return entry.draft;
  }

  /** Nothing is done any more, because of `why`: what left is lost, and all else is refused, as what comes later is. */
  end(why: string): void {
    this.#holding?.abort();
    this.#attached.abort();
    this.#sink = undefined;
    this.#stopped = why;
    for (const { settle, sent } of this.#entries.splice(0)) {
      settle(sent === undefined ? { why, isUntold: true } : "lost");
    }
    this.#options.onChange();
  }

  /** Nothing of a sealed room is ever asked of the server: neither in it, nor of somebody whom it alone knows. */
  #checkPrivacy(draft: RequestDraft, room: RequestRoom | undefined): void {
    const { isSealed = false } = this.#options;
    const isOfSealed = draft.kind === "direct" ? isSealedId(draft.to) : room?.isSealed ?? isSealed;
    if (isOfSealed !== isSealed) {
      throw new UsageError("Cannot do that in a sealed room: the server would read it");
    }
    if (isSealed && this.#entries.length >= UNSENT_MAX) {
      throw new LimitError(
        `Cannot take the message: ${UNSENT_MAX} are waiting to be sent, the maximum`,
      );
    }
  }

  #loseSent(): void {
    const left = this.#entries.filter(({ sent }) => sent !== undefined);
    this.#entries = this.#entries.filter(({ sent }) => sent === undefined);
    for (const { settle } of left) settle("lost");
    this.#options.onChange();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    const { clock, pacer, onChange } = this.#options;
    for (;;) {
      const next = this.#entries.find(({ sent }) => sent === undefined);
      if (next === undefined || this.#sink === undefined) break;
      if (next.room !== undefined && next.room.id === undefined) {
        this.#giveUp(next, notInRoom(next.room));
        continue;
      }
      const held = this.#options.hold?.(next.draft, next.room);
      if (typeof held === "string") {
        this.#giveUp(next, held);
        continue;
      }
      if (held !== undefined) {
        await held;
        continue;
      }
      const delay = pacer.delay(clock.now());
      if (delay > 0) {
        await clock.wait(delay, this.#attached.signal);
        continue;
      }
      next.sent = numbered(next, ++this.#lastId);
      next.sentAt = clock.now();
      next.taken = pacer.count(next.sentAt);
      this.#send(next.sent);
      void this.#watch();
      onChange();
    }
    this.#pumping = false;
  }

  /** Tells of a change when answers become overdue. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    const { clock, onChange } = this.#options;
    const { signal } = this.#attached;
    while (this.unanswered > 0 && !signal.aborted) {
      await clock.wait(OVERDUE_MS, signal);
      if (!signal.aborted) onChange();
    }
    this.#watching = false;
  }

  /** Drops a request that cannot leave, and tells the user why where it was theirs. */
  #giveUp(entry: Entry, why: string): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
    if (!this.#unasked.has(entry.draft)) this.#options.onHeld?.(why, entry.room);
    entry.settle({ why });
    this.#options.onChange();
  }

  #send(request: Numbered): void {
    const sink = this.#sink;
    // A connection that cannot take it is broken, and reading from it reports that.
    sink?.send(request).catch(() => sink.close());
  }
}

/** Whether numbers in it hold for its session only. */
function isBound({ draft }: Entry): boolean {
  return draft.kind === "direct" || draft.kind === "revise" || draft.kind === "react" ||
    draft.kind === "moderate" || draft.kind === "pin" ||
    (draft.kind === "chat" && draft.reply > 0);
}

function notInRoom({ title }: RequestRoom): string {
  return `Not sent: you are not in ${title === undefined ? "its room" : quote(title)} any more.`;
}

function numbered({ draft, room }: Entry, id: number): Numbered {
  // A draft lacks its room's id exactly where its row has one.
  return { ...draft, ...(room === undefined ? {} : { room: room.id }), id } as Numbered;
}
