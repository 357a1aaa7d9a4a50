// Sealed rooms of a cluster. Each has a home, the server that orders its frames; the others forward their clients'
// requests and the home's answers. To clients, the death of a home looks like a restarted relay: they reconnect, the
// first server that is asked becomes the home, and members restore the group.

import { encodeBase64 } from "../../shared/base/base64.ts";
import type { Event, SealedRequest } from "../../shared/messages/messages_v2.ts";
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
} from "../../shared/messages/codec_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import { Attachments, type RemoteHomes, type SealedSession } from "../sealed/attachments.ts";
import type { SealedRooms } from "../sealed/sealed_rooms.ts";
import type { Slot } from "./client_numbers.ts";
import type { ClusterMessage, ClusterMessageOf } from "./cluster_messages.ts";

// Numbers of rooms on other servers must differ from those of this server's rooms.
const FIRST_ALIAS = 2 ** 40;

/** What rooms on other servers need of a session here. */
export interface SealedClient {
  readonly id: number;
  readonly address: string;
  deliver(broadcast: EncodedEvent): void;
  /** Closes the connection; the client reconnects on its own. */
  close(): void;
}

/** Messages about sealed rooms. */
export type SealedHomeMessage = Extract<ClusterMessage, { kind: `sealed_${string}` }>;

/** What the homes need. */
export interface SealedHomesOptions {
  readonly slot: Slot;
  readonly send: (message: ClusterMessage) => void;
}

/** The home of each sealed room of a cluster. */
export class SealedHomes {
  readonly #options: SealedHomesOptions;
  readonly #homes = new Map<string, Slot>();
  readonly #own = new Map<string, Uint8Array>();
  readonly #clients = new Map<number, RemoteClient>();
  readonly #guests = new Map<string, Attachments>();
  #rooms: SealedRooms | undefined;

  constructor(options: SealedHomesOptions) {
    this.#options = options;
  }

  /** Watches this server's rooms, and announces those that open and close. */
  watch(rooms: SealedRooms): void {
    this.#rooms = rooms;
    rooms.watch({
      opened: (rid) => {
        this.#own.set(encodeBase64(rid), rid);
        this.#options.send({ kind: "sealed_home", rid });
      },
      closed: (rid) => {
        if (this.#own.delete(encodeBase64(rid))) this.#options.send({ kind: "sealed_end", rid });
      },
    });
  }

  /** A session's part in rooms of other servers. */
  clientOf(client: SealedClient): RemoteHomes {
    return new RemoteClient(client, {
      homeOf: (rid) => {
        const key = encodeBase64(rid);
        return this.#own.has(key) ? undefined : this.#homes.get(key);
      },
      send: this.#options.send,
      enter: (remote) => {
        const before = this.#clients.get(client.id);
        // It came back over another session: what it was in is the next one's.
        if (before !== remote) before?.yield();
        this.#clients.set(client.id, remote);
      },
      leave: (remote) => {
        if (this.#clients.get(client.id) === remote) this.#clients.delete(client.id);
      },
    });
  }

  /** Tells another server which rooms are here. */
  introduce(): void {
    for (const rid of this.#own.values()) this.#options.send({ kind: "sealed_home", rid });
  }

  /** A server is gone: its rooms have no home, and their members reconnect. */
  lost(slot: Slot): void {
    for (const [key, home] of this.#homes) if (home === slot) this.#homes.delete(key);
    for (const client of [...this.#clients.values()]) if (client.uses(slot)) client.comeAgain();
    for (const [key, guest] of this.#guests) {
      if (!key.startsWith(`${slot}:`)) continue;
      this.#guests.delete(key);
      guest.loseConnection();
    }
  }

  /** Messages may have been lost: clients in rooms on other servers reconnect, and so miss nothing. */
  allAgain(): void {
    for (const client of [...this.#clients.values()]) client.comeAgain();
    for (const guest of this.#guests.values()) guest.loseConnection();
    this.#guests.clear();
    this.introduce();
  }

  /** Handles a message of server `slot`. */
  receive(slot: Slot, message: SealedHomeMessage): void {
    if ("to" in message && message.to !== this.#options.slot) return;
    switch (message.kind) {
      case "sealed_home":
        return this.#meetHome(slot, message.rid);
      case "sealed_end": {
        const key = encodeBase64(message.rid);
        if (this.#homes.get(key) === slot) this.#homes.delete(key);
        return;
      }
      case "sealed_ask":
        return this.#guest(slot, message);
      case "sealed_lost": {
        const guest = this.#guests.get(`${slot}:${message.peer}`);
        this.#guests.delete(`${slot}:${message.peer}`);
        if (message.left) guest?.leaveAll();
        else guest?.loseConnection();
        return;
      }
      case "sealed_tell":
        return this.#clients.get(message.peer)?.hear(slot, message.event);
      case "sealed_again":
        return this.#clients.get(message.peer)?.comeAgain();
    }
  }

  // If two servers opened a room at once, the one with the lower number is its home.
  #meetHome(slot: Slot, rid: Uint8Array): void {
    const key = encodeBase64(rid);
    const own = this.#own.get(key);
    if (own !== undefined && this.#options.slot < slot) {
      return this.#options.send({ kind: "sealed_home", rid });
    }
    this.#homes.set(key, slot);
    if (own === undefined) return;
    this.#own.delete(key);
    this.#rooms?.giveUp(rid);
  }

  #guest(
    slot: Slot,
    { peer, source, challenge, request }: ClusterMessageOf<"sealed_ask">,
  ): void {
    const key = `${slot}:${peer}`;
    const rooms = this.#rooms;
    if (rooms === undefined) return;
    const guest = this.#guests.get(key) ??
      new Attachments(this.#ownerOf({ slot, peer, source }), rooms);
    this.#guests.set(key, guest);
    guest.proveBy(challenge);
    guest.handle(decodeRequest(request) as SealedRequest);
  }

  // The client's own server has checked rates and sizes.
  #ownerOf(
    { slot, peer, source }: { readonly slot: Slot; readonly peer: number; readonly source: string },
  ): SealedSession {
    const { send } = this.#options;
    return {
      address: source,
      deliver: ({ event }) =>
        send({ kind: "sealed_tell", to: slot, peer, event: encodeEvent(event) }),
      takeMessage: () => 0,
      takeGroupWork: () => 0,
      spendPace: () => {},
      takesFiles: true,
      close: () => send({ kind: "sealed_again", to: slot, peer }),
    };
  }
}

interface RemoteClientOptions {
  readonly homeOf: (rid: Uint8Array) => Slot | undefined;
  readonly send: (message: ClusterMessage) => void;
  readonly enter: (client: RemoteClient) => void;
  readonly leave: (client: RemoteClient) => void;
}

interface RemoteAttachment {
  readonly slot: Slot;
  readonly number: number;
}

/** A session of this server in rooms of others. */
class RemoteClient implements RemoteHomes {
  readonly #client: SealedClient;
  readonly #options: RemoteClientOptions;
  readonly #attachments = new Map<number, RemoteAttachment>();
  readonly #slots = new Set<Slot>();
  #lastAlias = FIRST_ALIAS;
  /** Chunks that the home asked for: unasked ones are not forwarded. */
  #chunks = 0;

  constructor(client: SealedClient, options: RemoteClientOptions) {
    this.#client = client;
    this.#options = options;
  }

  uses(slot: Slot): boolean {
    return this.#slots.has(slot);
  }

  comeAgain(): void {
    this.#client.close();
  }

  pass(request: SealedRequest, challenge: Uint8Array): "passed" | "unasked" | undefined {
    if (request.kind === "sealed_attach") {
      const slot = this.#options.homeOf(request.rid);
      if (slot === undefined) return undefined;
      this.#slots.add(slot);
      this.#options.enter(this);
      this.#ask(slot, request, challenge);
      return "passed";
    }
    const attachment = this.#attachments.get(request.room);
    if (attachment === undefined) return undefined;
    if (request.kind === "sealed_chunk") {
      if (this.#chunks <= 0) return "unasked";
      this.#chunks = Math.max(0, this.#chunks - request.to.length);
    }
    this.#ask(attachment.slot, { ...request, room: attachment.number }, challenge);
    return "passed";
  }

  hear(slot: Slot, body: Uint8Array): void {
    const event = decodeEvent(body);
    if (event.kind === "sealed_pull") this.#chunks += event.chunks;
    const alias = "room" in event && event.room !== 0 ? this.#alias(slot, event.room) : undefined;
    const heard = alias === undefined ? event : { ...event, room: alias } as Event;
    this.#client.deliver(new EncodedEvent(heard, ""));
  }

  end(left: boolean): void {
    for (const to of this.#slots) {
      this.#options.send({ kind: "sealed_lost", to, peer: this.#client.id, left });
    }
    this.#slots.clear();
    this.#attachments.clear();
    this.#options.leave(this);
  }

  /** Another session of the same client has its place at the homes. */
  yield(): void {
    this.#slots.clear();
    this.#attachments.clear();
  }

  #alias(slot: Slot, number: number): number {
    for (const [alias, attachment] of this.#attachments) {
      if (attachment.slot === slot && attachment.number === number) return alias;
    }
    this.#attachments.set(++this.#lastAlias, { slot, number });
    return this.#lastAlias;
  }

  #ask(to: Slot, request: SealedRequest, challenge: Uint8Array): void {
    const { id: peer, address: source } = this.#client;
    const body = encodeRequest(request);
    this.#options.send({ kind: "sealed_ask", to, peer, source, challenge, request: body });
  }
}
