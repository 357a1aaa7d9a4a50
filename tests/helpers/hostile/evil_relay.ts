// Somebody between client and server who knows the protocol but not its keys: sees each frame and record whole, and
// sends on what it likes, in either direction.

import { FrameReader } from "../../../shared/channel/frame.ts";
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
    await Promise.all([this.#pump("up", near, far), this.#pump("down", far, near)]);
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
