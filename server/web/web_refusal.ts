// Answers in HTTP to what is no WebSocket connection, or may not become one.

import { CmdchatError, LimitError } from "../../shared/base/errors.ts";

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
  405: "Allow: GET\r\n",
  426: "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n",
};
const encoder = new TextEncoder();

/** A request that is refused; the connection answers with `bytes` and closes. `message` is for the log. */
export class WebRefusal extends Error {
  /** The whole answer. */
  readonly bytes: Uint8Array;
  /** The client's, where a proxy told it. */
  readonly address: string | undefined;

  /** `text`: one line for whoever reads the answer; nothing of the request stands in it. */
  constructor(status: WebStatus, text: string, address?: string) {
    super(text);
    this.address = address;
    this.bytes = encoder.encode(
      `HTTP/1.1 ${status} ${STATUS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${text.length + 2}\r\nCache-Control: no-store\r\n` +
        `${EXTRA_FIELDS[status] ?? "Connection: close\r\n"}\r\n${text}\r\n`,
    );
  }
}

/** The refusal of a request that broke a rule or a limit; any other error as it is. */
export function refusalFor(error: unknown): unknown {
  if (!(error instanceof CmdchatError)) return error;
  return new WebRefusal(error instanceof LimitError ? 431 : 400, error.message);
}
