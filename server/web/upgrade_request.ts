// A request to become a WebSocket connection (RFC 6455 §4.2.1), and the answer to one.

import { decodeBase64 } from "../../shared/base/base64.ts";
import {
  fieldOf,
  type HeadAndRest,
  type HttpHead,
  HttpHeadReader,
  listHas,
  listOf,
} from "../../shared/websocket/http_head.ts";
import {
  acceptFor,
  WEBSOCKET_PATH,
  WEBSOCKET_PROTOCOL,
  WEBSOCKET_VERSION,
} from "../../shared/websocket/upgrade.ts";
import type { FirstBytes } from "./first_bytes.ts";
import { refusalFor, WebRefusal } from "./web_refusal.ts";

const KEY_BYTES = 16;
const NO_UPGRADE =
  "Your proxy does not pass Upgrade: it must hand on the fields Upgrade and Connection over HTTP/1.1.";
const encoder = new TextEncoder();

/** A request that may become a WebSocket connection. */
export interface UpgradeRequest {
  readonly head: HttpHead;
  readonly key: string;
  readonly origin: string | undefined;
  readonly host: string | undefined;
}

/** Reads the request, which nothing may follow yet. Throws WebRefusal, ProtocolError or ConnectionLost. */
export async function readUpgradeRequest(
  first: FirstBytes,
  how: string,
): Promise<UpgradeRequest> {
  const { head, rest } = await readHead(first);
  try {
    const request = checkRequest(head, how);
    if (rest.length > 0) throw new WebRefusal(400, "The request did not wait for an answer.");
    return request;
  } catch (error) {
    throw refusalFor(error);
  }
}

/** The answer that makes it a WebSocket connection. */
export async function upgradeAnswer({ key }: UpgradeRequest): Promise<Uint8Array> {
  return encoder.encode(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${await acceptFor(key)}\r\n` +
      `Sec-WebSocket-Protocol: ${WEBSOCKET_PROTOCOL}\r\n\r\n`,
  );
}

async function readHead(first: FirstBytes): Promise<HeadAndRest> {
  const reader = new HttpHeadReader();
  for (;;) {
    const bytes = await first.some();
    try {
      const read = reader.push(bytes);
      if (read !== undefined) return read;
    } catch (error) {
      throw refusalFor(error);
    }
  }
}

function checkRequest(head: HttpHead, how: string): UpgradeRequest {
  const [method, target, version] = head.startLine.split(" ");
  if (!/^HTTP\/1\.[01]$/.test(version ?? "")) {
    throw new WebRefusal(400, "This is no request of HTTP/1.1.");
  }
  if (method !== "GET") throw new WebRefusal(405, "Only GET is answered here.");
  const hasBody = head.fields.has("transfer-encoding") ||
    (fieldOf(head, "content-length") ?? "0") !== "0";
  if (hasBody) throw new WebRefusal(400, "A request with a body is not answered here.");
  const key = fieldOf(head, "sec-websocket-key");
  const upgrades = listHas(head, "upgrade", "websocket") && listHas(head, "connection", "upgrade");
  if (!upgrades || version === "HTTP/1.0") {
    const isDropped = key !== undefined || version === "HTTP/1.0";
    throw new WebRefusal(426, isDropped ? NO_UPGRADE : how);
  }
  if (target !== WEBSOCKET_PATH) {
    throw new WebRefusal(404, `There is nothing here but ${WEBSOCKET_PATH}, without a query.`);
  }
  return { head, key: checkKey(head, key), ...pageOf(head) };
}

function checkKey(head: HttpHead, key: string | undefined): string {
  if (fieldOf(head, "sec-websocket-version") !== WEBSOCKET_VERSION) {
    throw new WebRefusal(426, `Only version ${WEBSOCKET_VERSION} of WebSocket is spoken here.`);
  }
  if (key === undefined || decodeBase64(key)?.length !== KEY_BYTES) {
    throw new WebRefusal(400, "Sec-WebSocket-Key must be 16 bytes in base64.");
  }
  if (!listOf(head, "sec-websocket-protocol").includes(WEBSOCKET_PROTOCOL)) {
    throw new WebRefusal(400, `Only the subprotocol ${WEBSOCKET_PROTOCOL} is spoken here.`);
  }
  return key;
}

function pageOf(head: HttpHead): Pick<UpgradeRequest, "origin" | "host"> {
  const host = fieldOf(head, "host");
  if (host === undefined) throw new WebRefusal(400, "The field Host is missing.");
  return { host, origin: fieldOf(head, "origin") };
}
