// From nothing to an open session: connection, fresh keys, handshake, all within one deadline.

import { ConnectionError } from "../../shared/base/errors.ts";
import { generateRsaKeyPair, type RsaKeyPair } from "../../shared/crypto/rsa.ts";
import {
  ADDRESS_TIMEOUT_MS,
  ANSWER_ELSEWHERE_MS,
  CONNECT_TIMEOUT_MS,
  PROXY_TIMEOUT_MS,
} from "../base/limits.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { Session, SessionDestination } from "./session.ts";
import { UnauthorizedError } from "./refusal.ts";
import type { Clock } from "../base/clock.ts";
import { connect } from "../net/connection.ts";
import { addressOf, type Endpoint } from "../net/endpoint.ts";
import { lookUpAddresses, type Resolve } from "../net/host_addresses.ts";
import { cryptoRandom } from "./reconnect.ts";
import type { ServerGate } from "./server_gate.ts";
import { SessionV1 } from "./session_v1.ts";
import { SessionV2 } from "./session_v2.ts";

/** What every attempt needs. */
export interface DialerOptions {
  readonly endpoint: Endpoint;
  /** Decides who gets name, token and ticket. */
  readonly gate: ServerGate;
  readonly renderer: string;
  readonly bufferSize: number;
  readonly clock: Clock;
  /** Finds the addresses of the endpoint's host; without it, the system's resolver does. */
  readonly resolve?: Resolve;
  /** From 0 up to 1; without it, by chance. */
  readonly random?: () => number;
  /** Asks for a token where none was given and the server needs one. */
  readonly askToken?: (() => Promise<string | undefined>) | undefined;
  /** Called before each attempt that trusts whoever answers. */
  readonly onInsecure: () => void;
  /** `--legacy`: v1; called before each attempt. */
  readonly onV1: (() => void) | undefined;
}

interface Opening {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  /** Whether the host has other addresses. */
  readonly hasOthers?: boolean;
}

/** Makes sessions, one after the other. */
export class Dialer {
  readonly #options: DialerOptions;
  #keyPair: Promise<RsaKeyPair> | undefined;
  /** Where an attempt was made last, which failed or whose session is over: the next one begins at another address. */
  #tried: string | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
    // 50 to 230 ms that pass while everything else starts.
    this.#freshKeyPair();
  }

  /** Opens a session. Throws as connect() and the sessions' open() do. */
  async dial(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    try {
      return await this.#dialInTime(place, signal);
    } catch (error) {
      const { askToken, gate } = this.#options;
      const canAsk = !gate.hasToken && askToken !== undefined;
      if (!(error instanceof UnauthorizedError) || !canAsk) throw error;
      const token = await askToken();
      if (token === undefined) throw error;
      gate.takeToken(token);
      return await this.#dialInTime(place, signal);
    }
  }

  async #dialInTime(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    const { clock, endpoint } = this.#options;
    const patienceMs = endpoint.proxy === undefined ? CONNECT_TIMEOUT_MS : PROXY_TIMEOUT_MS;
    const attempt = new AbortController();
    let late = false;
    const abort = () => attempt.abort(signal.reason);
    signal.addEventListener("abort", abort);
    void clock.wait(patienceMs, attempt.signal).then(() => {
      late = !attempt.signal.aborted;
      attempt.abort();
    });
    try {
      return await this.#openSomewhere(place, attempt.signal);
    } catch (cause) {
      if (!late) throw cause;
      throw new ConnectionError(
        `Cannot connect to ${addressOf(endpoint)}: it did not answer within ${
          patienceMs / 1_000
        } s`,
        { cause, hint: "check host and port; a firewall may be in between" },
      );
    } finally {
      signal.removeEventListener("abort", abort);
      attempt.abort();
    }
  }

  /** At the first address whose server takes us; what only the network or a busy server says leads to the next. */
  async #openSomewhere(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    const { endpoint, clock } = this.#options;
    const addresses = this.#inTurn(await this.#addresses());
    if (addresses.length < 2) return await this.#open(place, { endpoint, signal });
    for (const address of addresses.slice(0, -1)) {
      this.#tried = address;
      const trying = new AbortController();
      void clock.wait(ADDRESS_TIMEOUT_MS, trying.signal).then(() => trying.abort());
      const at = { ...endpoint, addresses: [address] };
      try {
        const either = AbortSignal.any([signal, trying.signal]);
        return await this.#open(place, { endpoint: at, signal: either, hasOthers: true });
      } catch (error) {
        const goesOn = trying.signal.aborted || error instanceof ConnectionError;
        if (signal.aborted || !goesOn) throw error;
      } finally {
        trying.abort();
      }
    }
    const last = addresses.slice(-1);
    this.#tried = last[0];
    return await this.#open(place, {
      endpoint: { ...endpoint, addresses: last },
      signal,
      hasOthers: true,
    });
  }

  async #open(
    place: SessionDestination,
    { endpoint, signal, hasOthers = false }: Opening,
  ): Promise<Session> {
    const { renderer, bufferSize, clock, random = cryptoRandom } = this.#options;
    const keys = this.#freshKeyPair();
    const { onV1, gate } = this.#options;
    const isProvenInside = onV1 === undefined && await gate.knowsServer();
    if (endpoint.tls?.insecure && !isProvenInside) this.#options.onInsecure();
    const connection = await connect({ ...endpoint, isProvenInside }, signal);
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      const common = { keyPair: await keys, clock, tls: endpoint.tls !== undefined };
      // By chance: the clients of a server that hangs must not all come to the next one in the same second.
      const answerMs = hasOthers ? ANSWER_ELSEWHERE_MS * (1 + random() / 2) : undefined;
      // A pair that was sent is used up: each connection has its own.
      this.#keyPair = undefined;
      if (onV1 === undefined) {
        const introduce = (server: Fingerprint) => gate.introduce(server, place, connection);
        const { expected } = gate;
        // From here on the session itself knows how to give the attempt up.
        signal.removeEventListener("abort", close);
        return await SessionV2.open(connection, {
          ...common,
          answerMs,
          expected,
          introduce,
          signal,
        });
      }
      onV1();
      const introduction = await gate.introduce(undefined, place, connection);
      return await SessionV1.open(connection, { ...common, ...introduction, renderer, bufferSize });
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  async #addresses(): Promise<readonly string[]> {
    const { endpoint, resolve = lookUpAddresses } = this.#options;
    // Behind a proxy the proxy looks names up, and nobody else is to know of them.
    return endpoint.proxy === undefined ? await resolve(endpoint.host) : [];
  }

  /** As the system orders them at first; then the address of before comes last, and the others by chance. */
  #inTurn(addresses: readonly string[]): readonly string[] {
    const tried = this.#tried;
    const { random = cryptoRandom } = this.#options;
    if (tried === undefined) return addresses;
    const others = addresses.filter((address) => address !== tried);
    const shuffled = others.map((address) => ({ address, at: random() }))
      .sort((one, other) => one.at - other.at).map(({ address }) => address);
    return others.length === addresses.length ? shuffled : [...shuffled, tried];
  }

  #freshKeyPair(): Promise<RsaKeyPair> {
    return this.#keyPair ??= generateRsaKeyPair();
  }
}
