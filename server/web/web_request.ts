// An HTTP request as the door accepts it: an upgrade to WebSocket, or a request for the page.

import {
  fieldOf,
  type HeadAndRest,
  type HttpHead,
  HttpHeadReader,
  listHas,
} from "../../shared/websocket/http_head.ts";
import type { FirstBytes } from "./first_bytes.ts";
import { checkUpgrade, type UpgradeRequest } from "./upgrade_request.ts";
import { refusalFor, WebRefusal } from "./web_refusal.ts";

const NO_UPGRADE =
  "Your proxy does not pass Upgrade: it must hand on the fields Upgrade and Connection over HTTP/1.1.";
const PAGE_PATH = "/";
// Four bytes identify these methods and HTTP/2. Read as a frame's length they would be above every limit.
const METHOD_BYTES = 4;
const METHODS = /^(?:GET |HEAD|POST|PUT |PATC|DELE|OPTI|TRAC|CONN|PRI )$/;
const decoder = new TextDecoder("latin1");

/** A request for the page. */
export interface PageRequest {
  readonly kind: "page";
  readonly head: HttpHead;
  readonly method: "GET" | "HEAD";
  readonly host: string;
}

/** A valid request. */
export type WebRequest = UpgradeRequest | PageRequest;

/** What the server has for browsers. */
export interface Served {
  readonly hasPage: boolean;
  /** The answer's one line where there is no page. */
  readonly how: string;
}

/** Whether a connection speaks HTTP. Throws ConnectionLost. */
export async function speaksHttp(first: FirstBytes): Promise<boolean> {
  if (!await first.has(1)) return false;
  // Waits for no more bytes where the first one decides.
  if (!/^[A-Z]/.test(decoder.decode(first.bytes.subarray(0, 1)))) return false;
  if (!await first.has(METHOD_BYTES)) return false;
  return METHODS.test(decoder.decode(first.bytes.subarray(0, METHOD_BYTES)));
}

/** Reads a request; no bytes may follow it before the answer. Throws WebRefusal or ConnectionLost. */
export async function readWebRequest(first: FirstBytes, served: Served): Promise<WebRequest> {
  const { head, rest } = await readHead(first);
  try {
    const request = checkRequest(head, served);
    if (rest.length > 0) throw new WebRefusal(400, "The request did not wait for an answer.");
    return request;
  } catch (error) {
    throw refusalFor(error, head);
  }
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

function checkRequest(head: HttpHead, { hasPage, how }: Served): WebRequest {
  const [method, target, version] = head.startLine.split(" ");
  if (!/^HTTP\/1\.[01]$/.test(version ?? "")) {
    throw new WebRefusal(400, "This is no request of HTTP/1.1.");
  }
  if (method !== "GET" && method !== "HEAD") {
    throw new WebRefusal(405, "Only GET and HEAD are answered here.");
  }
  const hasBody = head.fields.has("transfer-encoding") ||
    (fieldOf(head, "content-length") ?? "0") !== "0";
  if (hasBody) throw new WebRefusal(400, "A request with a body is not answered here.");
  if (target !== PAGE_PATH) {
    throw new WebRefusal(404, `There is nothing here but ${PAGE_PATH}, without a query.`);
  }
  const host = fieldOf(head, "host");
  if (host === undefined) throw new WebRefusal(400, "The field Host is missing.");
  const upgrades = listHas(head, "upgrade", "websocket") && listHas(head, "connection", "upgrade");
  if (upgrades && version === "HTTP/1.1" && method === "GET") return checkUpgrade(head, host);
  const wantsUpgrade = upgrades || head.fields.has("sec-websocket-key");
  if (hasPage && !wantsUpgrade) return { kind: "page", head, method, host };
  throw new WebRefusal(426, wantsUpgrade || version === "HTTP/1.0" ? NO_UPGRADE : how);
}
