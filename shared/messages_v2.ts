// THE message table of session v2: one row a message. A body is the CBOR array [row's number, field, …],
// the fields in the order of the row. Types, checks and handler lists derive from it. docs/PROTOCOL.md §7.

import * as z from "zod";
import {
  BODY_MAX_BYTES,
  CONNECTIONS_MAX,
  FILE_CHUNK_BYTES,
  FILE_MAX_BYTES_CEILING,
  FILE_NAME_WIRE_MAX_BYTES,
  SESSION_ID_BYTES,
  SESSION_SECRET_BYTES,
  TOKEN_MAX_BYTES,
} from "./limits.ts";

const count = z.int().min(0);
/** Number of a request, from 1, growing by 1 within a session; its answer repeats it. */
const requestId = z.int().min(1);
const label = z.string().max(1_024);
const text = z.string().max(BODY_MAX_BYTES);
const token = z.string().max(TOKEN_MAX_BYTES);
const fileId = z.string().min(1).max(128);
/** Milliseconds since 1970-01-01 UTC. */
const time = count;
/** Place of an event in its room, from 1, without gaps. */
const place = count;

function bytes(min: number, max = min) {
  return z.custom<Uint8Array>((value) =>
    value instanceof Uint8Array && value.length >= min && value.length <= max
  );
}

const file = {
  file: fileId,
  filename: z.string().max(FILE_NAME_WIRE_MAX_BYTES),
  size: count.max(FILE_MAX_BYTES_CEILING),
  chunks: count,
};
/** Empty data in a last chunk: the sender gave up. */
const chunk = { file: fileId, index: count, data: bytes(0, FILE_CHUNK_BYTES), last: z.boolean() };
const event = { at: place, client: count, name: label, time };

/** Whether a member can be reached, and over what: away = its link was lost, old = it speaks v1. */
export const MEMBER_STATES = ["here", "away", "old"] as const;
/** One of MEMBER_STATES. */
export type MemberState = typeof MEMBER_STATES[number];

/** What a client sends: one row a message. */
export const REQUESTS = {
  /** The first message; with `session` and `secret` it takes a held session up again, after event `at`. */
  hello: {
    name: label,
    room: label,
    token: token.nullable(),
    session: bytes(SESSION_ID_BYTES).nullable(),
    secret: bytes(SESSION_SECRET_BYTES).nullable(),
    at: place,
  },
  chat: { id: requestId, text },
  rename: { id: requestId, name: label },
  move: { id: requestId, room: label },
  offer: { id: requestId, ...file },
  chunk,
  ping: {},
  pong: {},
  /** Leaves for good: the session is not held. */
  bye: {},
} as const;

/** What the server sends: one row a message. */
export const EVENTS = {
  /** Answer to hello. `resumed`: the session was taken up; `complete`: no event of the room was missed. */
  welcome: {
    client: count,
    name: label,
    room: label,
    session: bytes(SESSION_ID_BYTES),
    secret: bytes(SESSION_SECRET_BYTES),
    at: place,
    resumed: z.boolean(),
    complete: z.boolean(),
    messageLimit: count,
    fileLimit: count,
    rateMessages: count,
    rateSeconds: count,
    hold: count,
  },
  /** Answer to hello; the connection is closed. */
  refused: { reason: label },
  /** A request was carried out, and nothing else says so; also the answer to a repeat. */
  done: { id: requestId },
  /** A request was not carried out, and why. */
  declined: { id: requestId, why: label },
  /** Answer to move. Events of the new room follow. */
  moved: { id: requestId, room: label, name: label, at: place },
  /** Who is in the room, to one who came in or came back. */
  members: {
    list: z.array(z.tuple([count, label, z.enum(MEMBER_STATES), time])).max(CONNECTIONS_MAX),
  },
  /** `request` is the sender's request: to itself, this is the answer. */
  chat: { ...event, request: count, sequence: count, text },
  joined: { ...event, old: z.boolean() },
  left: event,
  renamed: { ...event, previous: label },
  away: event,
  back: event,
  offer: { client: count, name: label, time, request: count, ...file },
  chunk: { client: count, name: label, time, ...chunk },
  notice: { text: label },
  /** The server ends the connection and says why; `retry`: coming back is welcome. */
  closing: { why: label, retry: z.boolean() },
  ping: {},
  pong: {},
} as const;

type Rows = Readonly<Record<string, z.ZodRawShape>>;
type MessageIn<R extends Rows> = {
  [K in keyof R & string]: { readonly kind: K } & { readonly [F in keyof R[K]]: z.output<R[K][F]> };
}[keyof R & string];

/** Any message from a client. */
export type Request = MessageIn<typeof REQUESTS>;
/** Any message from the server. */
export type Event = MessageIn<typeof EVENTS>;
/** One kind of request. */
export type RequestOf<K extends Request["kind"]> = Extract<Request, { kind: K }>;
/** One kind of event. */
export type EventOf<K extends Event["kind"]> = Extract<Event, { kind: K }>;
