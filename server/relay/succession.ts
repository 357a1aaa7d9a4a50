// How a relay is handed from one process to the next: the old process lets go of all connections and tells all it
// knows, the new one goes on as if it had known it all along. Only a server that has its rooms to itself can do that;
// where several share them over NATS, their clients go to another server instead.

import { ConfigError } from "../../shared/base/errors.ts";
import { Session } from "../session/session.ts";
import { drain } from "./drain.ts";
import type { SealedSnapshot } from "../sealed/room_contract.ts";
import type { RelaySnapshot } from "./hand_over_state.ts";
import type { Relay } from "./relay.ts";

/**
 * Lets go of all connections, and gives the rooms and sessions as they are then. Throws ConfigError over NATS.
 * The contract:
 * 1. Every client is told, and what waits for it is written, for STOP_DRAIN_MS at most.
 * 2. A request that came before its connection closed is either done and remembered, so that its repetition is
 * recognized, or was never looked at.
 * 3. Between the last connection's end and the state nothing runs, so that nothing can change in between.
 * 4. A client that is not in yet is refused, however far its login is, and has given back what it took before the state
 * is made.
 */
export async function handOver(relay: Relay): Promise<RelaySnapshot> {
  refuseCluster(relay, "hand over");
  relay.beginHandOver();
  await drain(relay.sessions, { why: "The server will be back in a moment.", retry: true });
  // A login at its last step awaits nothing that takes longer: it gives the use of an invite back.
  await new Promise((resolve) => setTimeout(resolve, 0));
  // As they are with everybody there: a member that loses its connection only because of this has not left a vote.
  const sealed = relay.sealed.state;
  for (const session of relay.sessions) {
    if (session.ticket === undefined) relay.expire(session);
    else session.detach();
  }
  return {
    ...relay.rooms.snapshot(),
    issued: relay.issued,
    sealed,
    sessions: relay.sessions.flatMap((session) => session.snapshot ?? []),
    bans: relay.access.bans.snapshot,
    expelled: relay.held.barred,
    roomBans: relay.roomBans.state,
    departed: relay.departed.state,
    tokens: relay.sessions.flatMap((session) => {
      const digest = relay.access.tokenOf(session);
      return digest === undefined ? [] : [[session.id, digest] as const];
    }),
    invites: relay.access.invites.known.state,
    invited: relay.sessions.flatMap((session) => {
      const invite = relay.access.inviteOf(session);
      return invite === undefined ? [] : [[session.id, invite] as const];
    }),
  };
}

/** Goes on as the process that gave `state`, and waits for its clients. Throws ConfigError over NATS. */
export function takeOver(relay: Relay, state: RelaySnapshot): void {
  refuseCluster(relay, "take over");
  relay.issued = state.issued;
  relay.access.bans.snapshot = state.bans;
  for (const ticket of state.expelled) relay.held.bar(ticket);
  relay.roomBans.restore(state.roomBans);
  relay.departed.restore(state.departed);
  restoreSealed(relay, state.sealed);
  const restored = relay.rooms.restore(state.nextRoom, state.rooms);
  const rooms = new Map(restored.map((room) => [room.id, room]));
  const now = performance.now();
  const tokens = new Map(state.tokens);
  const invited = new Map(state.invited);
  if (state.invites !== undefined) relay.access.restoreInvites(state.invites);
  for (const known of state.sessions) {
    const { name, ticket, address } = known;
    const session = new Session(relay, { name, ticket, address, isV1: false, known });
    relay.enter(session);
    const token = tokens.get(session.id);
    if (token !== undefined) relay.access.noteDigest(session, token);
    relay.access.noteInvite(session, invited.get(session.id));
    relay.held.know(session);
    for (const [id, title] of known.rooms) {
      const room = rooms.get(id);
      if (room !== undefined) session.enter(room, title);
    }
    if (!relay.held.expect(session, now)) relay.expire(session);
  }
  for (const room of restored) relay.rooms.tidy(room);
}

/** Members bring back what is not understood here, as after any other restart. */
function restoreSealed({ sealed, log }: Relay, state: SealedSnapshot): void {
  if (sealed.restore(state)) return;
  log.warning("sealed rooms were handed over in another format: their members bring them back", {
    format: String(state.format),
  });
}

function refuseCluster({ cluster }: Relay, what: string): void {
  if (cluster !== undefined) {
    throw new ConfigError(`Cannot ${what}: the rooms are shared over NATS`);
  }
}
