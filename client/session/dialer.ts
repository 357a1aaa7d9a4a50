// From nothing to an open session: connection, fresh keys, handshake, all within one deadline.

import { ConnectionError } from "../../shared/base/errors.ts";
import { generateRsaKeyPair, type RsaKeyPair } from "../../shared/crypto/rsa.ts";
import { CONNECT_TIMEOUT_MS, PROXY_TIMEOUT_MS } from "../base/limits.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { Session, SessionDestination } from "./session.ts";
import { UnauthorizedError } from "./refusal.ts";
import type { Clock } from "../base/clock.ts";
import { connect } from "../net/connection.ts";
import { addressOf, type Endpoint } from "../net/endpoint.ts";
import { lookUpAddresses, type Resolve, turned } from "../net/host_addresses.ts";
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
  /** Asks for a token where none was given and the server needs one. */
  readonly askToken?: (() => Promise<string | undefined>) | undefined;
  /** Called before each attempt that trusts whoever answers. */
  readonly onInsecure: () => void;
  /** `--legacy`: v1; called before each attempt. */
  readonly onV1: (() => void) | undefined;
}

/** Makes sessions, one after the other. */
export class Dialer {
  readonly #options: DialerOptions;
  #keyPair: Promise<RsaKeyPair> | undefined;
  /** Grows with each attempt that failed or whose session is over: the next one begins at another address. */
  #turn = -1;

  constructor(options: DialerOptions) {
    this.#options = options;
    // 50 to 230 ms that pass while everything else starts.
    this.#freshKeyPair();
  }

  /** Opens a session. Throws as connect() and the sessions' open() do. */
  async dial(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    this.#turn++;
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
      return await this.#open(place, attempt.signal);
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

  async #open(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    const { endpoint, renderer, bufferSize, clock } = this.#options;
    const keys = this.#freshKeyPair();
    if (endpoint.tls?.insecure) this.#options.onInsecure();
    const connection = await connect(await this.#nextEndpoint(), signal);
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      const common = { keyPair: await keys, clock, tls: endpoint.tls !== undefined };
      // A pair that was sent is used up: each connection has its own.
      this.#keyPair = undefined;
      const { onV1, gate } = this.#options;
      if (onV1 === undefined) {
        const introduce = (server: Fingerprint) => gate.introduce(server, place);
        return await SessionV2.open(connection, { ...common, expected: gate.expected, introduce });
      }
      onV1();
      const introduction = await gate.introduce(undefined, place);
      return await SessionV1.open(connection, { ...common, ...introduction, renderer, bufferSize });
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  // A server that hangs still accepts connections, so that the system would choose it again.
  async #nextEndpoint(): Promise<Endpoint> {
    const { endpoint, resolve = lookUpAddresses } = this.#options;
    // Behind a proxy the proxy looks names up, and nobody else is to know of them.
    if (this.#turn === 0 || endpoint.proxy !== undefined) return endpoint;
    const addresses = await resolve(endpoint.host);
    return addresses.length < 2
      ? endpoint
      : { ...endpoint, addresses: turned(addresses, this.#turn) };
  }

  #freshKeyPair(): Promise<RsaKeyPair> {
    return this.#keyPair ??= generateRsaKeyPair();
  }
}
