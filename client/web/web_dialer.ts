// From nothing to an open session in a browser: connection, fresh keys, handshake, all within one deadline.

import { ConnectionError } from "../../shared/base/errors.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { generateRsaKeyPair, type RsaKeyPair } from "../../shared/crypto/rsa.ts";
import type { Clock } from "../base/clock.ts";
import { CONNECT_TIMEOUT_MS } from "../base/limits.ts";
import { UnauthorizedError } from "../session/refusal.ts";
import type { ServerGate } from "../session/server_gate.ts";
import type { Session, SessionDestination } from "../session/session.ts";
import { SessionV2 } from "../session/session_v2.ts";
import { connectWeb } from "./web_connection.ts";

/** What every attempt needs. */
export interface WebDialerOptions {
  /** `ws://HOST:PORT` or `wss://HOST:PORT`. */
  readonly url: string;
  /** Decides who gets name, token and ticket. */
  readonly gate: ServerGate;
  readonly clock: Clock;
  /** Asks for a token where none was given and the server needs one. */
  readonly askToken: () => Promise<string | undefined>;
}

/** Makes sessions, one after the other. */
export class WebDialer {
  readonly #options: WebDialerOptions;
  #keyPair: Promise<RsaKeyPair> | undefined;

  constructor(options: WebDialerOptions) {
    this.#options = options;
    this.#freshKeyPair();
  }

  /** Opens a session. Throws as connectWeb() and SessionV2.open() do. */
  async dial(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    const { gate, askToken } = this.#options;
    try {
      return await this.#dialInTime(place, signal);
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || gate.hasToken) throw error;
      const token = await askToken();
      if (token === undefined) throw error;
      gate.takeToken(token);
      return await this.#dialInTime(place, signal);
    }
  }

  async #dialInTime(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    const late = new AbortController();
    const done = new AbortController();
    void this.#options.clock.wait(CONNECT_TIMEOUT_MS, done.signal).then(() => {
      if (!done.signal.aborted) late.abort();
    });
    try {
      return await this.#open(place, AbortSignal.any([signal, late.signal]));
    } catch (cause) {
      if (signal.aborted || !late.signal.aborted) throw cause;
      throw new ConnectionError(
        `Cannot connect: the server did not answer within ${CONNECT_TIMEOUT_MS / 1_000} s`,
        { cause },
      );
    } finally {
      done.abort();
    }
  }

  async #open(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    const { gate, url, clock } = this.#options;
    const keys = this.#freshKeyPair();
    const connection = await connectWeb(url, signal);
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      // A pair that was sent is used up: each connection has its own. So is one that could not be made.
      this.#keyPair = undefined;
      const keyPair = await keys;
      const introduce = (server: Fingerprint) => gate.introduce(server, place);
      const { expected } = gate;
      const tls = url.startsWith("wss:");
      return await SessionV2.open(connection, { keyPair, clock, tls, expected, introduce });
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  #freshKeyPair(): Promise<RsaKeyPair> {
    return this.#keyPair ??= generateRsaKeyPair();
  }
}
