// The session of a chat while one is open: what the server said of it, whether its rooms are known yet, and the ticket by
// which the next one goes on with it.

import { ConnectionError } from "../../shared/base/errors.ts";
import type { Session, Ticket } from "../session/session.ts";

/** One session after the other, each from `begin` to `end`. */
export class OpenSession {
  #session: Session | undefined;
  /** Rooms of it that the server has not named yet. */
  #expected = 0;
  #isSettled = false;
  #settled = Promise.withResolvers<void>();
  #ticket: Ticket | undefined;

  /** The session; undefined without one. */
  get now(): Session | undefined {
    return this.#session;
  }

  /** Whether one is open and we are in its rooms. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** What lets the next session go on with the last one; undefined where nothing does. */
  get ticket(): Ticket | undefined {
    return this.#ticket;
  }

  /** Resolves when a session is settled. */
  whenSettled(): Promise<void> {
    return this.#settled.promise;
  }

  /** The open session. Throws ConnectionError where there is none. */
  require(): Session {
    if (this.#session !== undefined) return this.#session;
    throw new ConnectionError("Cannot do that: there is no connection to the server");
  }

  /** A session opens. */
  begin(session: Session): void {
    this.#session = session;
    this.#ticket = session.welcome.ticket;
    this.#expected = session.welcome.rooms;
  }

  /** Whether it has no room whose name is still to come. */
  get isComplete(): boolean {
    return this.#expected === 0;
  }

  /** The server names a room. True where it is the last one of those that it announced. */
  named(): boolean {
    return this.#expected > 0 && --this.#expected === 0;
  }

  /** All its rooms are known. */
  settle(): void {
    this.#isSettled = true;
    this.#settled.resolve();
  }

  /** It is over. */
  end(): void {
    this.#session = undefined;
    this.#isSettled = false;
    this.#settled = Promise.withResolvers();
  }
}
