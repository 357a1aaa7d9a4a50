// How a relay is handed from one process to the next: the old one lets go of all links and says all it knows, the new
// one starts as if it had known it all along. Only a server that has its rooms to itself can do that; where several
// share them over NATS, their clients go to another server instead.

import { ConfigError } from "../../shared/base/errors.ts";
import { EXPECTED_BACK_MS, STOP_DRAIN_MS } from "../config/limits.ts";
import { MemoryBus } from "../room/memory_bus.ts";
import type { RelaySnapshot } from "./hand_over_state.ts";
import type { RoomSnapshot } from "../room/room_snapshot.ts";
import type { Relay } from "./relay.ts";
import type { Room } from "../room/room.ts";
import { Session } from "../session/session.ts";

/** The parts of a relay that go from process to process. */
export interface RelayParts {
  readonly relay: Relay;
  readonly bus: unknown;
  readonly sessions: ReadonlyMap<number, Session>;
  readonly rooms: ReadonlyMap<string, Room>;
}

/**
 * Lets go of all links, and gives the rooms and sessions as they are then. The contract:
 * 1. Every client is told, and what waits for it is written, for STOP_DRAIN_MS at most.
 * 2. What a client asked for before its link closed is done and remembered, or was not looked at: its repeat is
 *    recognized, or is the first.
 * 3. Between the last link's end and the state nothing runs, so that nothing can change in between.
 */
export async function handOver(
  { relay, bus, sessions, rooms }: RelayParts,
): Promise<Pick<RelaySnapshot, "rooms" | "sealed" | "sessions">> {
  if (!(bus instanceof MemoryBus)) {
    throw new ConfigError("Cannot hand over: the rooms are shared over NATS");
  }
  const all = [...sessions.values()];
  const closing = { why: "The server is back in a moment.", retry: true };
  const told = all.map((session) => session.dismiss(closing));
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, STOP_DRAIN_MS);
  await Promise.race([Promise.allSettled(told), late.promise]);
  clearTimeout(timer);
  // As they are with everybody there: who loses a link only because of this has not left a vote.
  const sealed = relay.sealed.state;
  for (const session of sessions.values()) {
    if (session.ticket === undefined) relay.exit(session);
    else session.detach();
  }
  return {
    rooms: Array.from(rooms.values(), (room) => stateOf(room, bus)),
    sealed,
    sessions: [...sessions.values()].flatMap((session) => session.snapshot ?? []),
  };
}

function stateOf(room: Room, bus: MemoryBus): RoomSnapshot {
  const { id, title, topic, authors } = room;
  const channel = bus.stateOf(title);
  if (channel === undefined) throw new Error(`room ${id} has no channel`);
  return { id, title, topic, madeBy: room.madeBy, channel, authors: authors.all };
}

/** Makes the sessions of `state` in rooms that `restoreRoom` makes, and waits for their clients. */
export function takeOver(
  { relay, bus }: Pick<RelayParts, "relay" | "bus">,
  state: RelaySnapshot,
  restoreRoom: (known: RoomSnapshot) => Room,
): void {
  if (!(bus instanceof MemoryBus)) {
    throw new ConfigError("Cannot take over: the rooms are shared over NATS");
  }
  for (const { title, channel } of state.rooms) bus.restore(title, channel);
  const rooms = new Map(state.rooms.map((known) => [known.id, restoreRoom(known)]));
  const now = performance.now();
  const expected: Session[] = [];
  for (const known of state.sessions) {
    const { name, ticket, address } = known;
    const session = new Session(relay, { name, ticket, address, old: false, known });
    relay.enter(session);
    relay.held.know(session);
    for (const [id, title, since] of known.rooms) {
      const room = rooms.get(id);
      if (room !== undefined) session.enter(room, title, since);
    }
    if (relay.held.hold(session, now)) expected.push(session);
    else relay.exit(session);
  }
  for (const room of rooms.values()) relay.tidy(room);
  const timer = setTimeout(() => expected.forEach((one) => one.missed()), EXPECTED_BACK_MS);
  Deno.unrefTimer(timer);
}
