// Reads what the client of a session says, from its login to the end of its connection.

import { CmdchatError, CryptoError } from "../../shared/base/errors.ts";
import { PUSHED_FILES } from "../config/limits.ts";
import { collectBursts, endBursts } from "../delivery/burst.ts";
import { heavyFlushed } from "../delivery/flush_turn.ts";
import { threadTurns } from "../limits/thread_turns.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";
import type { Ending } from "../net/listener.ts";
import type { Relay } from "../relay/relay.ts";
import type { Session } from "../session/session.ts";
import { faultText } from "../telemetry/log.ts";
import type { FrameSource } from "./frame_source.ts";
import type { Login } from "./login.ts";

/** A session that was opened, and how it is read. */
export interface SessionReading {
  readonly relay: Relay;
  readonly connection: Connection;
  readonly source: FrameSource;
  readonly login: Login;
  /** Told when the session has no connection any more. */
  readonly ending: Ending;
}

/** Reads a session until its connection ends. */
export function readSession(reading: SessionReading): void {
  new SessionReader(reading).readOn();
}

// Steps, and no function that awaits the next read: there is one for each quiet member, and it would keep twice as much.
class SessionReader {
  readonly #relay: Relay;
  readonly #connection: Connection;
  readonly #source: FrameSource;
  readonly #login: Login;
  readonly #ending: Ending;

  constructor({ relay, connection, source, login, ending }: SessionReading) {
    this.#relay = relay;
    this.#connection = connection;
    this.#source = source;
    this.#login = login;
    this.#ending = ending;
  }

  readOn(): void {
    this.#connection.read().then(
      (chunk) => chunk === null ? this.#end(false) : this.#take(chunk),
      (error) => this.#fail(error),
    );
  }

  async #take(chunk: Uint8Array): Promise<void> {
    threadTurns.begin();
    this.#login.session.heardAt = performance.now();
    try {
      if (await receiveAll(this.#source.push(chunk), this.#login)) return this.#end(true);
    } catch (error) {
      return this.#fail(error);
    }
    this.readOn();
  }

  async #fail(error: unknown): Promise<void> {
    // A record that does not open is as much the network's fault as a broken connection: its client may come back.
    const forGood = error instanceof CmdchatError && !(error instanceof CryptoError);
    try {
      await dismiss(this.#relay, this.#login.session, error);
    } finally {
      this.#end(forGood);
    }
  }

  #end(forGood: boolean): void {
    this.#login.end(forGood);
    this.#relay.log.info("client left", { client: this.#login.session.id });
    this.#ending.end();
  }
}

async function receiveAll(frames: Iterable<Uint8Array>, login: Login): Promise<boolean> {
  collectBursts();
  try {
    for (const frame of frames) {
      const messages = login.receive(frame);
      for (;;) {
        const { done, value: isBye } = messages.next();
        if (isBye) return true;
        // After each message: one record may hold ten thousand.
        const pause = login.session.requestBudget.wait(performance.now());
        // Nor are others kept waiting for all that one read holds.
        const isOver = !done && threadTurns.isOver;
        if (pause > 0 || login.session.pushesTo !== undefined || isOver) {
          endBursts();
          if (pause > 0) await waitFor(pause);
          if (login.session.pushesTo !== undefined) await slowDown(login.session);
          if (isOver) await nextTurn();
          collectBursts();
        }
        if (done) break;
      }
    }
  } finally {
    endBursts();
  }
  await threadTurns.next();
  // Whoever has many outboxes filled reads on when these had their turn: no session costs more than is written.
  await heavyFlushed();
  return false;
}

async function nextTurn(): Promise<void> {
  await threadTurns.next();
  threadTurns.begin();
}

/** Waits for those who are behind with what the session pushes, for a while. */
async function slowDown(session: Session): Promise<void> {
  const { pushesTo } = session;
  session.pushesTo = undefined;
  const { patienceMs, lookMs } = PUSHED_FILES;
  let left: number = patienceMs;
  for (; left > 0 && pushesTo?.isBehind(); left -= lookMs) await waitFor(lookMs);
  if (left <= 0) pushesTo?.waited();
}

function waitFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function dismiss(relay: Relay, session: Session, error: unknown): Promise<void> {
  if (!(error instanceof CmdchatError)) return logFault(relay, error);
  relay.counters.protocolErrors++;
  const { message: why } = error;
  relay.log.warning("client broke the protocol, closed", { client: session.id, why });
  await session.dismiss({ why, retry: false });
}

/** Logs a fault of this program; a broken connection is the network's, and is passed over. */
export function logFault({ log }: Relay, error: unknown): void {
  if (error instanceof ConnectionLost) return;
  log.error("unexpected fault", { stack: faultText(error) });
}
