// The client's opening handshake of a WebSocket connection (RFC 6455 §4.2.1), and the answer to it.

import { decodeBase64 } from "../../shared/base/base64.ts";
import { fieldOf, type HttpHead, listOf } from "../../shared/websocket/http_head.ts";
import {
  acceptFor,
  WEBSOCKET_PROTOCOL,
  WEBSOCKET_VERSION,
} from "../../shared/websocket/upgrade.ts";
import { WebRefusal } from "./web_refusal.ts";

const KEY_BYTES = 16;
const encoder = new TextEncoder();

/** A valid request for a WebSocket connection. */
export interface UpgradeRequest {
  readonly kind: "upgrade";
  readonly head: HttpHead;
  readonly key: string;
  readonly origin: string | undefined;
  readonly host: string;
}

/** Reads a request to upgrade. Throws WebRefusal, or ProtocolError for a repeated field. */
export function checkUpgrade(head: HttpHead, host: string): UpgradeRequest {
  if (fieldOf(head, "sec-websocket-version") !== WEBSOCKET_VERSION) {
    throw new WebRefusal(426, `Only version ${WEBSOCKET_VERSION} of WebSocket is spoken here.`);
  }
  const key = fieldOf(head, "sec-websocket-key");
  if (key === undefined || decodeBase64(key)?.length !== KEY_BYTES) {
    throw new WebRefusal(400, "Sec-WebSocket-Key must be 16 bytes in base64.");
  }
  if (!listOf(head, "sec-websocket-protocol").includes(WEBSOCKET_PROTOCOL)) {
    throw new WebRefusal(400, `Only the subprotocol ${WEBSOCKET_PROTOCOL} is spoken here.`);
  }
  return { kind: "upgrade", head, key, host, origin: fieldOf(head, "origin") };
}

/** The answer that completes the opening handshake. */
export async function upgradeAnswer({ key }: UpgradeRequest): Promise<Uint8Array> {
  return encoder.encode(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${await acceptFor(key)}\r\n` +
      `Sec-WebSocket-Protocol: ${WEBSOCKET_PROTOCOL}\r\n\r\n`,
  );
}
