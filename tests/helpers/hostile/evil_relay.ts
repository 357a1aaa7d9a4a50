// Somebody between client and server who knows the protocol but not its keys: sees each frame and record whole, and
// sends on what it likes, in either direction.

import { FrameReader } from "../../../shared/channel/frame.ts";
import { closeQuietly, isGone } from "../peers/conn_ends.ts";
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
export class EvilRelay implements AsyncDisposable {
  evil: Evil;
  /** Port of the server. */
  target: number;
  /** All that clients sent, in order, lengths included. */
  readonly sent: Uint8Array[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #serving: Promise<void>;

  constructor(target: number, evil: Evil = honest) {
    this.target = target;
    this.evil = evil;
    this.#serving = this.#serve();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#conns.forEach(closeQuietly);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const running: Promise<void>[] = [];
    try {
      for await (const near of this.#listener) running.push(this.#join(near));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(running);
  }

  async #join(near: Deno.Conn): Promise<void> {
    const far = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    this.#conns.add(near).add(far);
    await Promise.all([this.#pump("up", near, far), this.#pump("down", far, near)]);
    this.#conns.delete(near);
    this.#conns.delete(far);
  }

  async #pump(way: Way, from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const reader = new FrameReader();
    const buffer = new Uint8Array(65_536);
    let index = 0;
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        if (way === "up") this.sent.push(buffer.slice(0, n));
        // What is evil may keep a body for later: each read has bytes of its own.
        for (const body of reader.push(buffer.slice(0, n))) {
          const on = (body: Uint8Array) => writeAll(to, frameOf(body));
          const back = (body: Uint8Array) => writeAll(from, frameOf(body));
          await this.evil({ way, index: index++, body, on, back });
        }
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    [from, to].forEach(closeQuietly);
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
