// The frames of one link, read by read.

import { ProtocolError } from "../shared/errors.ts";
import { FrameReader } from "../shared/frame.ts";
import type { Link } from "./listener.ts";

/** Reads a link into frames. */
export class FrameSource {
  readonly #link: Link;
  readonly #reader = new FrameReader();
  readonly #onBytes: (count: number) => void;

  /** `onBytes` is called with the size of each read. */
  constructor(link: Link, onBytes: (count: number) => void) {
    this.#link = link;
    this.#onBytes = onBytes;
  }

  /** The first bytes of a frame that was refused. */
  get header(): Uint8Array {
    return this.#reader.header;
  }

  /** The next frame, behind which nothing may follow yet; undefined at the end. Throws ProtocolError. */
  async one(): Promise<Uint8Array | undefined> {
    for (let frames = await this.next(); frames !== undefined; frames = await this.next()) {
      const [frame, ...more] = frames;
      if (frame === undefined) continue;
      if (more.length > 0 || this.#reader.pending) {
        throw new ProtocolError("Cannot read on: the peer did not wait for an answer");
      }
      return frame;
    }
    return undefined;
  }

  /** Frame bodies that the next read completed, to be used up before the next call; undefined at the end. */
  async next(): Promise<Iterable<Uint8Array> | undefined> {
    const chunk = await this.#link.read();
    if (chunk === null) return undefined;
    this.#onBytes(chunk.length);
    return this.#reader.push(chunk);
  }
}
