// The frames of one link, read by read.

import { ProtocolError } from "../../shared/base/errors.ts";
import { FrameReader } from "../../shared/channel/frame.ts";
import type { Connection } from "../net/connection.ts";

/** Reads a link into frames. */
export class FrameSource {
  readonly #link: Connection;
  readonly #reader = new FrameReader();
  readonly #counters: { bytesIn: number };

  /** `counters`: where each read is counted. */
  constructor(link: Connection, counters: { bytesIn: number }) {
    this.#link = link;
    this.#counters = counters;
  }

  /** The first bytes of a frame that was refused. */
  get header(): Uint8Array {
    return this.#reader.header;
  }

  /** The next frame, behind which nothing may follow yet; undefined at the end. Throws ProtocolError. */
  async one(): Promise<Uint8Array | undefined> {
    for (let chunk = await this.#link.read(); chunk !== null; chunk = await this.#link.read()) {
      const [frame, ...more] = this.push(chunk);
      if (frame === undefined) continue;
      if (more.length > 0 || this.#reader.pending) {
        throw new ProtocolError("Cannot read on: the peer did not wait for an answer");
      }
      return frame;
    }
    return undefined;
  }

  /** Frame bodies that `chunk`, the next read of the link, completes; to be used up before the read after it. */
  push(chunk: Uint8Array): Iterable<Uint8Array> {
    this.#counters.bytesIn += chunk.length;
    return this.#reader.push(chunk);
  }
}
