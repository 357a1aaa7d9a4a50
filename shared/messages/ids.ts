// Numbers that name things. Each kind has a type of its own, so that a room's number cannot be passed for a client's.

declare const kind: unique symbol;

/**
 * A number that names one kind of thing. A plain number may become one, since numbers come off the wire and out of
 * counters; one kind never becomes another.
 */
type Id<Kind extends string> = number & { readonly [kind]?: Kind };

/** Number of a client, from 1, unique in the life of a server; 0 = of none. */
export type ClientId = Id<"client">;

/** Number of a plain room, from 1, unique in the life of a server; 0 = of none. */
export type RoomId = Id<"room">;

/** Number of a sealed room, from 1, unique in the life of a server; 0 = of none. */
export type SealedRoomId = Id<"sealed room">;

/** Number of a chat in its room, from 1; 0 = of none. */
export type SequenceNumber = Id<"sequence">;

/** Position of an event in its room's order, from 1, without gaps. */
export type EventPosition = Id<"position">;

/** Number of a request, from 1, growing by 1 within a session; 0 = of none. */
export type RequestId = Id<"request">;
