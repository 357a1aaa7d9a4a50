// Who may use the server: tokens, networks that an admin banned, and the number of connections.

import { timingSafeEqual } from "node:crypto";
import { tokenDigest } from "../config/access_tokens.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { type ConnectionSlot, ConnectionSlots } from "../limits/connection_slots.ts";
import { NetworkBans } from "../limits/network_bans.ts";
import type { Counters } from "../telemetry/counters.ts";

/** Decides about connections before anything is read from them, and about tokens after that. */
export class Access {
  /** Networks that an admin banned from the whole server; the makers of rooms have bans of their own. */
  readonly bans = new NetworkBans();
  /** Whether new clients are refused while the sessions that are here stay. */
  draining = false;
  readonly #slots: ConnectionSlots;
  readonly #counters: Counters;
  #tokenDigests: readonly Uint8Array[];
  #closed = false;

  constructor(config: ServerConfig, counters: Counters) {
    const { "max-connections": most, "max-per-address": perSource } = config;
    this.#slots = new ConnectionSlots({ most, perSource });
    this.#counters = counters;
    this.#tokenDigests = config.tokenDigests;
  }

  /** Connections that are counted now, held sessions included. */
  get connections(): number {
    return this.#slots.taken;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Refuses every connection from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Counts a connection in, or returns undefined where it is refused. */
  admit(address: string): ConnectionSlot | undefined {
    const refused = this.#closed || this.bans.covers(address, Date.now());
    const slot = refused ? undefined : this.#slots.admit(address, { heldOnly: this.draining });
    if (slot === undefined) this.#counters.connectionsRefused++;
    else this.#counters.connectionsAccepted++;
    return slot;
  }

  /** The same for a connection whose address a proxy has still to tell; `admit` decides once it is known. */
  admitUnknown(): ConnectionSlot | undefined {
    const heldOnly = this.draining;
    const slot = this.#closed ? undefined : this.#slots.admitUnknown({ heldOnly });
    if (slot === undefined) this.#counters.connectionsRefused++;
    return slot;
  }

  /** Counts a slot beside the caps: for a session whose own connection, which they know, is about to end. */
  keepSlot(address: string): ConnectionSlot {
    return this.#slots.hold(address);
  }

  /** From now on lets in whoever has one of these tokens, or everyone where there is none. */
  useTokens(digests: readonly Uint8Array[]): void {
    this.#tokenDigests = digests;
  }

  /** Whether a client needs a token now. */
  get hasTokens(): boolean {
    return this.#tokenDigests.length > 0;
  }

  /** Whether `token` is one of the server's; all are compared, each in constant time. */
  isAuthorized(token: string | null | undefined): boolean {
    const tokenDigests = this.#tokenDigests;
    if (tokenDigests.length === 0) return true;
    const digest = tokenDigest(token ?? "");
    let found = false;
    for (const known of tokenDigests) found = timingSafeEqual(known, digest) || found;
    return found;
  }
}
