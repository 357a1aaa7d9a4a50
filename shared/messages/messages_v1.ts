// THE message table: one row a message. Types, checks and handler lists derive from it.
// Unknown fields are ignored (zod strips them); a missing field or a wrong type is a protocol error.

import * as z from "zod/mini";
import { ProtocolError } from "../base/errors.ts";
import {
  CONNECTIONS_MAX,
  FILE_CHUNK_BYTES,
  FILE_CHUNKS_MAX,
  FILE_MAX_BYTES_CEILING,
  FILE_NAME_WIRE_MAX_BYTES,
  FRAME_MAX_BYTES,
  RATE_MAX,
} from "../base/limits.ts";

// Lengths here keep absurd input out; the limits that users meet are checked where they can be explained.
const text = z.string().check(z.maxLength(FRAME_MAX_BYTES));
const label = z.string().check(z.maxLength(1_024));
const count = z.int().check(z.minimum(0));
const shortText = z.string().check(z.maxLength(64));
const fileId = z.string().check(z.minLength(1), z.maxLength(128));
const chunkData = z.string().check(z.maxLength(Math.ceil(FILE_CHUNK_BYTES / 3) * 4));
const fileName = z.string().check(z.maxLength(FILE_NAME_WIRE_MAX_BYTES));

const file = {
  file_id: fileId,
  filename: fileName,
  filesize: count.check(z.maximum(FILE_MAX_BYTES_CEILING)),
  total_chunks: count.check(z.maximum(FILE_CHUNKS_MAX)),
};
const chunk = {
  file_id: fileId,
  chunk_index: count.check(z.maximum(FILE_CHUNKS_MAX)),
  chunk_data: chunkData,
  is_final: z.boolean(),
};
const stamp = { client_id: count, room: label, timestamp: shortText };

/** The subject of a system line of this server. */
export const SYSTEM_EVENTS = [
  "joined", // `name` is now in the room; to the newcomer as well
  "left",
  "renamed", // from `previous` to `name`
  "names", // `names` are in the room; to the newcomer only
  "refused", // what the receiver asked for was not done
  "stopping", // the server is going down
  "notice",
] as const;

/** What a client sends inside the session: one row a message. */
export const CLIENT_MESSAGES = {
  chat: z.object({ type: z.literal("chat"), message: text }),
  system: z.object({ type: z.literal("system"), message: text }),
  pong: z.object({ type: z.literal("pong") }),
  rename: z.object({ type: z.literal("rename"), name: text }),
  switch_room: z.object({ type: z.literal("switch_room"), room: text }),
  file_init: z.object({ type: z.literal("file_init"), ...file }),
  file_chunk: z.object({ type: z.literal("file_chunk"), ...chunk }),
} as const;

/** What the server sends inside the session: one row a message. */
export const SERVER_MESSAGES = {
  chat: z.object({
    type: z.literal("chat"),
    sender: label,
    message: text,
    ...stamp,
    sequence: count,
  }),
  // v1 servers leave client_id out, or null, where nobody in particular caused the line.
  system: z.object({
    type: z.literal("system"),
    message: text,
    client_id: z.nullish(count),
    room: z.nullish(label),
    timestamp: z.nullish(shortText),
    // An addition that other clients ignore: what happened, so that no client has to guess it from the words.
    event: z.catch(z.optional(z.enum(SYSTEM_EVENTS)), "notice"),
    name: z.optional(label),
    previous: z.optional(label),
    names: z.optional(z.array(label).check(z.maxLength(CONNECTIONS_MAX))),
  }),
  ping: z.object({
    type: z.literal("ping"),
    timestamp: z.nullish(z.union([z.string(), z.number()])),
  }),
  file_init: z.object({ type: z.literal("file_init"), ...file, sender: label, ...stamp }),
  file_chunk: z.object({ type: z.literal("file_chunk"), ...chunk, sender: label, ...stamp }),
} as const;

/** The first message of a client. */
export const HANDSHAKE = z.object({
  type: z.literal("handshake"),
  public_key: z.string().check(z.maxLength(8_192)),
  name: z.nullish(label),
  room: z.nullish(label),
  token: z.nullish(label),
  renderer: z.nullish(shortText),
  buffer_size: z.nullish(z.number()),
});

/** The server's answer to a handshake. */
export const HANDSHAKE_ANSWER = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("handshake_ok"),
    client_id: count,
    room: label,
    heartbeat_interval: z.number().check(z.minimum(1), z.maximum(3_600)),
    nonce_size: z.literal(12),
    encrypted_key: z.string().check(z.maxLength(4_096)),
    // Additions that other clients ignore: the assigned name, and the server's limits.
    name: z.optional(label),
    limits: z.optional(z.object({
      message: count.check(z.maximum(FRAME_MAX_BYTES)),
      file: count.check(z.maximum(FILE_MAX_BYTES_CEILING)),
      rate: z.nullable(z.object({
        messages: z.int().check(z.minimum(1), z.maximum(RATE_MAX.messages)),
        seconds: z.int().check(z.minimum(1), z.maximum(RATE_MAX.seconds)),
      })),
    })),
  }),
  z.object({ type: z.literal("handshake_error"), reason: label }),
]);

type Table = Readonly<Record<string, z.ZodMiniType>>;
type MessageOf<T extends Table> = z.output<T[keyof T]>;

/** Any message from a client. */
export type ClientMessage = MessageOf<typeof CLIENT_MESSAGES>;
/** Any message from the server. */
export type ServerMessage = MessageOf<typeof SERVER_MESSAGES>;
/** One kind of message from a client. */
export type ClientMessageOf<K extends ClientMessage["type"]> = Extract<ClientMessage, { type: K }>;
/** One kind of message from the server. */
export type ServerMessageOf<K extends ServerMessage["type"]> = Extract<ServerMessage, { type: K }>;
/** The first message of a client. */
export type Handshake = z.output<typeof HANDSHAKE>;
/** The server's answer to a handshake. */
export type HandshakeAnswer = z.output<typeof HANDSHAKE_ANSWER>;

/** Checks a payload that came from a client. Throws ProtocolError with one clear reason. */
export function checkClientMessage(value: unknown): ClientMessage {
  return checkByTable(CLIENT_MESSAGES, value) as ClientMessage;
}

/** Checks a payload that came from the server. Throws ProtocolError with one clear reason. */
export function checkServerMessage(value: unknown): ServerMessage {
  return checkByTable(SERVER_MESSAGES, value) as ServerMessage;
}

/** Checks `value` against one schema. Throws ProtocolError that names the field, never its content. */
export function checkMessage<S extends z.ZodMiniType>(
  schema: S,
  value: unknown,
  what: string,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join(".") || "type";
  throw new ProtocolError(
    `Cannot read the peer's ${what}: the field "${field}" is missing or not as the protocol says`,
  );
}

function checkByTable(table: Table, value: unknown): unknown {
  const type = typeof value === "object" && value !== null && "type" in value
    ? value.type
    : undefined;
  if (typeof type !== "string" || !Object.hasOwn(table, type)) {
    throw new ProtocolError(
      "Cannot read the peer's message: its type is not part of this protocol",
    );
  }
  return checkMessage(table[type] as z.ZodMiniType, value, type);
}
