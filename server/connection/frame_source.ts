// The frames of one connection, read by read.

import { ProtocolError } from "../../shared/base/errors.ts";
import { FRAME_HEADER_BYTES, FrameReader } from "../../shared/channel/frame.ts";
import type { Connection } from "../net/connection.ts";

/** Reads a connection into frames. */
export class FrameSource {
  readonly #connection: Connection;
  readonly #reader = new FrameReader();
  readonly #counters: { bytesIn: number };

  /** `counters`: where each read is counted. */
  constructor(connection: Connection, counters: { bytesIn: number }) {
    this.#connection = connection;
    this.#counters = counters;
  }

  /** The first bytes of a frame that was refused. */
  get header(): Uint8Array {
    return this.#reader.header;
  }

  /**
   * The next frame, behind which nothing may follow yet; undefined at the end. `first`: bytes that were read already.
   * Throws ProtocolError.
   */
  async one(first?: Uint8Array): Promise<Uint8Array | undefined> {
    for (let read = first;; read = undefined) {
      const chunk = read ?? await this.#connection.read();
      if (chunk === null) return undefined;
      const [frame, ...more] = this.push(chunk);
      if (frame === undefined) continue;
      if (more.length > 0 || this.#reader.pending) {
        throw new ProtocolError("Cannot read on: the peer did not wait for an answer");
      }
      // It is looked at for longer than its buffer is ours.
      return new Uint8Array(frame);
    }
  }

  /** Whether `chunk`, the next read of the connection, has more than the one frame that it begins or goes on with. */
  hasSeveral(chunk: Uint8Array): boolean {
    // Of a frame that began before, the rest is most of a read: parts of files come so.
    if (this.#reader.pending || chunk.length < FRAME_HEADER_BYTES) return false;
    const { buffer, byteOffset, length } = chunk;
    return length > FRAME_HEADER_BYTES + new DataView(buffer, byteOffset).getUint32(0);
  }

  /** Frame bodies that `chunk`, the next read of the connection, completes; to be used up before the read after it. */
  push(chunk: Uint8Array): Iterable<Uint8Array> {
    this.#counters.bytesIn += chunk.length;
    return this.#reader.push(chunk);
  }
}
