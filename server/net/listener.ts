// What every listener has in common: admission, the deadline of the TLS handshake, and who serves a connection.

import type { TlsFiles } from "../config/tls_files.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { HANDSHAKE_DEADLINE_MS } from "../config/limits.ts";

/** Where and how to listen. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
}

/** What is done with connections. */
export interface Service {
  /** Decides, before anything is read, whether a connection from `address` may stay; undefined = refuse. */
  readonly admit: (address: string) => ConnectionSlot | undefined;
  /** Serves a connection to its end, after any TLS handshake. */
  readonly onConnection: (link: Connection, place: ConnectionSlot) => Promise<void>;
  /** Told of every TLS handshake that failed or took too long. */
  readonly onHandshakeFailed: (address: string) => void;
  /** Told of what `onConnection` threw: a mistake of ours. */
  readonly onFault: (error: unknown) => void;
}

/** A listening socket, plain or TLS. */
export interface Listener {
  readonly tls: boolean;
  /** The address that clients reach, with the port that was really taken. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Serves connections until `close`. TLS handshakes run beside each other, each with its deadline. */
  serve(service: Service): Promise<void>;
  /** Serves this certificate to those who connect from now on. Throws ConfigError; then the old one stays. */
  renew(tls: TlsFiles): void;
  /** Takes no more connections; those that are open stay. */
  close(): void;
}

/** A connection that was accepted and has not done its TLS handshake. */
export interface Arrival {
  readonly address: string;
  /** Does the TLS handshake, where there is one. */
  secure(): Promise<Connection>;
  close(): void;
}

export async function serveOne(arrival: Arrival, service: Service): Promise<void> {
  const place = service.admit(arrival.address);
  if (place === undefined) return arrival.close();
  try {
    const link = await secureInTime(arrival);
    if (link === undefined) service.onHandshakeFailed(arrival.address);
    else await service.onConnection(link, place);
  } catch (error) {
    service.onFault(error);
  } finally {
    arrival.close();
    place.release();
  }
}

async function secureInTime(arrival: Arrival): Promise<Connection | undefined> {
  // Accepting ends before the TLS handshake: the deadline is ours.
  const timer = setTimeout(() => arrival.close(), HANDSHAKE_DEADLINE_MS);
  try {
    return await arrival.secure();
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
