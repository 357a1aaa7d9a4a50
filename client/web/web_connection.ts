/// <reference lib="dom" />
// A connection over the browser's own WebSocket: binary messages carry the bytes of the stream, and their borders mean
// nothing.

import { ConnectionError } from "../../shared/base/errors.ts";
import { WEBSOCKET_PROTOCOL } from "../../shared/websocket/upgrade.ts";
import type { Connection } from "../net/endpoint.ts";

// A browser takes all that is written and says how much of it still waits. Above this a writer waits as well, so that a
// file does not fill the memory and a message does not stand behind megabytes.
const WAITING_MAX_BYTES = 262_144;
const LOOK_AGAIN_MS = 10;
// A browser cannot be told to read less. What nobody took by then comes from a server that wants to fill the memory.
const UNREAD_MAX_BYTES = 67_108_864;

/** Opens a connection to `ws://HOST:PORT` or `wss://HOST:PORT`. Throws ConnectionError. */
export async function connectWeb(url: string, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const socket = open(url);
  socket.binaryType = "arraybuffer";
  const opened = Promise.withResolvers<void>();
  const abort = () => opened.reject(signal.reason);
  signal.addEventListener("abort", abort);
  socket.onopen = () => opened.resolve();
  // A page is not told why: that would say what stands behind a firewall.
  socket.onclose = socket.onerror = () => opened.reject(notReached());
  const connection = new WebConnection(socket);
  try {
    await opened.promise;
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    // Left in place, it would close the connection before the goodbye when the chat ends.
    signal.removeEventListener("abort", abort);
    connection.listen();
  }
}

function open(url: string): WebSocket {
  try {
    return new WebSocket(url, WEBSOCKET_PROTOCOL);
  } catch (cause) {
    throw new ConnectionError(
      "Cannot connect: the browser does not let this page reach that address",
      {
        cause,
        hint: "a page from https reaches wss servers only",
      },
    );
  }
}

function notReached(): ConnectionError {
  return new ConnectionError("Cannot connect to the server", {
    hint:
      "check your network and the address; the server's admin may have to allow this page (--web)",
  });
}

/** One WebSocket as bytes in and out. */
export class WebConnection implements Connection {
  readonly #socket: WebSocket;
  readonly #arrived: Uint8Array[] = [];
  #unread = 0;
  #ended = false;
  #wake: () => void = () => {};
  #writing: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      // A text is no message of this protocol; what follows it could not be trusted to be whole.
      if (!(data instanceof ArrayBuffer)) return this.close();
      this.#unread += data.byteLength;
      if (this.#unread > UNREAD_MAX_BYTES) return this.close();
      this.#arrived.push(new Uint8Array(data));
      this.#wake();
    };
  }

  /** Takes the end of the socket from now on. */
  listen(): void {
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    this.#socket.onclose = end;
    this.#socket.onerror = end;
    if (this.#socket.readyState > WebSocket.OPEN) end();
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#arrived.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const next = this.#arrived.shift();
    this.#unread -= next?.length ?? 0;
    return next;
  }

  write(bytes: Uint8Array): Promise<void> {
    const written = this.#writing.then(() => this.#write(bytes));
    this.#writing = written.catch(() => {});
    return written;
  }

  /** A browser's close frame, behind which it reads on until the server's. */
  async finishWriting(): Promise<void> {
    await this.#writing;
    this.#socket.close();
  }

  close(): void {
    this.#ended = true;
    // What was read and nobody took is of no use any more.
    this.#arrived.length = 0;
    this.#socket.close();
    this.#wake();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    while (this.#socket.bufferedAmount > WAITING_MAX_BYTES && !this.#ended) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    if (this.#ended || this.#socket.readyState !== WebSocket.OPEN) {
      throw new ConnectionError("The connection to the server broke");
    }
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
  }
}
