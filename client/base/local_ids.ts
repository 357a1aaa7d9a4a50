// Names of sealed rooms and of their members on this client. A server names rooms and clients by numbers; these are
// strings, so no number that a server sends can name a sealed room, and none of them fits where a number leaves.

import type { ClientId, RoomId } from "../../shared/messages/ids.ts";
import type { Request } from "../../shared/messages/messages_v2.ts";

/** Names a sealed room that this client is in, until the program ends. */
export type LocalRoomId = `sealed ${number}`;

/** Names a member of a sealed room by the number that the room's engine gave it. */
export type LocalMemberId = `${LocalRoomId}, member ${number}`;

/** Any room: a plain one by the server's number, a sealed one by our name for it. */
export type AnyRoomId = RoomId | LocalRoomId;

/** Any client: by the server's number, or as the member of a sealed room. */
export type AnyClientId = ClientId | LocalMemberId;

/** A message in which plain rooms and sealed ones, and their members, are named alike. */
export type WithAnyIds<M> = M extends unknown ? { readonly [K in keyof M]: AnyIdOf<K, M[K]> }
  : never;
type AnyIdOf<K, V> = K extends "room" ? V extends RoomId ? AnyRoomId : V
  : K extends "client" | "maker" | "ops" | "author" | "to" | "whom"
    ? V extends ClientId ? AnyClientId : V extends ClientId[] ? AnyClientId[]
    : V
  : V;

/** Whether it names a sealed room, or a member of one. Everything that keeps a sealed room from the server asks this. */
export function isSealedId(id: AnyRoomId | AnyClientId): id is LocalRoomId | LocalMemberId {
  return typeof id === "string";
}

/** A request that may leave for the server. Throws TypeError where it names a sealed room, a member of one, or its secret. */
export function requirePlain(request: WithAnyIds<Request> | { readonly secret: unknown }): Request {
  const { room = 0, to = 0, whom = 0 } = request as { readonly [key: string]: unknown };
  if ("secret" in request || [room, to, whom].flat().some((id) => typeof id === "string")) {
    throw new TypeError("A request of a sealed room came to the session of the server");
  }
  return request as Request;
}

/** The member of `room` to which its engine gave this number. */
export function localMember(room: LocalRoomId, number: number): LocalMemberId {
  return `${room}, member ${number}`;
}

/** The engine's number of a member of `room`; undefined for members of other rooms and for clients of the server. */
export function memberNumber(room: LocalRoomId, id: AnyClientId): number | undefined {
  const head = localMember(room, 0).slice(0, -1);
  return isSealedId(id) && id.startsWith(head) ? Number(id.slice(head.length)) : undefined;
}
