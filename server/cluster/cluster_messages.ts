// What servers of a cluster say to each other beside the logs: one row a word. Nothing of it is kept by the bus, and
// all of it may get lost.

import { decode, encode } from "cborg";
import * as z from "zod";
import { BODY_MAX_BYTES, SESSION_ID_BYTES } from "../../shared/base/limits.ts";
import { RID_BYTES } from "../../shared/messages/messages_sealed.ts";
import { SIGN_BYTES } from "./replay_guard.ts";

const count = z.int().min(0);
const label = z.string().max(1_024);

function bytes(length: number) {
  return z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
}

const body = z.custom<Uint8Array>((value) =>
  value instanceof Uint8Array && value.length <= BODY_MAX_BYTES
);
const CHALLENGE_BYTES = 32;
const ticket = bytes(SESSION_ID_BYTES);
const client = count;
/** Number of a question; its answer repeats it. */
const question = count;

const WORDS = {
  /** Said every second. */
  alive: {},
  /** It stops: its clients go elsewhere. */
  bye: {},
  /** It has just begun. */
  hello: {},
  /** The server `to` shall show that it is alive, and say what it has: its words may be old ones. */
  who: { to: count, sign: bytes(SIGN_BYTES) },
  /** Answer to who, repeating its sign. */
  here: { sign: bytes(SIGN_BYTES) },
  /** A session that this server has; `digest`: SHA-256 of the secret by which it is taken up again. */
  session: { ticket, digest: bytes(32), client },
  ended: { ticket },
  /** A client came here: whoever has its session gives it up. */
  take: { question, ticket },
  /** Answer to take: the number of the last request that was looked at. */
  given: { question, request: count },
  /** A direct message for a client that may be there. */
  direct: {
    question,
    title: label,
    client,
    name: label,
    time: count,
    to: client,
    toName: label,
    request: count,
    text: z.string().max(BODY_MAX_BYTES),
  },
  /** Answer to direct: the client has it, or it waits for the client. */
  directed: { question },
  /** This server has the sealed room: frames of all others go through it. */
  sealed_home: { rid: bytes(RID_BYTES) },
  /** Nobody is in the sealed room any more. */
  sealed_end: { rid: bytes(RID_BYTES) },
  /** A request about a sealed room of the receiver, by client `peer` of the sender, over the link of `challenge`. */
  sealed_ask: { to: count, peer: client, challenge: bytes(CHALLENGE_BYTES), request: body },
  /** The link of `peer` is lost, or the client left for good. */
  sealed_link: { to: count, peer: client, left: z.boolean() },
  /** An event for client `peer` of the receiver. */
  sealed_tell: { to: count, peer: client, event: body },
  /** Client `peer` of the receiver must come again: its room has another home. */
  sealed_again: { to: count, peer: client },
  /** The operator keeps a network out, until so many ms since 1970; 0 = for good. Also told to who comes later. */
  banned: { network: label, until: count },
  unbanned: { network: label },
  /** The operator says something to everybody. */
  announced: { text: label },
  /** The operator ends a session, which may be the receiver's. */
  expel: { question, client },
  /** Answer to expel: it is ended, and came from there. */
  expelled: { question, address: label },
} as const;

type Rows = typeof WORDS;
/** Any word. */
export type ClusterMessage = {
  [K in keyof Rows]:
    & { readonly kind: K }
    & {
      readonly [F in keyof Rows[K]]: Rows[K][F] extends z.ZodType ? z.output<Rows[K][F]> : never;
    };
}[keyof Rows];
/** One kind of word. */
export type ClusterMessageOf<K extends ClusterMessage["kind"]> = Extract<
  ClusterMessage,
  { kind: K }
>;

/** Words of the operator that every server follows. */
export type AdminMessage = ClusterMessageOf<"banned" | "unbanned" | "announced">;

const KINDS = Object.keys(WORDS) as ClusterMessage["kind"][];

/** A word, and which one of which server it is. */
export interface ReceivedMessage {
  readonly slot: number;
  /** Grows with each word of the server. */
  readonly number: number;
  readonly word: ClusterMessage;
}

/** What a server says as bytes. */
export function encodeClusterMessage({ slot, number, word }: ReceivedMessage): Uint8Array {
  const values: Readonly<Record<string, unknown>> = { ...word };
  const fields = Object.keys(WORDS[word.kind]).map((field) => values[field]);
  return encode([slot, number, KINDS.indexOf(word.kind), ...fields]);
}

/** Undefined for what another version says. */
export function decodeClusterMessage(body: Uint8Array): ReceivedMessage | undefined {
  const [slot, number, row, ...values] = decode(body) as unknown[];
  const kind = KINDS[Number(row)];
  if (kind === undefined || !count.safeParse(slot).success || !count.safeParse(number).success) {
    return undefined;
  }
  const types: Readonly<Record<string, z.ZodType>> = WORDS[kind];
  const fields = Object.keys(types);
  if (values.length !== fields.length) return undefined;
  const named = Object.fromEntries(fields.map((field, n) => [field, values[n]]));
  const checked = z.object(types).safeParse(named);
  if (!checked.success) return undefined;
  const word = { kind, ...checked.data } as unknown as ClusterMessage;
  return { slot: slot as number, number: number as number, word };
}
