// What both sides must agree on in the opening handshake of a WebSocket connection (RFC 6455 §4).

import { encodeBase64 } from "../base/base64.ts";

/** The subprotocol: binary messages carry the bytes of session v2. docs/PROTOCOL.md §1.1. */
export const WEBSOCKET_PROTOCOL = "cmdchat.v2";

/** The only version of the protocol (RFC 6455 §4.1). */
export const WEBSOCKET_VERSION = "13";

/** The path at which a server answers; it never contains anything of a conversation. */
export const WEBSOCKET_PATH = "/";

const KEY_BYTES = 16;
// RFC 6455 §1.3.
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const encoder = new TextEncoder();

/** A client's Sec-WebSocket-Key: 16 random bytes in base64. */
export function newWebSocketKey(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}

/** The Sec-WebSocket-Accept that answers a key. SHA-1 protects nothing here: it shows that WebSocket was understood. */
export async function acceptFor(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", encoder.encode(key + GUID));
  return encodeBase64(new Uint8Array(digest));
}
