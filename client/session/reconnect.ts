// Keeps a session open: growing pauses between attempts, and which faults end it for good.

import { CmdchatError, ConfigError, CryptoError } from "../../shared/base/errors.ts";
import {
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
  RECONNECT_SOON_MS,
  RECONNECT_SOON_TRIES,
} from "../base/limits.ts";
import { IdentityError, ServerBusyError } from "../../shared/channel/handshake_error.ts";
import type { Clock } from "../base/clock.ts";
import type { Session } from "./session.ts";
import { BusyError, RefusalError, StoppingError } from "./refusal.ts";

/** The pauses of one outage: from 1 to 2 s at first, doubled up to 15 to 30 s, at random in between. */
export class Backoff {
  readonly #random: () => number;
  #next = 2 * RECONNECT_MIN_MS;
  #soon = 0;
  #told: number | undefined;
  #waking = new AbortController();

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number = cryptoRandom) {
    this.#random = random;
  }

  /** The next pause in milliseconds. Jitter keeps the clients of a dead server from coming back all at once. */
  next(): number {
    const told = this.#told;
    this.#told = undefined;
    if (told !== undefined) return told * (1 + this.#random() / 4);
    if (this.#soon > 0) {
      this.#soon--;
      return 2 * RECONNECT_SOON_MS * (1 - this.#random() / 2);
    }
    const pause = this.#next * (1 - this.#random() / 2);
    this.#next = Math.min(2 * this.#next, RECONNECT_MAX_MS);
    return pause;
  }

  /** Ends the pause, or the next one where an attempt is under way. */
  wake(): void {
    this.#waking.abort();
  }

  /** Aborts when the pause is to end. */
  get woken(): AbortSignal {
    return this.#waking.signal;
  }

  /** A pause is over. */
  paused(): void {
    if (this.woken.aborted) this.#waking = new AbortController();
  }

  /** The server said that it is about to be back: the next pauses are short. */
  soon(): void {
    this.#soon = RECONNECT_SOON_TRIES;
  }

  /** The server has too many clients that come in, and said when to come back: the next pause takes so many ms. */
  comeAfter(ms: number): void {
    this.#told = ms;
  }

  /** It is back. */
  opened(): void {
    this.#soon = 0;
  }

  /** The outage is over. */
  reset(): void {
    this.#next = 2 * RECONNECT_MIN_MS;
  }
}

/** What keeps a session open. */
export interface KeepOptions {
  /** Connects and does the handshake. */
  readonly open: (signal: AbortSignal) => Promise<Session>;
  /** Runs an open session to its end; gives the one that goes on with it, if it moved. Throws where it broke. */
  readonly serve: (session: Session) => Promise<Session | undefined>;
  /** A session ended, or an attempt failed with `error`. */
  readonly onDown: (error: unknown) => void;
  /** Called at the start of a pause and after each of its seconds. */
  readonly onWaiting: (secondsLeft: number) => void;
  readonly clock: Clock;
  readonly backoff: Backoff;
  readonly signal: AbortSignal;
  /** Whether somebody can be asked about a server that has another key now; without that it ends the chat. */
  readonly asksTrust: boolean;
}

/** Runs sessions one after the other until `signal` aborts. Throws what another attempt cannot mend. */
export async function keepConnected(options: KeepOptions): Promise<void> {
  const { open, serve, onDown, clock, backoff, signal } = options;
  let succeeded = false;
  let moved: Session | undefined;
  while (!signal.aborted || moved !== undefined) {
    let opened = false;
    try {
      const session = moved ?? await open(signal);
      moved = undefined;
      if (signal.aborted) return await session.leave();
      [opened, succeeded] = [true, true];
      backoff.opened();
      const openedAt = clock.now();
      try {
        moved = await serve(session);
      } finally {
        session.close();
        // A server that takes us and drops us at once must not be asked again every second.
        if (clock.now() - openedAt > RECONNECT_MAX_MS) backoff.reset();
      }
      if (moved !== undefined) continue;
      if (!signal.aborted) onDown(undefined);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CmdchatError) || (!opened && isFinal(error, succeeded, options))) {
        throw error;
      }
      if (error instanceof StoppingError) backoff.soon();
      if (error instanceof ServerBusyError) backoff.comeAfter(error.pauseMs);
      onDown(error);
    }
    await pause(options);
  }
}

/** Whether an attempt that failed with `error` is the last one. */
function isFinal(error: CmdchatError, succeeded: boolean, { asksTrust }: KeepOptions): boolean {
  if (error instanceof BusyError || error instanceof ServerBusyError) return false;
  // What was typed waits for the user's answer; meanwhile the server that was meant may come back.
  if (error instanceof IdentityError && (succeeded || error.isRemembered)) return !asksTrust;
  // A typo in the host must not be tried forever; a server that we have talked to will come back.
  return !succeeded || error instanceof RefusalError || error instanceof ConfigError ||
    error instanceof CryptoError;
}

async function pause({ clock, backoff, signal, onWaiting }: KeepOptions): Promise<void> {
  let left = backoff.next();
  const ending = AbortSignal.any([signal, backoff.woken]);
  while (left > 0 && !ending.aborted) {
    onWaiting(Math.ceil(left / 1_000));
    const step = left % 1_000 || 1_000;
    await clock.wait(step, ending);
    left -= step;
  }
  backoff.paused();
}

/** By chance, from 0 up to 1. */
export function cryptoRandom(): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return value / 2 ** 32;
}
