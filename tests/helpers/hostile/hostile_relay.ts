// A relay that lies about sealed rooms: our own server over real sockets, with a test standing between each room and
// its members. It can do all that a relay can: change, repeat, swap, drop and invent what is said in either direction.

import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { readConfig } from "../../../server/config/server_options.ts";
import { serveConnection } from "../../../server/connection/serve_connection.ts";
import { listen } from "../../../server/net/listen.ts";
import type { Listener } from "../../../server/net/listener.ts";
import { openLog } from "../../../server/telemetry/log.ts";
import { Relay } from "../../../server/relay/relay.ts";
import type { SealedRoom } from "../../../server/sealed/sealed_room.ts";
import type { SealedPeer, Seat } from "../../../server/sealed/seat.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import {
  type EventOf,
  type RequestOf,
  type SealedEvent,
  type SealedRequest,
} from "../../../shared/messages/messages_v2.ts";
import { isSealedEvent } from "../../../shared/messages/sealed_kinds.ts";

/** A member as the relay sees it: the n-th handle that ever came, from 0. */
export interface Victim {
  readonly n: number;
  readonly handle: Uint8Array;
  /** Everything that it was really told. */
  readonly told: SealedEvent[];
  /** Says something to it. */
  tell: (event: SealedEvent) => void;
}

type InRoom = Exclude<SealedRequest, { kind: "sealed_attach" }>;

/** A running relay whose lies are set by the test. */
export class HostileRelay implements AsyncDisposable {
  readonly port: number;
  readonly victims: Victim[] = [];
  /** What a member is told in place of an event. */
  lie: (event: SealedEvent, to: Victim) => readonly SealedEvent[] = (event) => [event];
  /** Takes a request of a member; true = the room never hears of it. */
  swallow: (request: InRoom, from: Victim) => boolean = () => false;
  readonly #relay: Relay;
  readonly #listener: Listener;
  readonly #serving: Promise<void>;
  readonly #running = new AbortController();
  readonly #betweens = new Map<SealedPeer, SealedPeer>();

  private constructor(relay: Relay, listener: Listener) {
    this.#relay = relay;
    this.#listener = listener;
    this.port = listener.address.port;
    this.#hookRooms();
    relay.run(this.#running.signal);
    this.#serving = listener.serve({
      admit: (address) => relay.access.admit(address),
      onConnection: (link, slot, ending) => serveConnection(relay, link, { slot, ending }),
      onHandshakeFailed: () => {},
      onFault: (error) => {
        throw error;
      },
    });
  }

  /** Starts one on a free port. */
  static async start(): Promise<HostileRelay> {
    const args = ["--port", "0", "--rate-limit", "off", "--log-level", "ERROR"];
    const config = readConfig({ args, env: () => undefined });
    const relay = new Relay(config, { log: openLog("ERROR"), identity: await generateIdentity() });
    return new HostileRelay(
      relay,
      await listen({ host: "127.0.0.1", port: 0, tls: undefined }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#relay.stop();
    this.#running.abort();
    await this.#serving;
  }

  #hookRooms(): void {
    const { sealed } = this.#relay;
    const open = sealed.open.bind(sealed);
    const known = new Set<SealedRoom>();
    sealed.open = (rid) => {
      const room = open(rid);
      if (!known.has(room)) this.#hookRoom(room);
      known.add(room);
      return room;
    };
  }

  #hookRoom(room: SealedRoom): void {
    const attach = room.attach.bind(room);
    room.attach = (peer, claim) => attach(this.#between(peer, claim.handle), claim);
    const hook = <K extends InRoom["kind"]>(
      honest: (seat: Seat, request: RequestOf<K>) => void,
    ) =>
    (seat: Seat, request: RequestOf<K>): void => {
      if (!this.swallow(request as InRoom, this.#victimOf(seat.handle))) honest(seat, request);
    };
    room.create = hook<"sealed_create">(room.create.bind(room));
    room.join = hook<"sealed_join">(room.join.bind(room));
    room.commit = hook<"sealed_commit">(room.commit.bind(room));
    room.app = hook<"sealed_app">(room.app.bind(room));
    room.vote = hook<"sealed_vote">(room.vote.bind(room));
    room.check = hook<"sealed_check">(room.check.bind(room));
  }

  #between(peer: SealedPeer, handle: Uint8Array): SealedPeer {
    const known = this.#betweens.get(peer);
    if (known !== undefined) return known;
    const victim = this.#victimOf(handle, peer);
    const between: SealedPeer = {
      deliver: (broadcast) => {
        const { event } = broadcast;
        if (!isSealedEvent(event)) return peer.deliver(broadcast);
        victim.told.push(event);
        for (const told of this.lie(event, victim)) {
          peer.deliver(told === event ? broadcast : new EncodedEvent(told, ""));
        }
      },
      dropped: (number, why) => peer.dropped(number, why),
      comeAgain: () => peer.comeAgain(),
    };
    this.#betweens.set(peer, between);
    return between;
  }

  #victimOf(handle: Uint8Array, peer?: SealedPeer): Victim {
    const known = this.victims.find((victim) => `${victim.handle}` === `${handle}`);
    if (known === undefined) {
      const victim: Victim = {
        n: this.victims.length,
        handle,
        told: [],
        tell: (event) => peer?.deliver(new EncodedEvent(event, "")),
      };
      this.victims.push(victim);
      return victim;
    }
    if (peer !== undefined) known.tell = (event) => peer.deliver(new EncodedEvent(event, ""));
    return known;
  }
}

/** A frame of the relay's own making. */
export function frameOf(fields: Partial<EventOf<"sealed_frame">>): EventOf<"sealed_frame"> {
  return {
    kind: "sealed_frame",
    room: 1,
    seq: 1,
    type: "app",
    epoch: 0,
    ask: 0,
    time: 0,
    from: new Uint8Array(16),
    roster: new Uint8Array(),
    body: crypto.getRandomValues(new Uint8Array(284)),
    ...fields,
  };
}
