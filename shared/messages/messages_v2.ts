// THE message table of session v2: one row a message. A body is the CBOR array [row's number, field, …],
// the fields in the order of the row. Types, checks and handler lists derive from it. docs/PROTOCOL.md §7.

import * as z from "zod/mini";
import {
  AWAY_TEXT_MAX_BYTES,
  BACKLOG_MAX_LINES,
  BODY_MAX_BYTES,
  FILE_CHUNK_BYTES,
  FILE_CHUNKS_MAX,
  FILE_MAX_BYTES_CEILING,
  FILE_NAME_WIRE_MAX_BYTES,
  FILE_PART_RECEIVERS_MAX,
  FILE_PULL_CHUNKS_MAX,
  HOLD_MAX_S,
  HOST_MAX_CHARACTERS,
  INVITE_MAX_S,
  INVITE_USES_MAX,
  INVITES_LISTED_MAX,
  MEMBERS_PART_MAX,
  MODERATION_MAX_S,
  OPS_MAX,
  OTHER_SERVERS_MAX,
  PIN_TEXT_MAX_BYTES,
  RATE_MAX,
  REACTION_MAX_BYTES,
  SESSION_ID_BYTES,
  SESSION_ROOMS_MAX,
  SESSION_SECRET_BYTES,
  TIME_MAX_MS,
  TOKEN_MAX_BYTES,
  TOPIC_MAX_BYTES,
} from "../base/limits.ts";
import type { ClientId, EventPosition, RequestId, RoomId, SequenceNumber } from "./ids.ts";
import type { MessageIn } from "./cbor_table.ts";
import { PROOF_EVENTS, PROOF_REQUESTS } from "./messages_proof.ts";
import { SEALED_EVENTS, SEALED_REQUESTS } from "./messages_sealed.ts";

// Without a bound only for numbers that are compared, stored or shown, and never counted up to, waited for or dated.
const count = z.int().check(z.minimum(0));
/** Number of a request, from 1, growing by 1 within a session; its answer repeats it. */
const requestId: z.ZodMiniType<RequestId> = z.int().check(z.minimum(1));
/** The same in an event; 0 = of none. */
const answered: z.ZodMiniType<RequestId> = count;
/** Number of a client, from 1; 0 = of none. */
const client: z.ZodMiniType<ClientId> = count;
const label = z.string().check(z.maxLength(1_024));
const text = z.string().check(z.maxLength(BODY_MAX_BYTES));
const token = z.string().check(z.maxLength(TOKEN_MAX_BYTES));
const fileId = z.string().check(z.minLength(1), z.maxLength(128));
/** Of a chunk in its file, from 0; as many as there are in all. */
const index = count.check(z.maximum(FILE_CHUNKS_MAX));
/** Milliseconds since 1970-01-01 UTC. */
const time = count.check(z.maximum(TIME_MAX_MS));
/** Position of an event in its room, from 1, without gaps. */
const position: z.ZodMiniType<EventPosition> = count;

function bytes(min: number, max = min) {
  return z.custom<Uint8Array>((value) =>
    value instanceof Uint8Array && value.length >= min && value.length <= max
  );
}

/** Number of a room, from 1, unique in the life of a server; 0 = of none. */
const room: z.ZodMiniType<RoomId> = count;
/** Number of a chat in its room, from 1; 0 = of none. */
const sequence: z.ZodMiniType<SequenceNumber> = count;
const topic = z.string().check(z.maxLength(TOPIC_MAX_BYTES));
const awayText = z.nullable(z.string().check(z.maxLength(AWAY_TEXT_MAX_BYTES)));

const file = {
  file: fileId,
  filename: z.string().check(z.maxLength(FILE_NAME_WIRE_MAX_BYTES)),
  size: count.check(z.maximum(FILE_MAX_BYTES_CEILING)),
  chunks: count.check(z.maximum(FILE_CHUNKS_MAX)),
  /** SHA-256 of the whole; null from v1, which does not tell. */
  hash: z.nullable(bytes(32)),
};
/** Who is offered a file, and what it is. */
const offered = {
  ...file,
  /** The only one who is offered it; 0 = all members of the room. */
  to: client,
  /** It is a tar archive that the receiver unpacks into a folder. */
  folder: z.boolean(),
};
/** Empty data in a last chunk: the sender gave up. */
const chunk = { file: fileId, index, data: bytes(0, FILE_CHUNK_BYTES), last: z.boolean() };
/** Chunks of a file that a receiver asks for. */
const wanted = {
  file: fileId,
  index,
  count: z.int().check(z.minimum(0), z.maximum(FILE_PULL_CHUNKS_MAX)),
};
/** Who did something in a room, under which name, and when. */
const doing = { room, client, name: label, time };
/** The same with its place in the room's order. */
const event = { room, at: position, client, name: label, time };

/** A name in ASCII and lower case, or an address without brackets and zone. */
const host = z.string().check(z.maxLength(HOST_MAX_CHARACTERS), z.regex(/^[0-9a-z._:-]+$/));
const port = z.int().check(z.minimum(1), z.maximum(65_535));
/** Number of an invite, from 1. */
const invite = z.int().check(z.minimum(1));
const uses = count.check(z.maximum(INVITE_USES_MAX));
const inviteSeconds = z.int().check(z.minimum(1), z.maximum(INVITE_MAX_S));
const seconds = count.check(z.maximum(MODERATION_MAX_S));
/** One emoji (shared/text/reaction.ts). */
const emoji = z.string().check(z.maxLength(REACTION_MAX_BYTES));
const reason = z.string().check(z.maxLength(TOPIC_MAX_BYTES));
/** How many lines of a room are kept for newcomers; 0 = none. */
const backlog = count.check(z.maximum(BACKLOG_MAX_LINES));
/** What is pinned: a chat, who wrote it under which name, and its text; sequence 0 and empty: nothing. */
const pin = {
  sequence,
  author: client,
  authorName: label,
  text: z.string().check(z.maxLength(PIN_TEXT_MAX_BYTES)),
};

/** Whether a member can be reached, and over what: away = its connection was lost, old = it speaks v1. */
export const MEMBER_STATES = ["here", "away", "old"] as const;
/** One of MEMBER_STATES. */
export type MemberState = typeof MEMBER_STATES[number];

/** What the maker of a room can decide, and its ops most of it. */
export const MODERATIONS = [
  "kick",
  "ban",
  "unban",
  "mute",
  "unmute",
  "lock",
  "unlock",
  "slow",
  "op",
  "deop",
] as const;
/** One of MODERATIONS. */
export type Moderation = typeof MODERATIONS[number];

/** What a receiver says of a file that it was offered. */
export const FILE_RECEIPTS = ["accepted", "refused", "saved", "failed"] as const;
/** One of FILE_RECEIPTS. */
export type FileReceipt = typeof FILE_RECEIPTS[number];

/** What a client sends: one row a message. */
export const REQUESTS = {
  /**
   * The first message, with the rooms to be in by name. With `session` and `secret` it takes a held session up again,
   * in each of its rooms after the event that is given.
   */
  hello: {
    name: label,
    token: z.nullable(token),
    session: z.nullable(bytes(SESSION_ID_BYTES)),
    secret: z.nullable(bytes(SESSION_SECRET_BYTES)),
    rooms: z.array(z.tuple([label, position])).check(z.maxLength(SESSION_ROOMS_MAX)),
  },
  /** Comes into one more room. */
  join: { id: requestId, title: label },
  leave: { id: requestId, room },
  /** `action`: said as /me; `reply`: the chat that it answers. */
  chat: { id: requestId, room, text, action: z.boolean(), reply: sequence },
  /** Changes a chat of one's own, or takes it back where `text` is null. */
  revise: { id: requestId, room, sequence, text: z.nullable(text) },
  /** Another name in all rooms. */
  rename: { id: requestId, name: label },
  /** Says something to one client alone, by its number: a name may be somebody else's by now. */
  direct: { id: requestId, to: client, text },
  topic: { id: requestId, room, text: label },
  /** Says why one does not answer; null = one does again. */
  status: { id: requestId, text: z.nullable(label) },
  /** Is writing something. */
  typing: { room },
  offer: { id: requestId, room, ...offered },
  chunk,
  ping: {},
  pong: {},
  /** Leaves for good: the session is not held. */
  bye: {},
  ...SEALED_REQUESTS,
  /** The maker of a room decides; `whom`: a client, 0 = the room; `seconds`: how long, 0 = for good. */
  moderate: { id: requestId, room, what: z.enum(MODERATIONS), whom: client, seconds, text: reason },
  /** Asks `to`, whose file it is, for chunks; `count` 0: for no more, with `index` chunks all are here. */
  pull: { room, to: client, ...wanted },
  /** A chunk for those of `to` that asked for it; no data: it is not available any longer. */
  part: {
    to: z.array(client).check(z.minLength(1), z.maxLength(FILE_PART_RECEIVERS_MAX)),
    file: fileId,
    index,
    data: bytes(0, FILE_CHUNK_BYTES),
  },
  /** Tells `to`, whose file it is, what becomes of it here. */
  receipt: { room, to: client, file: fileId, state: z.enum(FILE_RECEIPTS) },
  /** Puts an emoji under a chat of the room, or takes it back where `on` is false. */
  react: { id: requestId, room, sequence, emoji, on: z.boolean() },
  /** Pins a chat for everybody: its text as it is now, whole, and its author's name there. Sequence 0: removes the pin. */
  pin: { id: requestId, room, sequence, authorName: label, text },
  /** Who is banned from the room? Answered by `bans`, then `done`. */
  bans: { id: requestId, room },
  /** Goes on with its session at another server: it asks nothing more here, and reads what it is told until the end. */
  moving: {},
  /**
   * Asks for a token for others, which lets `uses` sessions in (0 = any number) within `seconds`; `title`: the room that
   * its link leads to, empty where the server must not know it.
   */
  invite: { id: requestId, title: label, uses, seconds: inviteSeconds },
  /** Asks for the invites that are open. */
  invites: { id: requestId },
  /** Ends one of them: nobody comes in by it any more. */
  uninvite: { id: requestId, invite },
  /** How many lines, of those said from now on, are kept for newcomers; 0 = none. */
  backlog: { id: requestId, room, lines: backlog },
  ...PROOF_REQUESTS,
} as const;

/** What the server sends: one row a message. */
export const EVENTS = {
  /**
   * Answer to hello. `resumed`: the session was taken up; `rooms`: how many `entered` follow by
   * themselves; `page`: the server has a page for browsers, at the address where clients reach it.
   */
  welcome: {
    client,
    session: bytes(SESSION_ID_BYTES),
    secret: bytes(SESSION_SECRET_BYTES),
    resumed: z.boolean(),
    rooms: count.check(z.maximum(SESSION_ROOMS_MAX)),
    messageLimit: count.check(z.maximum(BODY_MAX_BYTES)),
    fileLimit: count.check(z.maximum(FILE_MAX_BYTES_CEILING)),
    rateMessages: count.check(z.maximum(RATE_MAX.messages)),
    rateSeconds: count.check(z.maximum(RATE_MAX.seconds)),
    hold: count.check(z.maximum(HOLD_MAX_S)),
    page: z.boolean(),
  },
  /** Answer to hello; the connection is closed. */
  refused: { reason: label },
  /** A request was carried out, and nothing else says so; also the answer to a repeat. */
  done: { id: requestId },
  /** A request was not carried out, and why. */
  declined: { id: requestId, why: label },
  /**
   * The receiver is in a room, under a name, and has its events up to `at`; `complete`: none is missing between what it
   * said it had and this. Answer to join; `id` is 0 for the rooms of a hello.
   */
  entered: {
    id: answered,
    room,
    title: label,
    name: label,
    at: position,
    complete: z.boolean(),
    topic,
  },
  /**
   * Who is in the room, to one who came in or came back: number, name, state, since when, away text. `more`: the list
   * goes on in a further `members`.
   */
  members: {
    room,
    list: z.array(z.tuple([client, label, z.enum(MEMBER_STATES), time, awayText])).check(
      z.maxLength(MEMBERS_PART_MAX),
    ),
    more: z.boolean(),
  },
  /** `request` is the sender's request: to itself, this is the answer. */
  chat: { ...event, request: answered, sequence, text, action: z.boolean(), reply: sequence },
  /** A chat was changed by who said it, or taken back where `text` is null. */
  revised: { ...event, request: answered, sequence, text: z.nullable(text) },
  joined: { ...event, old: z.boolean() },
  left: event,
  renamed: { ...event, previous: label },
  away: event,
  back: event,
  topic: { ...event, text: topic },
  status: { ...event, text: awayText },
  typing: { room, client, name: label },
  /** To both ends and nobody else; `room` is one that both are in, where they have these names. */
  direct: { ...doing, to: client, toName: label, request: answered, text },
  /** To the sender of a direct message: its receiver left without having it. */
  undelivered: { ...doing, request: answered },
  offer: { ...doing, request: answered, ...offered },
  chunk: { ...doing, ...chunk },
  /** Words of the server about a room, or about none. */
  notice: { room, text: label },
  /** The server ends the connection and says why; `retry`: coming back is welcome. */
  closing: { why: label, retry: z.boolean() },
  ping: {},
  pong: {},
  ...SEALED_EVENTS,
  /** The maker or an op decided; `whom` and its name: of the client that it is about, or 0 and empty. */
  moderated: {
    ...event,
    request: answered,
    what: z.enum(MODERATIONS),
    whom: client,
    whomName: label,
    seconds,
    text: reason,
  },
  /**
   * What was decided so far, to one who came in: who made the room (0 = gone), who else moderates it, whether it is
   * locked, seconds between messages, what is pinned, how many lines are kept for newcomers.
   */
  rules: {
    room,
    maker: client,
    ops: z.array(client).check(z.maxLength(OPS_MAX)),
    locked: z.boolean(),
    slow: seconds,
    ...pin,
    backlog,
  },
  /** The server has this part of a file of one's own: what a sender counts its window by. */
  taken: { file: fileId, index },
  /** A receiver asks for chunks of a file of one's own. */
  pull: { room, client, ...wanted },
  /** What a receiver says of a file of one's own. */
  receipt: { ...doing, file: fileId, state: z.enum(FILE_RECEIPTS) },
  /** Somebody put an emoji under a chat, or took it back. */
  reacted: { ...event, request: answered, sequence, emoji, on: z.boolean() },
  /** A chat was pinned, or the pin removed: sequence 0. */
  pinned: { ...event, request: answered, ...pin },
  /** Who is banned: number, name, until when (0 = for good), by whom. `more`: the list goes on in a further `bans`. */
  bans: {
    room,
    list: z.array(z.tuple([client, label, time, label])).check(z.maxLength(MEMBERS_PART_MAX)),
    more: z.boolean(),
  },
  /** Where other servers can be reached that have the same rooms and the same identity; each list replaces the last. */
  servers: { list: z.array(z.tuple([host, port])).check(z.maxLength(OTHER_SERVERS_MAX)) },
  /** Asks a client to go on at that server of the list, when it likes, in the same session. */
  move: { host, port },
  /** Answer to invite: its number, its token, when it ends, and where others reach the server; null: where the client did. */
  invited: {
    request: requestId,
    invite,
    token,
    uses,
    until: time,
    place: z.nullable(z.tuple([host, port])),
  },
  /** Answer to invites: number, maker's name, room, uses that are left (0 = any number), and when it ends. */
  invites: {
    request: requestId,
    list: z.array(z.tuple([invite, label, label, uses, time])).check(
      z.maxLength(INVITES_LISTED_MAX),
    ),
  },
  /** So many lines, of those said from now on, are kept for newcomers; 0 = none. */
  backlog: { ...event, request: answered, lines: backlog },
  /** What was said before one came, to who came in: sequence, client, name, time, text, action, reply. */
  earlier: {
    room,
    list: z.array(z.tuple([sequence, client, label, time, text, z.boolean(), sequence])).check(
      z.maxLength(BACKLOG_MAX_LINES),
    ),
  },
  ...PROOF_EVENTS,
} as const;

/** Any message from a client. */
export type Request = MessageIn<typeof REQUESTS>;
/** Any message from the server. */
export type Event = MessageIn<typeof EVENTS>;
/** One kind of request. */
export type RequestOf<K extends Request["kind"]> = Extract<Request, { kind: K }>;
/** One kind of event. */
export type EventOf<K extends Event["kind"]> = Extract<Event, { kind: K }>;
/** A request about sealed rooms. */
export type SealedRequest = Extract<Request, { kind: `sealed_${string}` }>;
/** An event of sealed rooms. */
export type SealedEvent = Extract<Event, { kind: `sealed_${string}` }>;
