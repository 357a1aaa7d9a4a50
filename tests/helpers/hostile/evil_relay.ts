// Somebody between client and server who knows the protocol but not its keys: sees each frame and record whole, and
// sends on what it likes, in either direction.

import type { Connection } from "../../../client/net/endpoint.ts";
import { connectWeb, WebConnection } from "../../../client/web/web_connection.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { FrameReader } from "../../../shared/channel/frame.ts";
import { WEBSOCKET_PROTOCOL } from "../../../shared/websocket/upgrade.ts";
import { closeQuietly, isGone } from "../peers/conn_ends.ts";
import { Between } from "./between.ts";
import { frameOf } from "../peers/v1_peer.ts";

/** `up`: from the client to the server. */
export type Way = "up" | "down";

/** A frame or record on its way. */
export interface Passing {
  readonly way: Way;
  /** How many passed before it on this connection this way. */
  readonly index: number;
  /** Without its length. */
  readonly body: Uint8Array;
  /** Sends a frame with this body on, or back to where this one came from. */
  readonly on: (body: Uint8Array) => Promise<void>;
  readonly back: (body: Uint8Array) => Promise<void>;
}

/** What is done with each frame; what is not sent on is lost. */
export type Evil = (passing: Passing) => Promise<void>;

/** Sends everything on as it came. */
export function honest({ on, body }: Passing): Promise<void> {
  return on(body);
}

/** A relay in between; `evil` may be exchanged at any time. */
export class EvilRelay extends Between {
  evil: Evil;
  /** All that clients sent, in order, lengths included. */
  readonly sent: Uint8Array[] = [];

  constructor(target: number, evil: Evil = honest) {
    super(target);
    this.evil = evil;
  }

  protected async between(near: Deno.Conn, far: Deno.Conn): Promise<void> {
    const ends = [streamOf(near), streamOf(far)] as const;
    await pumpBoth(ends, (passing) => this.evil(passing), this.sent);
  }
}

/** The same between a page and its server: a WebSocket carries the frames on either side. */
export class EvilWebRelay implements AsyncDisposable {
  /** All that clients sent, in order, lengths included. */
  readonly sent: Uint8Array[] = [];
  readonly #http: Deno.HttpServer;
  readonly #pumps: Promise<void>[] = [];
  readonly #sockets: Connection[] = [];

  constructor(target: number, evil: Evil) {
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#http = Deno.serve(options, async (request) => {
      const far = await connectWeb(`ws://127.0.0.1:${target}`, new AbortController().signal);
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol: WEBSOCKET_PROTOCOL });
      const near = new WebConnection(socket);
      near.listen();
      this.#sockets.push(near, far);
      this.#pumps.push(pumpBoth([near, far], evil, this.sent));
      return response;
    });
  }

  get port(): number {
    return (this.#http.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await Promise.all(this.#pumps);
    await this.#http.shutdown();
  }
}

/** One end of what carries the frames. */
type Stream = Pick<Connection, "read" | "write" | "close">;

async function pumpBoth(
  [near, far]: readonly [Stream, Stream],
  evil: Evil,
  sent: Uint8Array[],
): Promise<void> {
  const up = pump(near, far, (passing) => evil({ way: "up", ...passing }), sent);
  await Promise.all([up, pump(far, near, (passing) => evil({ way: "down", ...passing }))]);
}

async function pump(
  from: Stream,
  to: Stream,
  evil: (passing: Omit<Passing, "way">) => Promise<void>,
  sent?: Uint8Array[],
): Promise<void> {
  const reader = new FrameReader();
  let index = 0;
  try {
    for (let bytes = await from.read(); bytes !== undefined; bytes = await from.read()) {
      sent?.push(bytes);
      for (const body of reader.push(bytes)) {
        const on = (body: Uint8Array) => to.write(frameOf(body));
        const back = (body: Uint8Array) => from.write(frameOf(body));
        await evil({ index: index++, body, on, back });
      }
    }
  } catch (error) {
    if (!isGone(error) && !(error instanceof ConnectionError)) throw error;
  }
  [from, to].forEach((stream) => stream.close());
}

function streamOf(conn: Deno.Conn): Stream {
  return {
    async read() {
      // What is evil may keep a body for later: each read has bytes of its own.
      const buffer = new Uint8Array(65_536);
      const n = await conn.read(buffer);
      return n === null ? undefined : buffer.subarray(0, n);
    },
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
    close: () => closeQuietly(conn),
  };
}
