// From nothing to an open session: connection, fresh keys, handshake, all within one deadline.

import { CmdchatError, ConnectionError } from "../../shared/base/errors.ts";
import { generateRsaKeyPair, type RsaKeyPair } from "../../shared/crypto/rsa.ts";
import {
  ADDRESS_TIMEOUT_MS,
  ANSWER_ELSEWHERE_MS,
  CONNECT_TIMEOUT_MS,
  PROXY_TIMEOUT_MS,
  SILENT_TOLD_MS,
} from "../base/limits.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { MoveRequest, ServerPlace, Session, SessionDestination } from "./session.ts";
import { UnauthorizedError } from "./refusal.ts";
import type { Clock } from "../base/clock.ts";
import { connect } from "../net/connection.ts";
import { silenceHint } from "../net/connection_faults.ts";
import { addressOf, type Endpoint } from "../net/endpoint.ts";
import { lookUpAddresses, type Resolve } from "../net/host_addresses.ts";
import { OtherServers } from "../net/other_servers.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { cryptoRandom } from "./reconnect.ts";
import type { ServerGate } from "./server_gate.ts";
import { SessionV1 } from "./session_v1.ts";
import { SessionV2, type SessionV2Request } from "./session_v2.ts";

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
  /** Called once before the first session, where a server takes the connection and says nothing for a while. */
  readonly onSilent?: ((text: string, hint: string) => void) | undefined;
  /** `--legacy`: v1; called before each attempt. */
  readonly onV1: (() => void) | undefined;
}

interface Opening {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  /** Whether there are other addresses to go to. */
  readonly hasOthers?: boolean;
  /** The server that must answer; without it, the gate decides. */
  readonly expected?: Fingerprint | undefined;
}

/** The hello for a server; its content may depend on the identity that the server proved. */
type Introducing = () => SessionDestination | Promise<SessionDestination>;

/** Makes sessions, one after the other. */
export class Dialer {
  readonly #options: DialerOptions;
  #keyPair: Promise<RsaKeyPair> | undefined;
  /** Where an attempt was made last, which failed or whose session is over: the next one begins at another address. */
  #tried: string | undefined;
  readonly #others = new OtherServers();
  /** Whether the attempt has come to a server. */
  #isReached = false;
  #isSilenceNews = true;

  /** `keyPair` is of the first connection, where somebody began to make it before. Whoever did must not keep it. */
  constructor(options: DialerOptions, keyPair?: Promise<RsaKeyPair>) {
    this.#options = options;
    this.#keyPair = keyPair;
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
    // Who asked may have gone before this was loaded, or while a token was asked for.
    signal.throwIfAborted();
    const { clock, endpoint } = this.#options;
    const patienceMs = endpoint.proxy === undefined ? CONNECT_TIMEOUT_MS : PROXY_TIMEOUT_MS;
    const attempt = new AbortController();
    let late = false;
    this.#isReached = false;
    const abort = () => attempt.abort(signal.reason);
    signal.addEventListener("abort", abort);
    void clock.wait(patienceMs, attempt.signal).then(() => {
      late = !attempt.signal.aborted;
      attempt.abort();
    });
    try {
      const session = await this.#openSomewhere(place, attempt.signal);
      this.#isSilenceNews = false;
      return session;
    } catch (cause) {
      if (!late) throw cause;
      throw this.#lateFault(patienceMs, cause);
    } finally {
      signal.removeEventListener("abort", abort);
      attempt.abort();
    }
  }

  /**
   * Goes on at another server that the present one named. Throws ConnectionError, or what its session's open() throws;
   * nothing has happened unless `letGo` was called.
   */
  async move(place: ServerPlace, { letGo, signal }: MoveRequest): Promise<Session> {
    const { host, port } = place;
    const isNamed = this.#others.places.some((one) => one.host === host && one.port === port);
    if (!isNamed) throw new ConnectionError("The server has not named that place");
    return await this.#openOther(place, { introducing: letGo, signal });
  }

  /**
   * At the first address whose server takes us, then at the servers that the last one told of; what only the network or
   * a busy server says leads to the next.
   */
  async #openSomewhere(place: SessionDestination, signal: AbortSignal): Promise<Session> {
    const addresses = this.#inTurn(await this.#addresses());
    const others = this.#shuffled(this.#others.places, keyOf);
    try {
      return await this.#openNamed(place, addresses, { signal, hasMore: others.length > 0 });
    } catch (error) {
      if (signal.aborted || !(error instanceof ConnectionError)) throw error;
      for (const other of others) {
        try {
          return await this.#openOther(other, { introducing: () => place, signal });
        } catch (otherError) {
          // The user named none of these, so errors there are not shown.
          if (signal.aborted || !(otherError instanceof CmdchatError)) throw otherError;
        }
      }
      throw error;
    }
  }

  /** At the addresses of the host. */
  async #openNamed(
    place: SessionDestination,
    addresses: readonly string[],
    { signal, hasMore }: { readonly signal: AbortSignal; readonly hasMore: boolean },
  ): Promise<Session> {
    const { endpoint } = this.#options;
    const introducing = () => place;
    const hasOthers = hasMore || addresses.length > 1;
    let last: unknown;
    for (const [n, address] of addresses.entries()) {
      this.#tried = address;
      const at = { ...endpoint, addresses: [address] };
      const opening = { endpoint: at, hasOthers };
      if (n === addresses.length - 1 && !hasMore) {
        return await this.#open(introducing, { ...opening, signal });
      }
      try {
        return await this.#inShort(
          signal,
          (short) => this.#open(introducing, { ...opening, signal: short }),
        );
      } catch (error) {
        if (signal.aborted || !(error instanceof ConnectionError)) throw error;
        last = error;
      }
    }
    // Without a known address the system looks the name up, and says what is wrong with it.
    if (last === undefined) return await this.#open(introducing, { endpoint, signal, hasOthers });
    throw last;
  }

  /** At a server that the user did not name: only if it proves the identity of the server that named it. */
  async #openOther(
    place: ServerPlace,
    { introducing, signal }: { readonly introducing: Introducing; readonly signal: AbortSignal },
  ): Promise<Session> {
    const { endpoint, resolve = lookUpAddresses } = this.#options;
    const { expected } = this.#others;
    // TLS proves the name that the user gave: a server names no other one.
    const at = { ...endpoint, port: place.port };
    let last: unknown = new ConnectionError("That place has no address to go to");
    for (const address of await this.#others.addresses(place, resolve)) {
      try {
        const session = await this.#inShort(signal, (short) =>
          this.#open(introducing, {
            endpoint: { ...at, addresses: [address] },
            signal: short,
            hasOthers: true,
            expected,
          }));
        this.#tried = keyOf(place);
        return session;
      } catch (error) {
        if (signal.aborted || !(error instanceof ConnectionError)) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** Gives an attempt ADDRESS_TIMEOUT_MS. Throws ConnectionError after that. */
  async #inShort(
    signal: AbortSignal,
    attempt: (signal: AbortSignal) => Promise<Session>,
  ): Promise<Session> {
    const { clock } = this.#options;
    const trying = new AbortController();
    let late = false;
    void clock.wait(ADDRESS_TIMEOUT_MS, trying.signal).then(() => {
      late = !trying.signal.aborted;
      trying.abort();
    });
    try {
      return await attempt(AbortSignal.any([signal, trying.signal]));
    } catch (cause) {
      if (!late) throw cause;
      throw this.#lateFault(ADDRESS_TIMEOUT_MS, cause);
    } finally {
      trying.abort();
    }
  }

  async #open(
    introducing: Introducing,
    { endpoint, signal, hasOthers = false, expected: only }: Opening,
  ): Promise<Session> {
    const { renderer, bufferSize, clock } = this.#options;
    const keys = this.#freshKeyPair();
    const { onV1, gate } = this.#options;
    const isProvenInside = onV1 === undefined && await gate.knowsServer();
    if (endpoint.tls?.insecure && !isProvenInside) this.#options.onInsecure();
    const reached = () => void this.#reached(signal);
    const connection = await connect({ ...endpoint, isProvenInside, reached }, signal);
    const close = () => connection.close();
    signal.addEventListener("abort", close);
    try {
      // A pair that was sent is used up: each connection has its own. So is one that could not be made.
      this.#keyPair = undefined;
      const common = { keyPair: await keys, clock, tls: endpoint.tls !== undefined };
      const answerMs = hasOthers ? this.#answerMs() : undefined;
      if (onV1 === undefined) {
        const introduce = async (server: Fingerprint) =>
          await gate.introduce(server, await introducing(), connection);
        const expected = only ?? gate.expected;
        const onServers = this.#listener(endpoint);
        // From here on the session itself knows how to give the attempt up.
        signal.removeEventListener("abort", close);
        const session = await SessionV2.open(connection, {
          ...common,
          answerMs,
          expected,
          introduce,
          onServers,
          signal,
        });
        this.#others.clear();
        return session;
      }
      onV1();
      const introduction = await gate.introduce(undefined, await introducing(), connection);
      return await SessionV1.open(connection, { ...common, ...introduction, renderer, bufferSize });
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  /** By chance: the clients of a server that hangs must not all come to the next one in the same second. */
  #answerMs(): number {
    const { random = cryptoRandom } = this.#options;
    return ANSWER_ELSEWHERE_MS * (1 + random() / 2);
  }

  /** Takes the list of a session at `endpoint`. Behind a proxy, or a web server, there is no other way than the one given. */
  #listener({ proxy, webSocket, addresses = [] }: Endpoint): SessionV2Request["onServers"] {
    if (proxy !== undefined || webSocket) return undefined;
    return (list, fingerprint) => {
      const { port } = this.#options.endpoint;
      this.#others.take(list, { fingerprint, address: addresses[0], port });
      return this.#others.places.length > 0 ? this.#answerMs() : undefined;
    };
  }

  async #addresses(): Promise<readonly string[]> {
    const { endpoint, resolve = lookUpAddresses } = this.#options;
    // Behind a proxy the proxy looks names up, and nobody else is to know of them.
    return endpoint.proxy === undefined ? await resolve(endpoint.host) : [];
  }

  /** As the system orders them at first; then the address of before comes last, and the others by chance. */
  #inTurn(addresses: readonly string[]): readonly string[] {
    return this.#tried === undefined ? addresses : this.#shuffled(addresses, (address) => address);
  }

  /** By chance, and what was tried last at the end. */
  #shuffled<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
    const { random = cryptoRandom } = this.#options;
    const isTried = (one: T) => keyOf(one) === this.#tried;
    const shuffled = all.filter((one) => !isTried(one)).map((one) => ({ one, at: random() }))
      .sort((a, b) => a.at - b.at).map(({ one }) => one);
    return [...shuffled, ...all.filter(isTried)];
  }

  /** A server took the connection: the user hears of it where it then says nothing. */
  async #reached(signal: AbortSignal): Promise<void> {
    this.#isReached = true;
    const { clock, endpoint, onSilent } = this.#options;
    await clock.wait(SILENT_TOLD_MS, signal);
    if (signal.aborted || !this.#isSilenceNews) return;
    this.#isSilenceNews = false;
    const seconds = SILENT_TOLD_MS / 1_000;
    const text = `${
      addressOf(endpoint)
    } took the connection, and has said nothing for ${seconds} s`;
    onSilent?.(text, silenceHint(endpoint));
  }

  #lateFault(ms: number, cause: unknown): ConnectionError {
    const { endpoint } = this.#options;
    const where = `Cannot connect to ${addressOf(endpoint)}`;
    const within = `did not answer within ${ms / 1_000} s`;
    return this.#isReached
      ? new ConnectionError(`${where}: it took the connection, and ${within}`, {
        cause,
        hint: silenceHint(endpoint),
      })
      : new ConnectionError(`${where}: it ${within}`, {
        cause,
        hint: "check host and port; a firewall may be in between",
      });
  }

  #freshKeyPair(): Promise<RsaKeyPair> {
    return this.#keyPair ??= generateRsaKeyPair();
  }
}

function keyOf({ host, port }: ServerPlace): string {
  return hostAndPort(host, port);
}
