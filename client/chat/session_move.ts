// A session that goes on at another server of the cluster because its own asked for it: the next connection is open,
// and has proved who it is, before this one is let go, and nobody sees anything of it.

import { CmdchatError } from "../../shared/base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { RequestLedger } from "../session/request_ledger.ts";
import type { MoveRequest, ServerPlace, Session, SessionDestination } from "../session/session.ts";

// However often a server asks: it must not make its clients knock somewhere again and again.
const PAUSE_MS = 60_000;
// A server that was asked to let us go has so long; after that, its connection is as good as lost.
const LET_GO_MS = 6_000;

/** Opens the session at another place. Throws where it cannot; the present one is as it was unless it was let go. */
export type OpenElsewhere = (place: ServerPlace, request: MoveRequest) => Promise<Session>;

/** What moves need of their chat. */
export interface SessionMoveOptions {
  readonly move?: OpenElsewhere | undefined;
  readonly clock: Clock;
  readonly requests: RequestLedger;
  /** What is said to the next server, as of now. */
  readonly destination: () => SessionDestination;
  /** Aborts when the chat is over. */
  readonly signal: AbortSignal;
}

/** The moves of one chat, one at a time. */
export class SessionMove {
  readonly #options: SessionMoveOptions;
  #begunAt = -Infinity;
  #opening: Promise<Session | undefined> | undefined;
  #over = Promise.withResolvers<void>();
  #next: Session | undefined;

  constructor(options: SessionMoveOptions) {
    this.#options = options;
  }

  /** Whether `session` goes on with the one before, unnoticed. */
  isNext(session: Session): boolean {
    return session === this.#next && session.welcome.resumed;
  }

  /** Begins to move `session`, unless a move is under way or was lately. */
  begin(session: Session, place: ServerPlace): void {
    const { move, clock, signal } = this.#options;
    const now = clock.now();
    const isLately = now - this.#begunAt < PAUSE_MS;
    if (move === undefined || this.#opening !== undefined || isLately) return;
    this.#begunAt = now;
    // It may be over by itself before it is to be let go.
    const over = this.#over.promise;
    const letGo = () => this.#letGo(session, over);
    const opening = move(place, { letGo, signal }).catch(() => {
      // The session goes on; where it was let go already, the next attempt to connect is as any other.
      if (this.#opening === opening) this.#opening = undefined;
      return undefined;
    });
    this.#opening = opening;
  }

  /**
   * The session is over, and all that it was told is done: gives the one to go on with, or undefined where none is
   * about to be open. Throws `fault`, if that ended it, where none is.
   */
  async end(fault: unknown): Promise<Session | undefined> {
    this.#over.resolve();
    this.#over = Promise.withResolvers();
    const next = await this.#opening;
    this.#opening = undefined;
    this.#next = next;
    if (fault === undefined || next !== undefined && fault instanceof CmdchatError) return next;
    next?.close();
    throw fault;
  }

  /** Ends the session from our side, for it goes on elsewhere. */
  async #letGo(session: Session, over: Promise<void>): Promise<SessionDestination> {
    const { requests, clock, destination } = this.#options;
    const waiting = new AbortController();
    requests.detach(session.welcome.holdSeconds);
    session.send({ kind: "moving" }).catch(() => session.close());
    void clock.wait(LET_GO_MS, waiting.signal).then(() => session.close());
    await over;
    waiting.abort();
    return destination();
  }
}
