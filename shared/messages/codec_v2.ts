// The bodies of v2 messages: strict CBOR (RFC 8949 §4.2) of the rows in messages_v2.ts. There is one way to
// write each message, and nothing else is read.

import { decodeBy, encodeBy, encodePartsBy, maxBytesBy, tableOf } from "./cbor_table.ts";
import { type Event, EVENTS, type Request, REQUESTS } from "./messages_v2.ts";
import { REQUEST_MAX_BYTES } from "./request_sizes.ts";

/** Parts of files. */
const bulk = { chunk: "data", part: "data", sealed_chunk: "body" };
const maxBytes = (kind: string) => REQUEST_MAX_BYTES[kind as Request["kind"]];
const requests = tableOf(REQUESTS, { maxBytes, bulk });
const events = tableOf(EVENTS, { bulk });

/** The body of a client's message. */
export function encodeRequest(message: Request): Uint8Array {
  return encodeBy(requests, message);
}

/** The body of a server's message. */
export function encodeEvent(message: Event): Uint8Array {
  return encodeBy(events, message);
}

/** The body of a client's message in parts: those of a part of a file are not copied. */
export function encodeRequestParts(message: Request): readonly Uint8Array[] {
  return encodePartsBy(requests, message);
}

/** The body of a server's message in parts: those of a part of a file are not copied. */
export function encodeEventParts(message: Event): readonly Uint8Array[] {
  return encodePartsBy(events, message);
}

/** Bytes that a client's message may have which begins with `start`; 0 where its kind is unknown. */
export function requestMaxBytes(start: Uint8Array): number {
  return maxBytesBy(requests, start);
}

/**
 * A client's message. Its part of a file is a part of `body` where no other message is in the same buffer, and a copy
 * elsewhere: a caller that uses it up may give its buffer back. Throws ProtocolError or LimitError with one clear
 * reason.
 */
export function decodeRequest(body: Uint8Array): Request {
  return decodeBy(requests, body) as Request;
}

/** A server's message; of its part of a file the same is true. Throws ProtocolError with one clear reason. */
export function decodeEvent(body: Uint8Array): Event {
  return decodeBy(events, body) as Event;
}
