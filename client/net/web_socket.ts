// A WebSocket connection (RFC 6455) as bytes in and out: what passes where only the web passes.

import { ConnectionError, ProtocolError } from "../../shared/base/errors.ts";
import { CLOSE_CODES, closePayload, WebSocketError } from "../../shared/websocket/close_code.ts";
import {
  MASK_KEY_BYTES,
  type Opcode,
  OPCODES,
  webSocketFrame,
} from "../../shared/websocket/frame.ts";
import { WebSocketReader } from "../../shared/websocket/frame_reader.ts";
import {
  fieldOf,
  type HeadAndRest,
  type HttpHead,
  HttpHeadReader,
  listHas,
} from "../../shared/websocket/http_head.ts";
import {
  acceptFor,
  newWebSocketKey,
  WEBSOCKET_PATH,
  WEBSOCKET_PROTOCOL,
  WEBSOCKET_VERSION,
} from "../../shared/websocket/upgrade.ts";
import { addressOf, asciiHost, type Connection, type Endpoint } from "./endpoint.ts";

const HTTPS_PORT = 443;
const CLOSE_PATIENCE_MS = 1_000;
const SWITCHING_PROTOCOLS = 101;
const encoder = new TextEncoder();

interface Answer {
  readonly why: string;
  readonly hint: string;
}

const ASK_ADMIN = "the server's admin switches WebSocket on with --web-only-socket";

/** What the answers of servers and of proxies before them mean. Their texts are never shown: anybody could write them. */
const ANSWERS: Readonly<Record<number, Answer>> = {
  400: { why: "it does not speak WebSocket", hint: ASK_ADMIN },
  403: { why: "it takes no connections from here", hint: "ask its admin" },
  404: { why: "there is no cmdchat server at this address", hint: "check host and port" },
  426: {
    why: "a proxy before it does not pass Upgrade",
    hint: "docs/OPERATIONS.md has configurations of nginx and HAProxy for the server's admin",
  },
  429: { why: "it takes no more connections from here", hint: "try again in a moment" },
  502: {
    why: "the proxy before it does not reach it",
    hint: "check that cmdchat-server is running",
  },
  503: { why: "it takes no more connections", hint: "try again in a moment" },
  504: {
    why: "the proxy before it does not reach it",
    hint: "check that cmdchat-server is running",
  },
};

/** Makes `raw` a WebSocket connection; `raw` stays open where that fails. Throws ConnectionError. */
export async function openWebSocket(raw: Connection, endpoint: Endpoint): Promise<Connection> {
  const key = newWebSocketKey();
  await raw.write(encoder.encode(upgradeRequest(endpoint, key)));
  const { head, rest } = await readHead(raw, endpoint);
  await checkAnswer(head, { endpoint, key });
  return new WebSocketConnection(raw, rest.slice());
}

/** It contains nothing of the conversation: no room, no token, no name. */
function upgradeRequest(endpoint: Endpoint, key: string): string {
  const host = asciiHost(endpoint);
  const { port } = endpoint;
  const name = host.includes(":") ? `[${host}]` : host;
  return `GET ${WEBSOCKET_PATH} HTTP/1.1\r\n` +
    `Host: ${port === HTTPS_PORT ? name : `${name}:${port}`}\r\n` +
    "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${WEBSOCKET_VERSION}\r\n` +
    `Sec-WebSocket-Protocol: ${WEBSOCKET_PROTOCOL}\r\n\r\n`;
}

async function readHead(raw: Connection, endpoint: Endpoint): Promise<HeadAndRest> {
  const reader = new HttpHeadReader();
  for (let chunk = await raw.read(); chunk !== undefined; chunk = await raw.read()) {
    // A server that speaks no HTTP answers in frames, whose first byte is 0.
    if (chunk[0] === 0) throw failed(endpoint, ANSWERS[400]);
    const read = pushHead(reader, chunk, endpoint);
    if (read !== undefined) return read;
  }
  throw failed(endpoint, { why: "it closed the connection without an answer", hint: ASK_ADMIN });
}

function pushHead(
  reader: HttpHeadReader,
  chunk: Uint8Array,
  endpoint: Endpoint,
): HeadAndRest | undefined {
  try {
    return reader.push(chunk);
  } catch (cause) {
    throw failed(endpoint, undefined, cause);
  }
}

interface Asked {
  readonly endpoint: Endpoint;
  readonly key: string;
}

async function checkAnswer(head: HttpHead, { endpoint, key }: Asked): Promise<void> {
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head.startLine)?.[1]);
  if (status !== SWITCHING_PROTOCOLS) throw failed(endpoint, ANSWERS[status]);
  try {
    const fits = listHas(head, "upgrade", "websocket") && listHas(head, "connection", "upgrade") &&
      fieldOf(head, "sec-websocket-accept") === await acceptFor(key) &&
      fieldOf(head, "sec-websocket-protocol") === WEBSOCKET_PROTOCOL &&
      !head.fields.has("sec-websocket-extensions");
    if (fits) return;
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
  }
  throw failed(endpoint, undefined);
}

function failed(endpoint: Endpoint, answer: Answer | undefined, cause?: unknown): ConnectionError {
  const { why, hint } = answer ?? {
    why: "it is not a cmdchat server with WebSocket",
    hint: "check host and port",
  };
  return new ConnectionError(`Cannot connect to ${addressOf(endpoint)} over WebSocket: ${why}`, {
    hint,
    cause,
  });
}

/** The bytes of the stream that binary messages carry. */
class WebSocketConnection implements Connection {
  readonly #raw: Connection;
  readonly #reader = new WebSocketReader({ masked: false });
  /** What came behind the answer to the upgrade. */
  #first: Uint8Array | undefined;
  #isClosing = false;

  readonly isUnverified: boolean;

  constructor(raw: Connection, first: Uint8Array) {
    this.#raw = raw;
    this.isUnverified = raw.isUnverified ?? false;
    this.#first = first;
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#reader.closed === undefined) {
      const chunk = this.#first ?? await this.#raw.read();
      this.#first = undefined;
      if (chunk === undefined) return undefined;
      const data = await this.#open(chunk);
      if (data.length > 0) return data;
    }
    await this.#sayClose(this.#reader.closed.code);
    return undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosing) throw new ConnectionError("The connection to the server is closed");
    await this.#send(OPCODES.binary, bytes);
  }

  finishWriting(): Promise<void> {
    return this.#sayClose(CLOSE_CODES.normal);
  }

  close(): void {
    void this.#sayClose(CLOSE_CODES.normal).finally(() => this.#raw.close());
  }

  async #open(chunk: Uint8Array): Promise<Uint8Array> {
    try {
      const data = this.#reader.push(chunk);
      const ping = this.#reader.takePing();
      if (ping !== undefined) await this.#send(OPCODES.pong, ping);
      return data;
    } catch (error) {
      if (error instanceof WebSocketError) await this.#sayClose(error.code);
      throw error;
    }
  }

  // The key is fresh for each frame (RFC 6455 §5.3): nobody may choose what stands on the wire.
  #send(opcode: Opcode, payload: Uint8Array): Promise<void> {
    const key = crypto.getRandomValues(new Uint8Array(MASK_KEY_BYTES));
    return this.#raw.write(webSocketFrame(opcode, payload, key));
  }

  /** Says why the connection ends, once; a peer that takes nothing more is not waited for. */
  async #sayClose(code: number | undefined): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSE_PATIENCE_MS);
    const said = this.#send(OPCODES.close, closePayload(code)).catch(() => {});
    await Promise.race([said, late.promise]);
    clearTimeout(timer);
  }
}
