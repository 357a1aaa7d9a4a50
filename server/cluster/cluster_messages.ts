// Messages between the servers of a cluster, apart from the logs: one row each. NATS does not store them, and any of
// them may get lost.

import { decode, encode } from "cborg";
import * as z from "zod/mini";
import { BODY_MAX_BYTES, HOST_MAX_CHARACTERS, SESSION_ID_BYTES } from "../../shared/base/limits.ts";
import { RID_BYTES } from "../../shared/messages/messages_sealed.ts";
import { SIGN_BYTES } from "./replay_guard.ts";

const count = z.int().check(z.minimum(0));
const LABEL_MAX = 1_024;
const label = z.string().check(z.maxLength(LABEL_MAX));

function bytes(length: number) {
  return z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
}

const body = z.custom<Uint8Array>((value) =>
  value instanceof Uint8Array && value.length <= BODY_MAX_BYTES
);
const CHALLENGE_BYTES = 32;
/** Secrets of one session that hold at once: each hello that arrives late at another server brings one more. */
export const SECRETS_MAX = 8;
// A mailbox holds 64 KiB: no message in it is shorter than some 60 bytes.
const MAIL_MAX = 2_048;
/** Requests of one session that may be undecided, while NATS does not answer. */
export const OPEN_MAX = 1_024;
// A server remembers no more refusals.
const DECLINED_MAX = 64;
const ticket = bytes(SESSION_ID_BYTES);
const digest = bytes(32);
const client = count;
/** Number of a question; the answer repeats it. */
const question = count;

const MESSAGES = {
  /** Sent every second. */
  alive: {},
  /** The sender stops; its clients go to other servers. */
  bye: {},
  /** The sender has just started. */
  hello: {},
  /** Asks server `to` to prove that it is alive and to say what it has: its messages may be replayed. */
  who: { to: count, sign: bytes(SIGN_BYTES) },
  /** Answer to `who`; repeats its challenge. `identity`: fingerprint of the sender. */
  here: { sign: bytes(SIGN_BYTES), identity: label },
  /** The last answer to `who`: the receiver has been told all that the sender has. */
  introduced: {},
  /** A session on the sender; `digests`: SHA-256 of the secrets that resume it, the newest first. */
  session: {
    ticket,
    digests: z.array(digest).check(z.minLength(1), z.maxLength(SECRETS_MAX)),
    client,
  },
  ended: { ticket },
  /** A client resumes its session at the sender, by a secret of SHA-256 `digest`: the server that has it gives it up. */
  take: { question, ticket, digest },
  /**
   * Answer to `take`: the number of the last request that was handled, null where it would say that some were done that
   * nobody did, and messages for the client, by their rooms.
   */
  given: {
    question,
    request: z.nullable(count),
    mail: z.array(z.tuple([label, body])).check(z.maxLength(MAIL_MAX)),
  },
  /** A direct message for a client that may be on another server. */
  direct: {
    question,
    title: label,
    client,
    name: label,
    time: count,
    to: client,
    toName: label,
    request: count,
    text: z.string().check(z.maxLength(BODY_MAX_BYTES)),
  },
  /** Answer to `direct`: the client has it, or its held session has. */
  directed: { question },
  /** The sender is home of the sealed room: all other servers forward frames to it. */
  sealed_home: { rid: bytes(RID_BYTES) },
  /** The sealed room is empty. */
  sealed_end: { rid: bytes(RID_BYTES) },
  /** A request about a sealed room of the receiver, by client `peer` of the sender, on the connection of `challenge`. */
  sealed_ask: {
    to: count,
    peer: client,
    /** Where the client comes from. */
    source: label,
    challenge: bytes(CHALLENGE_BYTES),
    request: body,
  },
  /** The connection of `peer` is lost, or the client left. */
  sealed_lost: { to: count, peer: client, left: z.boolean() },
  /** An event for client `peer` of the receiver. */
  sealed_tell: { to: count, peer: client, event: body },
  /** Client `peer` of the receiver must reconnect: its room has another home. */
  sealed_again: { to: count, peer: client },
  /** The admin bans a network until a time in ms since 1970; 0 = permanently. Servers that start later are told too. */
  banned: { network: label, until: count },
  unbanned: { network: label },
  /** A notice of the admin to everybody. */
  announced: { text: label },
  /** A member of a source left a room, muted until a time or after it spoke; see DepartedMembers. */
  departed: { title: label, source: label, mutedUntil: count, mutedAt: count, spokeAt: count },
  /** The maker of a room keeps a source out of it until a time; see RoomBans. */
  room_banned: { title: label, source: label, until: count },
  /** It ended all such bans of the room. */
  room_unbanned: { title: label },
  /** The admin ends a session, which may be the receiver's. */
  expel: { question, client },
  /** Answer to `expel`: the session is ended; its client's address. */
  expelled: { question, address: label },
  /** Where clients reach the sender, how many it has, and whether it takes more; every second. */
  place: {
    host: z.string().check(z.maxLength(HOST_MAX_CHARACTERS), z.regex(/^[0-9a-z._:-]+$/)),
    port: z.int().check(z.minimum(1), z.maximum(65_535)),
    members: count,
    takes: z.boolean(),
  },
  /** The sender finds the log of a room empty: does the receiver have members there? Each server answers. */
  room_asked: { question, title: label },
  /** Answer to `room_asked`; with members, the receiver puts the log back where it is gone. */
  room_known: { question, hasMembers: z.boolean() },
  /**
   * The client of the session of `ticket`, which was reported just before, came in with an invite: `digest` is that of
   * its token, `token` that of its maker's.
   */
  guest: {
    ticket,
    digest,
    token: digest,
    invite: count,
    maker: client,
    makerName: label,
  },
  /**
   * Of the session of `ticket`, which is given with the next message: requests that the receiver is to do when they are
   * repeated, and those that were declined.
   */
  unsettled: {
    ticket,
    open: z.array(count).check(z.maxLength(OPEN_MAX)),
    declined: z.array(z.tuple([count, label])).check(z.maxLength(DECLINED_MAX)),
  },
  /** Answer to `take`: that secret does not hold any more, and the session stays at the sender. */
  kept: { question },
  /** The admin ended the session of `ticket`, of a client of that source: nobody comes back with it. Servers that start later are told too. */
  barred: {
    ticket,
    source: label,
    digests: z.array(digest).check(z.minLength(1), z.maxLength(SECRETS_MAX)),
  },
} as const;

type Rows = typeof MESSAGES;
/** Any message. */
export type ClusterMessage = {
  [K in keyof Rows]:
    & { readonly kind: K }
    & {
      readonly [F in keyof Rows[K]]: Rows[K][F] extends z.ZodMiniType ? z.output<Rows[K][F]>
        : never;
    };
}[keyof Rows];
/** One kind of message. */
export type ClusterMessageOf<K extends ClusterMessage["kind"]> = Extract<
  ClusterMessage,
  { kind: K }
>;

/** What a server that starts later must be told of. */
export type StandingMessage = AdminMessage | RoomMessage;

/** What holds for those who come into a room, whichever server they come to. */
export type RoomMessage = ClusterMessageOf<"departed" | "room_banned" | "room_unbanned">;

/** Decisions of the admin that every server follows. */
export type AdminMessage = ClusterMessageOf<"banned" | "unbanned" | "barred" | "announced">;

const KINDS = Object.keys(MESSAGES) as ClusterMessage["kind"][];

/** A message with its sender and its number. */
export interface ReceivedMessage {
  readonly slot: number;
  /** Grows with each message of the sender. */
  readonly number: number;
  readonly message: ClusterMessage;
}

/** A message as bytes. */
export function encodeClusterMessage({ slot, number, message }: ReceivedMessage): Uint8Array {
  const values: Readonly<Record<string, unknown>> = { ...message };
  const fields = Object.keys(MESSAGES[message.kind]).map((field) => values[field]);
  return encode([slot, number, KINDS.indexOf(message.kind), ...fields]);
}

/** Undefined for a message of another version. */
export function decodeClusterMessage(body: Uint8Array): ReceivedMessage | undefined {
  const [slot, number, row, ...values] = decode(body) as unknown[];
  const kind = typeof row === "number" ? KINDS[row] : undefined;
  if (kind === undefined || !count.safeParse(slot).success || !count.safeParse(number).success) {
    return undefined;
  }
  const types: Readonly<Record<string, z.ZodMiniType>> = MESSAGES[kind];
  const fields = Object.keys(types);
  if (values.length !== fields.length) return undefined;
  const named = Object.fromEntries(fields.map((field, n) => [field, values[n]]));
  const checked = z.object(types).safeParse(named);
  if (!checked.success) return undefined;
  const message = { kind, ...checked.data } as unknown as ClusterMessage;
  return { slot: slot as number, number: number as number, message };
}

/** The message about what became of the requests of the session of `ticket`. */
export function unsettledMessage(
  ticket: Uint8Array,
  { open, declined }: Unsettled,
): ClusterMessageOf<"unsettled"> {
  return {
    kind: "unsettled",
    ticket,
    open: [...open],
    declined: declined.slice(-DECLINED_MAX).map(([id, why]) => [id, why.slice(0, LABEL_MAX)]),
  };
}

/** What became of a session's requests, as far as the number of the last one does not tell. */
export interface Unsettled {
  /** Those that the next server is to do when they are repeated. */
  readonly open: readonly number[];
  readonly declined: readonly (readonly [id: number, why: string])[];
}

/** The message about what a member of `source` left behind in a room. */
export function departedMessage(
  title: string,
  source: string,
  burden: { readonly mutedUntil: number; readonly mutedAt: number; readonly spokeAt: number },
): ClusterMessageOf<"departed"> {
  const { mutedUntil, mutedAt, spokeAt } = burden;
  return { kind: "departed", title, source, mutedUntil: finite(mutedUntil), mutedAt, spokeAt };
}

/** The message about a ban from a room, or that none is left there. */
export function roomBanMessage(
  title: string,
  ban?: { readonly source: string; readonly until: number },
): RoomMessage {
  if (ban === undefined) return { kind: "room_unbanned", title };
  return { kind: "room_banned", title, source: ban.source, until: finite(ban.until) };
}

// Canonical CBOR, as used here, has no infinity.
function finite(time: number): number {
  return Math.min(time, Number.MAX_SAFE_INTEGER);
}
