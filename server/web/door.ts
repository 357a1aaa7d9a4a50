// The door of the server's port looks at the first bytes of a connection: a proxy's header, a request for the page, a
// WebSocket upgrade, or raw bytes. All of this has to come within the deadline of the handshake.

import type { ServerConfig } from "../config/server_options.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import type { Connection } from "../net/connection.ts";
import { type BeforeTls, TurnedAway } from "../net/listener.ts";
import { FirstBytes } from "./first_bytes.ts";
import { Origins } from "./origins.ts";
import { ProvisionalSlot } from "./provisional_slot.ts";
import { ProxiedConnection } from "./proxied_connection.ts";
import { takeProxyHeader } from "./proxy_protocol.ts";
import type { Page } from "./page.ts";
import type { PageAnswer } from "./page_answer.ts";
import { TrustedProxies } from "./trusted_proxies.ts";
import { upgradeAnswer } from "./upgrade_request.ts";
import { WebConnection } from "./web_connection.ts";
import { refusalFor, WebRefusal } from "./web_refusal.ts";
import { readWebRequest, speaksHttp, type WebRequest } from "./web_request.ts";

/** How connections are admitted. */
export interface DoorHost {
  /** Counts a connection in; undefined = refuse. */
  admit(address: string): ConnectionSlot | undefined;
  /** The same for a connection whose client's address is not known yet. */
  admitUnknown(): ConnectionSlot | undefined;
  /** Whether a client needs a token now. */
  readonly hasTokens: boolean;
}

/** A connection of which it is known whether raw bytes or WebSocket frames carry it. */
export interface Entered {
  readonly kind: "session";
  readonly connection: Connection;
  /** Bytes that were already read from it. */
  readonly first: Uint8Array | undefined;
  readonly isWebSocket: boolean;
}

/** A connection of a browser that gets the page and nothing else. */
export interface PageAsked {
  readonly kind: "page";
  readonly answer: PageAnswer;
}

/** What the door reads of the configuration. */
export type DoorConfig = Pick<ServerConfig, "web" | "web-only-socket" | "trusted-proxy">;

/** Throws ConfigError where the origins or networks of `config` cannot be used. */
export function checkDoor(config: DoorConfig, hasTokens: boolean): void {
  const nobody = () => undefined;
  new Door(config, { hasTokens, admit: nobody, admitUnknown: nobody });
}

/** Lets connections in. */
export class Door {
  readonly #host: DoorHost;
  readonly #proxies: TrustedProxies;
  readonly #origins: Origins | undefined;
  readonly #how: string;
  readonly #page: Page | undefined;

  /** Without `page`, no page is served. Throws ConfigError for origins or networks that cannot be used. */
  constructor(config: DoorConfig, host: DoorHost, page?: Page) {
    this.#host = host;
    this.#page = page;
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

  /** Reads the header of a trusted proxy before TLS begins; undefined for other peers, from which nothing is read. */
  beforeTls(plain: Connection, slot: ConnectionSlot): Promise<BeforeTls> | undefined {
    return slot instanceof ProvisionalSlot ? this.#readBeforeTls(plain, slot) : undefined;
  }

  /**
   * Finds out what a connection carries; undefined where it ended too early or may not stay. Throws WebRefusal,
   * ProtocolError or ConnectionLost.
   */
  async enter(
    connection: Connection,
    slot: ConnectionSlot,
  ): Promise<Entered | PageAsked | undefined> {
    if (this.#origins === undefined && this.#proxies.isEmpty) {
      return { kind: "session", connection, first: undefined, isWebSocket: false };
    }
    const first = new FirstBytes(connection);
    const address = await this.#addressOf(connection, first, slot);
    if (address === undefined || !await first.has(1)) return undefined;
    if (this.#origins !== undefined && await speaksHttp(first)) {
      return await this.#answer({ connection, first, address, slot });
    }
    if (!moveSlot(slot, address)) return undefined;
    return {
      kind: "session",
      connection: under(connection, address),
      first: first.bytes,
      isWebSocket: false,
    };
  }

  async #readBeforeTls(plain: Connection, slot: ProvisionalSlot): Promise<BeforeTls> {
    const first = new FirstBytes(plain);
    const address = await this.#addressOf(plain, first, slot);
    if (address === undefined) throw new TurnedAway();
    return { address, rest: first.bytes };
  }

  /** The address behind a connection as far as a proxy's header names it; undefined where it may not stay. */
  async #addressOf(
    { address: peer }: Connection,
    first: FirstBytes,
    slot: ConnectionSlot,
  ): Promise<string | undefined> {
    if (!(slot instanceof ProvisionalSlot) || slot.isNamed) return peer;
    const header = await takeProxyHeader(first);
    if (header === undefined) return peer;
    const { address = peer } = header;
    // A proxy that came through another one, perhaps on the same machine, may still name its client, in a field.
    if (header.address !== undefined && this.#proxies.trusts(address)) return address;
    slot.isNamed = true;
    return slot.moveTo(address) ? address : undefined;
  }

  async #answer({ connection, first, address, slot }: Arriving): Promise<Entered | PageAsked> {
    const served = { hasPage: this.#page !== undefined, how: this.#how };
    const request = await readWebRequest(first, served).catch((error) => {
      throw refusalFor(error, undefined, address);
    });
    const client = this.#letIn(request, { address, slot });
    if (request.kind === "page") {
      // readWebRequest() returns a page request only where there is a page.
      const page = this.#page as Page;
      return { kind: "page", answer: page.answer(request.head, request.method) };
    }
    await connection.write(await upgradeAnswer(request));
    return {
      kind: "session",
      connection: new WebConnection(under(connection, client)),
      first: undefined,
      isWebSocket: true,
    };
  }

  /** The address of an admitted client. Throws WebRefusal. */
  #letIn(request: WebRequest, { address, slot }: Pick<Arriving, "address" | "slot">): string {
    let client: string | undefined;
    try {
      const isNamed = slot instanceof ProvisionalSlot && slot.isNamed;
      client = isNamed ? address : this.#proxies.clientOf(address, request.head);
      if (request.kind === "page") this.#origins?.checkHost(request.host);
      else this.#origins?.check(request);
      if (moveSlot(slot, client)) return client;
      throw new WebRefusal(503, "This server takes no more connections from your address.");
    } catch (error) {
      throw refusalFor(error, request.head, client);
    }
  }
}

interface Arriving {
  readonly connection: Connection;
  readonly first: FirstBytes;
  readonly address: string;
  readonly slot: ConnectionSlot;
}

function moveSlot(slot: ConnectionSlot, address: string): boolean {
  return !(slot instanceof ProvisionalSlot) || slot.moveTo(address);
}

function under(connection: Connection, address: string): Connection {
  return connection.address === address ? connection : new ProxiedConnection(connection, address);
}
