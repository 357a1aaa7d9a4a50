// A WebSocket connection as a stream of bytes, like any other connection of the server.

import { CLOSE_CODES, closePayload, WebSocketError } from "../../shared/websocket/close_code.ts";
import { OPCODES, webSocketFrame } from "../../shared/websocket/frame.ts";
import { WebSocketReader } from "../../shared/websocket/frame_reader.ts";
import { threadTurns } from "../limits/thread_turns.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";

/** How long a peer has to read the last frame. */
export const CLOSE_PATIENCE_MS = 1_000;

/** The bytes of the stream that binary messages carry. */
export class WebConnection implements Connection {
  readonly address: string;
  readonly since: number;
  readonly #raw: Connection;
  readonly #reader = new WebSocketReader({ masked: true });
  /** Settles when everything written so far is sent or lost. */
  #written: Promise<void> = Promise.resolve();
  #isClosing = false;
  /** Frames that are not sent yet. */
  #unwritten = 0;

  /** `raw`: the connection below, on which the upgrade was answered. */
  constructor(raw: Connection) {
    this.#raw = raw;
    this.address = raw.address;
    this.since = raw.since;
  }

  /** Throws ConnectionLost, or WebSocketError where the peer broke RFC 6455; the peer is told why. */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const { closed } = this.#reader;
      if (closed !== undefined) {
        await this.#sendClose(closed.code);
        return null;
      }
      const chunk = await this.#raw.read();
      if (chunk === null) return null;
      const data = await this.#open(chunk);
      if (data.length > 0) return data;
      // Empty frames must not keep other connections from their turn.
      await threadTurns.next();
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosing) {
      return Promise.reject(new ConnectionLost("The WebSocket connection is closed"));
    }
    return this.#send(webSocketFrame(OPCODES.binary, bytes));
  }

  close(): void {
    if (!this.#isClosing) {
      this.#isClosing = true;
      // A courtesy: nobody waits for it.
      if (this.#unwritten === 0) {
        void this.#raw.write(closeFrame(CLOSE_CODES.normal)).catch(() => {});
      }
    }
    this.#raw.close();
  }

  async #open(chunk: Uint8Array): Promise<Uint8Array> {
    try {
      const data = this.#reader.push(chunk);
      const ping = this.#reader.takePing();
      // A peer that pings and does not read waits here, so that no answers pile up.
      if (ping !== undefined) await this.#send(webSocketFrame(OPCODES.pong, ping));
      return data;
    } catch (error) {
      if (error instanceof WebSocketError) await this.#sendClose(error.code);
      throw error;
    }
  }

  // Writes take turns: a pong must not land in the middle of another frame.
  #send(frame: Uint8Array): Promise<void> {
    this.#unwritten++;
    const sent = this.#written.then(() => this.#raw.write(frame)).finally(() => this.#unwritten--);
    this.#written = sent.catch(() => {});
    return sent;
  }

  async #sendClose(code: number | undefined): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const sent = this.#send(closeFrame(code)).catch(() => {});
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, CLOSE_PATIENCE_MS);
    await Promise.race([sent, late.promise]);
    clearTimeout(timer);
  }
}

function closeFrame(code: number | undefined): Uint8Array {
  return webSocketFrame(OPCODES.close, closePayload(code));
}
