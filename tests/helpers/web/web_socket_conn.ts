// The client's end of a WebSocket connection, as a test peer or a load reads and writes any other one.

import { OPCODES, webSocketFrame } from "../../../shared/websocket/frame.ts";
import { WebSocketReader } from "../../../shared/websocket/frame_reader.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const KEY = Uint8Array.of(0x12, 0x34, 0x56, 0x78);

/** An upgrade request with further fields; `host` stands in the field Host. */
export function upgradeRequest(fields: readonly string[] = [], host = "localhost"): Uint8Array {
  const lines = [
    "GET / HTTP/1.1",
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: cmdchat.v2",
    ...fields,
  ];
  return encoder.encode(`${lines.join("\r\n")}\r\n\r\n`);
}

/** A masked binary message. */
export function maskedFrame(bytes: Uint8Array): Uint8Array {
  return webSocketFrame(OPCODES.binary, bytes, KEY);
}

/** A masked ping. */
export function maskedPing(text = "x"): Uint8Array {
  return webSocketFrame(OPCODES.ping, encoder.encode(text), KEY);
}

/** Asks for an upgrade; gives the status line and fields of the answer. */
export async function askUpgrade(conn: Deno.Conn, request = upgradeRequest()): Promise<string> {
  await writeAll(conn, request);
  const byte = new Uint8Array(1);
  let head = "";
  // One byte at a time: what follows the head belongs to the connection.
  while (!head.endsWith("\r\n\r\n") && await conn.read(byte) !== null) head += decoder.decode(byte);
  return head;
}

/** Makes a connection one of WebSocket, by a request with further fields. Throws where the server refuses. */
export async function overWebSocket(
  conn: Deno.Conn,
  fields: readonly string[] = [],
): Promise<Deno.Conn> {
  const answer = await askUpgrade(conn, upgradeRequest(fields));
  if (!answer.startsWith("HTTP/1.1 101 ")) throw new Error(`no upgrade: ${answer}`);
  return new WebSocketConn(conn) as unknown as Deno.Conn;
}

class WebSocketConn {
  readonly #conn: Deno.Conn;
  readonly #reader = new WebSocketReader({ masked: false });

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#reader.closed === undefined) {
      const count = await this.#conn.read(buffer);
      if (count === null) return null;
      const data = this.#reader.push(buffer.subarray(0, count));
      if (data.length > 0) return data.length;
    }
    return null;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await writeAll(this.#conn, maskedFrame(bytes));
    return bytes.length;
  }

  close(): void {
    this.#conn.close();
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
