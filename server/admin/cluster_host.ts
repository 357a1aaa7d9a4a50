// What this server does for other servers of its cluster.

import type { ClusterHost } from "../cluster/cluster.ts";
import {
  type AdminMessage,
  type ClusterMessageOf,
  departedMessage,
  roomBanMessage,
  type RoomMessage,
  type StandingMessage,
} from "../cluster/cluster_messages.ts";
import type { Relay } from "../relay/relay.ts";
import type { Session } from "../session/session.ts";
import { expelForAdmin, followAdmin } from "./admin_actions.ts";

/** This server's relay, as other servers see it. */
export class RelayClusterHost implements ClusterHost {
  readonly #relay: Relay;

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  sessions(): Iterable<Session> {
    return this.#relay.sessions;
  }

  giveUp(ticket: Uint8Array): number | undefined {
    const session = this.#relay.held.named(ticket);
    if (session === undefined) return undefined;
    this.#relay.giveUp(session);
    return session.requests.last;
  }

  follow(message: AdminMessage): void {
    followAdmin(this.#relay, message);
  }

  *standing(): Generator<StandingMessage> {
    const { access, departed, roomBans } = this.#relay;
    for (const [network, until] of access.bans.snapshot) yield { kind: "banned", network, until };
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
