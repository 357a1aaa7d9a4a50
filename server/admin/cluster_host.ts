// What this server does for other servers of its cluster.

import { encodeEvent } from "../../shared/messages/codec_v2.ts";
import type { ClusterHost, GivenSession, GuestPass, Mail } from "../cluster/cluster_contract.ts";
import type { ServerLoad, ServerPlace, Surplus } from "../cluster/server_places.ts";
import { passOn, tellServers } from "../relay/pass_on.ts";
import {
  type AdminMessage,
  type ClusterMessageOf,
  departedMessage,
  roomBanMessage,
  type RoomMessage,
  type StandingMessage,
} from "../cluster/cluster_messages.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import type { Relay } from "../relay/relay.ts";
import type { Session } from "../session/session.ts";
import { hasDigest } from "../session/session_ticket.ts";
import { expelForAdmin, followAdmin } from "./admin_actions.ts";

// Less than the other server waits for the session, with the way of both messages.
const DECIDED_MS = 2_000;

/** This server's relay, as other servers see it. */
export class RelayClusterHost implements ClusterHost {
  readonly #relay: Relay;

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  sessions(): Iterable<Session> {
    return this.#relay.sessions;
  }

  guestPass(client: number): GuestPass | undefined {
    const session = this.#relay.session(client);
    return session && this.#relay.access.guestPassOf(session);
  }

  async giveUp(
    ticket: Uint8Array,
    digest: Uint8Array,
  ): Promise<GivenSession | "kept" | undefined> {
    const session = this.#relay.held.named(ticket);
    if (session?.requests.isDeciding) await inTime(session.requests.decided());
    if (session === undefined || this.#relay.held.named(ticket) !== session) return undefined;
    // Its client has shown a newer one here, of which the other server has not heard yet.
    if (session.ticket === undefined || !hasDigest(session.ticket, digest)) return "kept";
    const { unsettled } = session.requests;
    const mail = session.emptyMailbox().flatMap(({ event }): Mail[] => {
      if (event.kind !== "direct" && event.kind !== "undelivered") return [];
      const room = session.membership(event.room)?.room;
      if (room !== undefined) return [[room.title, encodeEvent(event)]];
      if (event.kind === "direct") this.#relay.tellUndelivered(event);
      return [];
    });
    this.#relay.giveUp(session);
    return { request: session.requests.last, unsettled, mail };
  }

  load(): ServerLoad | undefined {
    const { config: { advertise }, access, stopping, connected } = this.#relay;
    if (advertise === undefined) return undefined;
    return { ...advertise, members: connected, takes: !stopping && !access.draining };
  }

  tellServers(list: readonly ServerPlace[]): void {
    for (const session of this.#relay.sessions) tellServers(session, list);
  }

  passOn(surplus: Surplus): void {
    const { sessions, config, log } = this.#relay;
    // A session that is not held cannot move: its place would be gone in between.
    if (config.hold === 0) return;
    const asked = passOn(sessions, surplus, performance.now());
    const to = hostAndPort(surplus.to.host, surplus.to.port);
    if (asked > 0) log.debug("asked clients to continue at another server", { asked, to });
  }

  follow(message: AdminMessage): void {
    followAdmin(this.#relay, message);
  }

  *standing(): Generator<StandingMessage> {
    const { access, departed, held, roomBans } = this.#relay;
    for (const [network, until] of access.bans.snapshot) yield { kind: "banned", network, until };
    for (const [source, ticket, digests] of held.barred) {
      yield { kind: "barred", source, ticket, digests: [...digests] };
    }
    for (const [title, , source, burden] of departed.state) {
      if (burden.mutedUntil > Date.now()) yield departedMessage(title, source, burden);
    }
    for (const [title, , source, until] of roomBans.state) {
      if (until > Date.now()) yield roomBanMessage(title, { source, until });
    }
  }

  expel(client: number): string | undefined {
    return expelForAdmin(this.#relay, client);
  }

  followRoom(message: RoomMessage): void {
    const { departed, roomBans } = this.#relay;
    const { title } = message;
    // Who made it is known to its server.
    const room = { title, madeBy: undefined };
    switch (message.kind) {
      case "departed":
        return departed.note(room, message.source, message, Date.now());
      case "room_banned":
        return roomBans.note(room, message.source, message.until);
      case "room_unbanned":
        return roomBans.noteLifted(title);
    }
  }

  direct({ title, to, ...message }: ClusterMessageOf<"direct">): boolean {
    const other = this.#relay.session(to);
    const theirs = other?.memberships.find(({ room }) => room.title === title);
    // Both must be in the room: numbers must not tell who is on a server.
    if (other === undefined || theirs?.room.nameOf(message.client) === undefined) return false;
    const { client, name, time, request, text } = message;
    return other.tellSurely({
      kind: "direct",
      room: theirs.room.id,
      client,
      name,
      time,
      to,
      toName: theirs.name,
      request,
      text,
    });
  }
}

/** Resolves with `decided`, or when another server will not wait any longer. */
async function inTime(decided: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, DECIDED_MS);
  await Promise.race([decided, late.promise]);
  clearTimeout(timer);
}
