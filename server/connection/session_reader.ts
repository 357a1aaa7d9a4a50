// Reads what the client of a session says, from its login to the end of its connection.

import { CmdchatError, CryptoError } from "../../shared/base/errors.ts";
import { PUSHED_FILES } from "../config/limits.ts";
import { collectBursts, endBursts } from "../delivery/burst.ts";
import { filledSoFar, heavyFlushed } from "../delivery/flush_turn.ts";
import { type ThreadTurns, threadTurns } from "../limits/thread_turns.ts";
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
  /** Those of the thread, but for tests. */
  readonly turns?: ThreadTurns;
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
  readonly #turns: ThreadTurns;
  readonly #ending: Ending;
  // Made once: those of a read that has waited for a ping would be garbage of the old generation.
  readonly #onChunk = (chunk: Uint8Array | null) =>
    chunk === null ? this.#end(false) : this.#take(chunk);
  readonly #onFailure = (error: unknown) => this.#fail(error);

  constructor(
    { relay, connection, source, login, turns = threadTurns, ending }: SessionReading,
  ) {
    this.#relay = relay;
    this.#connection = connection;
    this.#source = source;
    this.#login = login;
    this.#turns = turns;
    this.#ending = ending;
  }

  readOn(): void {
    this.#connection.read().then(this.#onChunk, this.#onFailure);
  }

  async #take(chunk: Uint8Array): Promise<void> {
    const turns = this.#turns;
    this.#login.session.heardAt = performance.now();
    try {
      // A single message is handled at once, however busy other clients are.
      if (turns.isTaken && this.#source.hasSeveral(chunk)) await turns.inLine();
      const frames = this.#source.push(chunk);
      // Of a cluster, what a read queues comes back later: nobody can tell whose it was.
      const isShared = this.#relay.cluster !== undefined;
      const isBye = await receiveAll(frames, { login: this.#login, turns, isShared });
      if (isBye) return this.#end(true);
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

interface Receiving {
  readonly login: Login;
  readonly turns: ThreadTurns;
  /** Whether others than the reader may have what was said delivered. */
  readonly isShared: boolean;
}

/** True where the client said goodbye. */
async function receiveAll(
  frames: Iterable<Uint8Array>,
  { login, turns, isShared }: Receiving,
): Promise<boolean> {
  const { session } = login;
  const before = filledSoFar();
  let isFirst = true;
  turns.begin();
  collectBursts();
  try {
    for (const frame of frames) {
      if (!isFirst && turns.isOver) await letOthers(turns);
      isFirst = false;
      const messages = login.receive(frame);
      for (;;) {
        const { done, value: isBye } = messages.next();
        if (isBye) return true;
        // After each message: one record may hold ten thousand.
        const pause = session.requestBudget.wait(performance.now());
        if (pause > 0 || session.pushesTo !== undefined) {
          endBursts();
          if (pause > 0) await waitFor(pause);
          if (session.pushesTo !== undefined) await slowDown(session);
          turns.begin();
          collectBursts();
        }
        if (done) break;
        if (turns.isOver) await letOthers(turns);
      }
    }
  } finally {
    endBursts();
  }
  const hasFilled = isShared || filledSoFar() !== before;
  await turns.next();
  // A session that filled many outboxes is read on once these had their turn: no session causes more work than is
  // written. Who says a line to a few does not wait for those of others.
  if (hasFilled) await heavyFlushed();
  return false;
}

/** Others are heard before more of a read is done. */
async function letOthers(turns: ThreadTurns): Promise<void> {
  endBursts();
  await turns.inLine();
  turns.begin();
  collectBursts();
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
