// The bodies of v2 messages: strict CBOR (RFC 8949 §4.2) of the rows in messages_v2.ts. There is one way to
// write each message, and nothing else is read.

import { decodeBy, encodeBy, maxBytesBy, tableOf } from "./cbor_table.ts";
import { type Event, EVENTS, type Request, REQUESTS } from "./messages_v2.ts";
import { REQUEST_MAX_BYTES } from "./request_sizes.ts";

const requests = tableOf(REQUESTS, (kind) => REQUEST_MAX_BYTES[kind as Request["kind"]]);
const events = tableOf(EVENTS);

/** The body of a client's message. */
export function encodeRequest(message: Request): Uint8Array {
  return encodeBy(requests, message);
}

/** The body of a server's message. */
export function encodeEvent(message: Event): Uint8Array {
  return encodeBy(events, message);
}

/** Bytes that a client's message may have which begins with `start`; 0 where its kind is unknown. */
export function requestMaxBytes(start: Uint8Array): number {
  return maxBytesBy(requests, start);
}

/** A client's message. Throws ProtocolError or LimitError with one clear reason. */
export function decodeRequest(body: Uint8Array): Request {
  return decodeBy(requests, body) as Request;
}

/** A server's message. Throws ProtocolError with one clear reason. */
export function decodeEvent(body: Uint8Array): Event {
  return decodeBy(events, body) as Event;
}
