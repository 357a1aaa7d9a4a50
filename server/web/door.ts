// The door of the server's port: looks at the first bytes of a connection and tells a proxy's header, a WebSocket
// upgrade and raw bytes apart. All of it happens within the deadline of the handshake.

import type { ServerConfig } from "../config/server_options.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import type { Connection } from "../net/connection.ts";
import type { BeforeTls } from "../net/listener.ts";
import { FirstBytes } from "./first_bytes.ts";
import { Origins } from "./origins.ts";
import { ProvisionalSlot } from "./provisional_slot.ts";
import { ProxiedConnection } from "./proxied_connection.ts";
import { takeProxyHeader } from "./proxy_protocol.ts";
import { TrustedProxies } from "./trusted_proxies.ts";
import { readUpgradeRequest, upgradeAnswer, type UpgradeRequest } from "./upgrade_request.ts";
import { WebConnection } from "./web_connection.ts";
import { refusalFor, WebRefusal } from "./web_refusal.ts";

/** What is done to let connections in. */
export interface DoorHost {
  /** Counts a connection in; undefined = refuse. */
  admit(address: string): ConnectionSlot | undefined;
  /** The same for one whose address is not known yet. */
  admitUnknown(): ConnectionSlot | undefined;
  /** Whether a client needs a token now. */
  readonly hasTokens: boolean;
}

/** A connection whose carrier is known. */
export interface Entered {
  readonly connection: Connection;
  /** Bytes of it that were read already. */
  readonly first: Uint8Array | undefined;
  readonly isWebSocket: boolean;
}

/** What the door reads of the configuration. */
export type DoorConfig = Pick<ServerConfig, "web" | "web-only-socket" | "trusted-proxy">;

// "GE" of "GET": no length of a frame begins so.
const [LETTER_G, LETTER_E] = [0x47, 0x45];

/** Lets connections in. */
export class Door {
  readonly #host: DoorHost;
  readonly #proxies: TrustedProxies;
  readonly #origins: Origins | undefined;
  readonly #how: string;

  /** Throws ConfigError for origins or networks that cannot be used. */
  constructor(config: DoorConfig, host: DoorHost) {
    this.#host = host;
    const { web = [], "web-only-socket": socketOnly, "trusted-proxy": proxies = [] } = config;
    this.#proxies = new TrustedProxies(proxies);
    const speaksWebSocket = socketOnly || web.length > 0;
    this.#origins = speaksWebSocket
      ? new Origins(web, { hasTokens: () => host.hasTokens })
      : undefined;
    this.#how = "This is a cmdchat server. Join with: cmdchat-client --host HOST --port PORT " +
      "--transport wss";
  }

  /** Decides, before anything is read, whether a connection from `address` may stay; undefined = refuse. */
  admit(address: string): ConnectionSlot | undefined {
    if (!this.#proxies.trusts(address)) return this.#host.admit(address);
    const slot = this.#host.admitUnknown();
    return slot === undefined
      ? undefined
      : new ProvisionalSlot(slot, (from) => this.#host.admit(from));
  }

  /** Reads what a trusted proxy says before a TLS handshake; undefined for any other peer, of which nothing is read. */
  beforeTls(plain: Connection): Promise<BeforeTls> | undefined {
    return this.#proxies.trusts(plain.address) ? readBeforeTls(plain) : undefined;
  }

  /**
   * Finds out what a connection carries; undefined where it ended before that was known, or may not stay. Throws
   * WebRefusal, ProtocolError or ConnectionLost.
   */
  async enter(connection: Connection, slot: ConnectionSlot): Promise<Entered | undefined> {
    if (this.#origins === undefined && this.#proxies.isEmpty) {
      return { connection, first: undefined, isWebSocket: false };
    }
    const first = new FirstBytes(connection);
    const address = await this.#addressOf(connection, first);
    if (!await first.has(1)) return undefined;
    if (this.#origins !== undefined && await speaksHttp(first)) {
      return await this.#upgrade({ connection, first, address, slot });
    }
    if (!moveSlot(slot, address)) return undefined;
    return {
      connection: under(connection, address),
      first: first.bytes,
      isWebSocket: false,
    };
  }

  async #addressOf(connection: Connection, first: FirstBytes): Promise<string> {
    const { address } = connection;
    if (!this.#proxies.trusts(address)) return address;
    return (await takeProxyHeader(first))?.address ?? address;
  }

  async #upgrade({ connection, first, address, slot }: Arriving): Promise<Entered> {
    const request = await readUpgradeRequest(first, this.#how);
    this.#origins?.check(request);
    const client = this.#clientOf(address, request);
    if (!moveSlot(slot, client)) {
      throw new WebRefusal(503, "This server takes no more connections from your address.", client);
    }
    await connection.write(await upgradeAnswer(request));
    return {
      connection: new WebConnection(under(connection, client)),
      first: undefined,
      isWebSocket: true,
    };
  }

  #clientOf(address: string, { head }: UpgradeRequest): string {
    try {
      return this.#proxies.clientOf(address, head);
    } catch (error) {
      throw refusalFor(error);
    }
  }
}

interface Arriving {
  readonly connection: Connection;
  readonly first: FirstBytes;
  readonly address: string;
  readonly slot: ConnectionSlot;
}

async function readBeforeTls(plain: Connection): Promise<BeforeTls> {
  const first = new FirstBytes(plain);
  const header = await takeProxyHeader(first);
  return { address: header?.address ?? plain.address, rest: first.bytes };
}

async function speaksHttp(first: FirstBytes): Promise<boolean> {
  if (first.bytes[0] !== LETTER_G) return false;
  return await first.has(2) && first.bytes[1] === LETTER_E;
}

function moveSlot(slot: ConnectionSlot, address: string): boolean {
  return !(slot instanceof ProvisionalSlot) || slot.moveTo(address);
}

function under(connection: Connection, address: string): Connection {
  return connection.address === address ? connection : new ProxiedConnection(connection, address);
}
