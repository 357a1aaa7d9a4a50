// HTTP answers to requests that are refused.

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

/** The status lines of the answers. */
export type WebStatus = keyof typeof STATUS;

const EXTRA_FIELDS: { readonly [S in WebStatus]?: string } = {
  405: "Allow: GET, HEAD\r\nConnection: close\r\n",
  426: "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n",
};
const encoder = new TextEncoder();

/** A request that is refused; the connection answers with `bytes` and closes. `message` is for the log. */
export class WebRefusal extends Error {
  /** The client's address, where a proxy named it. */
  address: string | undefined;
  readonly #status: WebStatus;
  #hasBody = true;

  /** `text`: one line for the reader of the answer; it repeats nothing of the request. */
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
 * Turns an error about a rule or a limit that the request of the client at `address` broke into a refusal in the form
 * that its method needs; returns any other error as it is.
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
