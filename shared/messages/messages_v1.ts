// THE message table: one row a message. Types, checks and handler lists derive from it.
// Unknown fields are ignored (zod strips them); a missing field or a wrong type is a protocol error.

import * as z from "zod";
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
const text = z.string().max(FRAME_MAX_BYTES);
const label = z.string().max(1_024);
const count = z.int().min(0);
const fileId = z.string().min(1).max(128);
const chunkData = z.string().max(Math.ceil(FILE_CHUNK_BYTES / 3) * 4);
const fileName = z.string().max(FILE_NAME_WIRE_MAX_BYTES);

const file = {
  file_id: fileId,
  filename: fileName,
  filesize: count.max(FILE_MAX_BYTES_CEILING),
  total_chunks: count.max(FILE_CHUNKS_MAX),
};
const chunk = {
  file_id: fileId,
  chunk_index: count.max(FILE_CHUNKS_MAX),
  chunk_data: chunkData,
  is_final: z.boolean(),
};
const stamp = { client_id: count, room: label, timestamp: z.string().max(64) };

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
    client_id: count.nullish(),
    room: label.nullish(),
    timestamp: z.string().max(64).nullish(),
    // An addition that other clients ignore: what happened, so that no client has to guess it from the words.
    event: z.enum(SYSTEM_EVENTS).optional().catch("notice"),
    name: label.optional(),
    previous: label.optional(),
    names: z.array(label).max(CONNECTIONS_MAX).optional(),
  }),
  ping: z.object({
    type: z.literal("ping"),
    timestamp: z.union([z.string(), z.number()]).nullish(),
  }),
  file_init: z.object({ type: z.literal("file_init"), ...file, sender: label, ...stamp }),
  file_chunk: z.object({ type: z.literal("file_chunk"), ...chunk, sender: label, ...stamp }),
} as const;

/** The first message of a client. */
export const HANDSHAKE = z.object({
  type: z.literal("handshake"),
  public_key: z.string().max(8_192),
  name: label.nullish(),
  room: label.nullish(),
  token: label.nullish(),
  renderer: z.string().max(64).nullish(),
  buffer_size: z.number().nullish(),
});

/** The server's answer to a handshake. */
export const HANDSHAKE_ANSWER = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("handshake_ok"),
    client_id: count,
    room: label,
    heartbeat_interval: z.number().min(1).max(3_600),
    nonce_size: z.literal(12),
    encrypted_key: z.string().max(4_096),
    // Additions that other clients ignore: the assigned name, and the server's limits.
    name: label.optional(),
    limits: z.object({
      message: count.max(FRAME_MAX_BYTES),
      file: count.max(FILE_MAX_BYTES_CEILING),
      rate: z.object({
        messages: z.int().min(1).max(RATE_MAX.messages),
        seconds: z.int().min(1).max(RATE_MAX.seconds),
      }).nullable(),
    }).optional(),
  }),
  z.object({ type: z.literal("handshake_error"), reason: z.string().max(1_024) }),
]);

type Table = Readonly<Record<string, z.ZodType>>;
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
export function checkMessage<S extends z.ZodType>(
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
  return checkMessage(table[type] as z.ZodType, value, type);
}
