// What members say to each other inside MLS: one row a message, as strict CBOR (docs/PROTOCOL.md §11.6).

import * as z from "zod/mini";
import { decodeBy, encodeBy, type MessageIn, tableOf } from "../../shared/messages/cbor_table.ts";
import {
  FILE_NAME_WIRE_MAX_BYTES,
  MESSAGE_MAX_BYTES_CEILING,
  NAME_MAX_BYTES,
  PIN_TEXT_MAX_BYTES,
  REACTION_MAX_BYTES,
  TOPIC_MAX_BYTES,
} from "../../shared/base/limits.ts";
import { fitsBytes } from "../../shared/base/text_bytes.ts";
import { ROOM_SECRET_BYTES } from "../../shared/text/invite_link.ts";
import { FILE_RECEIPTS } from "../../shared/messages/messages_v2.ts";
import { HANDLE_BYTES } from "../../shared/messages/messages_sealed.ts";

/** Bytes that name a message or a file among all. */
export const ID_BYTES = 16;
/** Bytes of the largest text; the server's own limit for messages is checked before. */
export const TEXT_MAX_BYTES = MESSAGE_MAX_BYTES_CEILING;

function bytes(length: number) {
  return z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
}

/** A text of so many bytes of UTF-8 at most: the schema's own bound counts code points. */
function utf8(maxBytes: number, { mayBeEmpty = true } = {}) {
  return z.custom<string>((value) =>
    typeof value === "string" && (mayBeEmpty || value !== "") && fitsBytes(value, maxBytes)
  );
}

const id = bytes(ID_BYTES);
const key = bytes(32);
const count = z.int().check(z.minimum(0));
const topic = utf8(TOPIC_MAX_BYTES);
// As a server has it in a plain room: nobody says nothing.
const said = utf8(TEXT_MAX_BYTES, { mayBeEmpty: false });

/** One row a message. */
export const PAYLOADS = {
  /** A member that came in or came back says so. */
  hello: { id },
  /** Answer to that hello: its sender is confirmed, and told what the room is about. */
  confirm: { id, topic, pin: pin() },
  /** `action`: what the sender does, as in "* alice waves"; `reply`: id of the text that it answers, null: of none. */
  text: {
    id,
    text: said,
    action: z.boolean(),
    reply: z.nullable(id),
  },
  /** A file that the sender will hand out; key and hash are for one file only. */
  file: {
    id,
    name: utf8(FILE_NAME_WIRE_MAX_BYTES),
    size: count,
    chunks: count,
    hash: key,
    key,
    /** It is a tar archive that the receiver unpacks into a folder. */
    folder: z.boolean(),
  },
  /** The sender leaves: another member removes its leaf at once. */
  leaving: { id },
  /** The room moves to a new link. */
  move: { id, secret: bytes(ROOM_SECRET_BYTES) },
  /** A text for the member with that handle alone, sealed for its leaf (§11.8). */
  direct: { id, to: bytes(HANDLE_BYTES), enc: key, sealed: z.custom<Uint8Array>(isSealed) },
  /** The sender's text with the id `of` says something else now, or is taken back. */
  revise: { id, of: id, text: z.nullable(said) },
  /** What the room is about; empty: nothing. */
  topic: { id, text: topic },
  /** The sender is writing. */
  typing: { id },
  /** What became of the file `of` of the member with that handle at the sender. */
  receipt: { id, to: bytes(HANDLE_BYTES), of: id, state: z.enum(FILE_RECEIPTS) },
  /** The sender hands out its file `of` no longer. */
  withdrawn: { id, of: id },
  /** An emoji under the text with the id `of`, whoever said it; taken back where `on` is false. */
  react: {
    id,
    of: id,
    emoji: utf8(REACTION_MAX_BYTES),
    on: z.boolean(),
  },
  /** A `file` for the member with that handle alone, sealed for its leaf (§11.9). */
  handed: { id, to: bytes(HANDLE_BYTES), enc: key, sealed: z.custom<Uint8Array>(isSealed) },
  /** A member who moderates the room pins a text for everybody, or removes the pin: null. */
  pin: { id, pin: pin() },
} as const;

/** Signature key of the text's author, and its id; then name and text, as the member who reports it says. */
function pin() {
  const name = utf8(NAME_MAX_BYTES);
  const text = utf8(PIN_TEXT_MAX_BYTES);
  return z.nullable(z.tuple([key, id, name, text]));
}

function isSealed(value: unknown): boolean {
  return value instanceof Uint8Array && value.length <= 2 * TEXT_MAX_BYTES;
}

/** What is pinned. */
export type PayloadPin = NonNullable<Extract<Payload, { kind: "pin" }>["pin"]>;

/** What one member says to the others. */
export type Payload = MessageIn<typeof PAYLOADS>;

const table = tableOf(PAYLOADS);

/** The bytes that MLS protects. */
export function encodePayload(payload: Payload): Uint8Array {
  return encodeBy(table, payload);
}

/** What a member said. Throws ProtocolError. */
export function decodePayload(body: Uint8Array): Payload {
  return decodeBy(table, body) as Payload;
}

/** Text of so many bytes of UTF-8 at most; undefined where it is none. */
export function decodeText(bytes: Uint8Array, maxBytes = TEXT_MAX_BYTES): string | undefined {
  if (bytes.length > maxBytes) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // A member's program wrote it that does not follow the protocol.
  }
}
