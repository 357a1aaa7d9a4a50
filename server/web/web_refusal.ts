// Answers in HTTP to what is no WebSocket connection, or may not become one.

import { CmdchatError, LimitError } from "../../shared/base/errors.ts";
import type { HttpHead } from "../../shared/websocket/http_head.ts";

const STATUS = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
} as const;

/** What an answer may begin with. */
export type WebStatus = keyof typeof STATUS;

const EXTRA_FIELDS: { readonly [S in WebStatus]?: string } = {
  405: "Allow: GET, HEAD\r\nConnection: close\r\n",
  426: "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n",
};
const encoder = new TextEncoder();

/** A request that is refused; the connection answers with `bytes` and closes. `message` is for the log. */
export class WebRefusal extends Error {
  /** The client's, where a proxy told it. */
  address: string | undefined;
  readonly #status: WebStatus;
  #hasBody = true;

  /** `text`: one line for whoever reads the answer; it contains nothing of the request. */
  constructor(status: WebStatus, text: string) {
    super(text);
    this.#status = status;
  }

  /** The whole answer. */
  get bytes(): Uint8Array {
    const status = this.#status;
    const body = `${this.message}\r\n`;
    return encoder.encode(
      `HTTP/1.1 ${status} ${STATUS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${encoder.encode(body).length}\r\nCache-Control: no-store\r\n` +
        "X-Content-Type-Options: nosniff\r\n" +
        `${EXTRA_FIELDS[status] ?? "Connection: close\r\n"}\r\n${this.#hasBody ? body : ""}`,
    );
  }

  /** The answer to a HEAD has no body (RFC 9110 §9.3.2). */
  dropBody(): void {
    this.#hasBody = false;
  }
}

/**
 * The refusal of a request that broke a rule or a limit, in the form that its method asks for, from the client at
 * `address`; any other error as it is.
 */
export function refusalFor(error: unknown, head?: HttpHead, address?: string): unknown {
  const refusal = error instanceof CmdchatError
    ? new WebRefusal(error instanceof LimitError ? 431 : 400, error.message)
    : error;
  if (refusal instanceof WebRefusal) {
    refusal.address = address;
    if (head?.startLine.startsWith("HEAD ")) refusal.dropBody();
  }
  return refusal;
}
