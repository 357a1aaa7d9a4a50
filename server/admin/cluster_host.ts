// What this server does for other servers of its cluster.

import type { ClusterHost } from "../cluster/cluster.ts";
import type { AdminMessage, ClusterMessageOf } from "../cluster/cluster_messages.ts";
import { expelForAdmin, followAdmin } from "./admin_actions.ts";
import type { Relay } from "../relay/relay.ts";
import type { Session } from "../session/session.ts";

/** This server's relay, as other servers see it. */
export class RelayClusterHost implements ClusterHost {
  readonly #relay: Relay;
  readonly #sessions: ReadonlyMap<number, Session>;

  constructor(relay: Relay, sessions: ReadonlyMap<number, Session>) {
    this.#relay = relay;
    this.#sessions = sessions;
  }

  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  giveUp(ticket: Uint8Array): number | undefined {
    const session = this.#relay.held.named(ticket);
    if (session === undefined) return undefined;
    const { lastRequest } = session;
    this.#relay.giveUp(session);
    return lastRequest;
  }

  follow(message: AdminMessage): void {
    followAdmin(this.#relay, message);
  }

  standing(): AdminMessage[] {
    const { snapshot } = this.#relay.bans;
    return snapshot.map(([network, until]) => ({ kind: "banned", network, until }));
  }

  expel(client: number): string | undefined {
    return expelForAdmin(this.#relay, client);
  }

  direct({ title, to, ...message }: ClusterMessageOf<"direct">): boolean {
    const other = this.#sessions.get(to);
    const theirs = other?.memberships.find(({ room }) => room.title === title);
    // Both must be in the room: numbers must not tell who is on a server.
    if (other === undefined || theirs?.room.view?.of(message.client) === undefined) return false;
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
