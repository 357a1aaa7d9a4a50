// One HTTP request on a connection, and its answer; then the connection is closed. Bounds are small: the operator's
// programs need no more, and strangers get little for free.

import { CmdchatError } from "../../shared/base/errors.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { fieldOf, type HttpHead, HttpHeadReader } from "../../shared/websocket/http_head.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";

/** Most bytes of a body that are kept; a longer one is read away, and its request has none. */
export const HTTP_BODY_MAX_BYTES = 16_384;
/** Most bytes that are read away, so that an answer arrives and is not overtaken by a reset. */
const READ_AWAY_MAX_BYTES = 1_048_576;

const encoder = new TextEncoder();
const START = /^([A-Z]{1,16}) (\S+) HTTP\/1\.[01]$/;
// RFC 9110 §7.2, for names and addresses as they are in use: with a slash in it, it would be a path.
const HOST = /^(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** The request of a connection; undefined where it ended before; a Response where it is none. Throws ConnectionLost. */
export async function readHttpRequest(
  connection: Connection,
): Promise<Request | Response | undefined> {
  try {
    const reader = new HttpHeadReader();
    for (;;) {
      const chunk = await connection.read();
      if (chunk === null) return undefined;
      const whole = reader.push(chunk);
      if (whole === undefined) continue;
      const body = await readBody(connection, whole.head, whole.rest.slice());
      return body instanceof Response ? body : requestOf(whole.head, body);
    }
  } catch (error) {
    if (error instanceof CmdchatError) return refusal(400, "This is no HTTP/1.1 request");
    throw error;
  }
}

/** Writes an answer. Throws ConnectionLost. */
export async function writeHttpResponse(
  connection: Connection,
  response: Response,
  isHead: boolean,
): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const fields = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `HTTP/1.1 ${response.status} \r\n${fields}content-length: ${body.length}\r\n` +
    "connection: close\r\n\r\n";
  await connection.write(concatBytes([encoder.encode(head), ...(isHead ? [] : [body])]));
}

async function readBody(
  connection: Connection,
  head: HttpHead,
  rest: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | Response | undefined> {
  if (head.fields.has("transfer-encoding")) return refusal(411, "Send a Content-Length");
  const text = fieldOf(head, "content-length") ?? "0";
  const length = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(length)) return refusal(400, "The Content-Length is not a number");
  if (length > READ_AWAY_MAX_BYTES) return refusal(413, "The body is too long");
  const chunks = [rest];
  for (let size = rest.length; size < length;) {
    const chunk = await connection.read();
    if (chunk === null) throw new ConnectionLost("the connection ended within a body");
    size += chunk.length;
    // Of a body that is too long nothing is kept.
    if (size <= HTTP_BODY_MAX_BYTES) chunks.push(chunk.slice());
  }
  if (length === 0 || length > HTTP_BODY_MAX_BYTES) return undefined;
  return new Uint8Array(concatBytes(chunks).subarray(0, length));
}

function requestOf(head: HttpHead, body: Uint8Array<ArrayBuffer> | undefined): Request | Response {
  const [, method, target] = START.exec(head.startLine) ?? [];
  const host = fieldOf(head, "host");
  if (method === undefined || !target?.startsWith("/") || !HOST.test(host ?? "")) {
    return refusal(400, "This is no HTTP/1.1 request");
  }
  const headers = [...head.fields].flatMap(([name, values]) =>
    values.map((value): [string, string] => [name, value])
  );
  const hasBody = body !== undefined && method !== "GET" && method !== "HEAD";
  try {
    const url = new URL(`http://${host}${target}`);
    // What a proxy before this server took for another path must not be that path here.
    if (url.pathname !== target.split("?", 1)[0]) {
      return refusal(400, "The path must be a plain one");
    }
    return new Request(url, { method, headers, body: hasBody ? body : null });
  } catch {
    // A host, method or field that no request may have.
    return refusal(400, "This is no HTTP/1.1 request");
  }
}

function refusal(status: number, why: string): Response {
  return new Response(`${why}\n`, {
    status,
    headers: { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" },
  });
}
