// What all listeners share: each connection is admitted, does its TLS handshake within a deadline, and is served.

import type { TlsFiles } from "../config/tls_files.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { HANDSHAKE_DEADLINE_MS } from "../config/limits.ts";

/** Where to listen, and with which certificate. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
}

/** What a listener does with its connections. */
export interface Service {
  /** Decides, before anything is read, whether a connection from `address` may stay; undefined = close it. */
  readonly admit: (address: string) => ConnectionSlot | undefined;
  /** Serves a connection to its end, after any TLS handshake; then it tells `ending`. */
  readonly onConnection: (connection: Connection, slot: ConnectionSlot, ending: Ending) => void;
  /**
   * Reads what comes before the TLS handshake, on the plain socket; undefined where nothing may. Throws ProtocolError,
   * ConnectionLost, or TurnedAway where the connection may not stay.
   */
  readonly beforeTls?: (plain: Connection, slot: ConnectionSlot) => Promise<BeforeTls> | undefined;
  /** Runs the costly part of a TLS handshake of `address` when its turn comes; at once where it is undefined. */
  readonly inTurn?: (address: string, work: () => Promise<void>) => Promise<void>;
  /** Called for every TLS handshake that failed or took too long. */
  readonly onHandshakeFailed: (address: string) => void;
  /** Called with what `onConnection` threw or told as a fault: a bug of the server. */
  readonly onFault: (error: unknown) => void;
}

/** Is told, once, that a connection was served to its end. */
export interface Ending {
  end(): void;
  /** It ended with a fault, which is a bug of the server. */
  fail(error: unknown): void;
}

/** What came before a TLS handshake. */
export interface BeforeTls {
  /** The address of the client, as a proxy names it, or the peer's own. */
  readonly address: string;
  /** Bytes that were read and belong to the handshake. */
  readonly rest: Uint8Array;
}

/** What came before its TLS handshake shows that a connection may not stay. */
export class TurnedAway extends Error {}

/** A listening socket, plain or TLS. */
export interface Listener {
  readonly tls: boolean;
  /** The address that clients connect to, with the port that the system gave. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** False while connections cannot be accepted: no file descriptor is left, or the listener is closed. */
  readonly isAccepting: boolean;
  /** Serves connections until `close`. TLS handshakes run beside each other, each with its deadline. */
  serve(service: Service): Promise<void>;
  /** Serves this certificate to new connections. Throws ConfigError; then the old one stays in use. */
  renew(tls: TlsFiles): void;
  /** Accepts no more connections; open ones stay open. */
  close(): void;
}

/** What a TLS handshake needs from a service. */
export type Handshaking = Pick<Service, "beforeTls" | "inTurn">;

/** A connection that was accepted and has not done its TLS handshake yet. */
export interface Arrival {
  /** The peer's address without its port. */
  readonly address: string;
  /** Does the TLS handshake after `beforeTls` and in its turn; at once where there is none. Throws where it fails. */
  secure(service: Handshaking, slot: ConnectionSlot): Connection | Promise<Connection>;
  close(): void;
}

/** Lets one connection in; once it was served to its end, it is closed. Never throws. */
export function serveOne(arrival: Arrival, service: Service): void {
  try {
    admit(arrival, service);
  } catch (error) {
    // Thrown on, it would end the loop that accepts.
    service.onFault(error);
    arrival.close();
  }
}

function admit(arrival: Arrival, service: Service): void {
  const slot = service.admit(arrival.address);
  if (slot === undefined) return arrival.close();
  slot.isOf?.(arrival);
  const secured = secureInTime(arrival, service, slot);
  if (!(secured instanceof Promise)) return serveSecured(arrival, service, { slot, secured });
  void secured.then((secured) => serveSecured(arrival, service, { slot, secured }));
}

/** Undefined where the TLS handshake failed, "away" where there was none. */
type Secured = Connection | "away" | undefined;

interface Admitted {
  readonly slot: ConnectionSlot;
  readonly secured: Secured;
}

function serveSecured(arrival: Arrival, service: Service, { slot, secured }: Admitted): void {
  const served = new Served(arrival, service, slot);
  if (secured === "away") return served.end();
  if (secured === undefined) {
    service.onHandshakeFailed(arrival.address);
    return served.end();
  }
  try {
    service.onConnection(secured, slot, served);
  } catch (error) {
    served.fail(error);
  }
}

// No promise, and no closures: each connection has one for as long as it lasts, and those would take ten times as much.
class Served implements Ending {
  readonly #arrival: Arrival;
  readonly #service: Service;
  readonly #slot: ConnectionSlot;

  constructor(arrival: Arrival, service: Service, slot: ConnectionSlot) {
    this.#arrival = arrival;
    this.#service = service;
    this.#slot = slot;
  }

  end(): void {
    this.#arrival.close();
    this.#slot.release();
  }

  fail(error: unknown): void {
    this.#service.onFault(error);
    this.end();
  }
}

function secureInTime(
  arrival: Arrival,
  service: Service,
  slot: ConnectionSlot,
): Secured | Promise<Secured> {
  try {
    const secured = arrival.secure(service, slot);
    // Without TLS there is nothing to wait for, and a timer is a fiftieth of a handshake.
    return secured instanceof Promise ? finishInTime(arrival, secured) : secured;
  } catch {
    return undefined;
  }
}

async function finishInTime(arrival: Arrival, secured: Promise<Connection>): Promise<Secured> {
  // No listener has a deadline for the TLS handshake.
  const timer = setTimeout(() => arrival.close(), HANDSHAKE_DEADLINE_MS);
  try {
    return await secured;
  } catch (error) {
    return error instanceof TurnedAway ? "away" : undefined;
  } finally {
    clearTimeout(timer);
  }
}
