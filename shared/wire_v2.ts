// The bodies of v2 messages: strict CBOR (RFC 8949 §4.2) of the rows in messages_v2.ts. There is one way to
// write each message, and nothing else is read.

import { Buffer } from "node:buffer";
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import * as z from "zod";
import { ProtocolError } from "./errors.ts";
import { type Event, EVENTS, type Request, REQUESTS } from "./messages_v2.ts";

interface Row {
  readonly number: number;
  readonly kind: string;
  readonly fields: readonly string[];
  readonly schema: z.ZodType;
}

interface Table {
  readonly byKind: ReadonlyMap<string, Row>;
  readonly byNumber: readonly Row[];
}

const DECODE_OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  rejectDuplicateMapKeys: true,
} as const;

const requests = tableOf(REQUESTS);
const events = tableOf(EVENTS);

/** The body of a client's message. */
export function encodeRequest(message: Request): Uint8Array {
  return encodeBy(requests, message);
}

/** The body of a server's message. */
export function encodeEvent(message: Event): Uint8Array {
  return encodeBy(events, message);
}

/** A client's message. Throws ProtocolError with one clear reason. */
export function decodeRequest(body: Uint8Array): Request {
  return decodeBy(requests, body) as Request;
}

/** A server's message. Throws ProtocolError with one clear reason. */
export function decodeEvent(body: Uint8Array): Event {
  return decodeBy(events, body) as Event;
}

function tableOf(rows: Readonly<Record<string, z.ZodRawShape>>): Table {
  const byNumber = Object.entries(rows).map(([kind, shape], number) => ({
    ...{ number, kind, fields: Object.keys(shape) },
    schema: z.tuple([z.literal(number), ...(Object.values(shape) as z.ZodType[])]),
  }));
  return { byNumber, byKind: new Map(byNumber.map((row) => [row.kind, row])) };
}

function encodeBy(table: Table, message: { readonly kind: string }): Uint8Array {
  const row = table.byKind.get(message.kind) as Row;
  const values: Readonly<Record<string, unknown>> = { ...message };
  return encode([row.number, ...row.fields.map((field) => values[field])], rfc8949EncodeOptions);
}

function decodeBy(table: Table, body: Uint8Array): { readonly kind: string } {
  const value = decodeStrictly(body);
  const number = Array.isArray(value) ? value[0] : undefined;
  const row = Number.isInteger(number) ? table.byNumber[number] : undefined;
  if (row === undefined) {
    throw new ProtocolError("Cannot read the peer's message: its kind is none of this protocol");
  }
  const checked = row.schema.safeParse(value);
  if (!checked.success) {
    const place = Number(checked.error.issues[0]?.path[0]) - 1;
    const field = row.fields[place] ?? "number of fields";
    throw new ProtocolError(
      `Cannot read the peer's ${row.kind}: the ${field} is not as the protocol says`,
    );
  }
  const values = checked.data as readonly unknown[];
  const named = row.fields.map((field, i) => [field, values[i + 1]]);
  const message = { kind: row.kind, ...Object.fromEntries(named) };
  // The decoder mends text that is not UTF-8: only what is written back equal was written rightly.
  if (Buffer.compare(encodeBy(table, message), body) !== 0) throw notCanonical();
  return message;
}

function decodeStrictly(body: Uint8Array): unknown {
  try {
    return decode(body, DECODE_OPTIONS);
  } catch (cause) {
    throw notCanonical(cause);
  }
}

function notCanonical(cause?: unknown): ProtocolError {
  return new ProtocolError("Cannot read the peer's message: it is not canonical CBOR", { cause });
}
