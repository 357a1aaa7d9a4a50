// The buffer that a socket is read into, where the runtime does not bring its own.

import { smallBytes } from "../../shared/base/bytes.ts";
import { READ_BUFFER_BUSY_BYTES } from "../../shared/base/limits.ts";
import { READ_BUFFER_FIRST_BYTES, READ_BUFFER_IDLE_BYTES } from "../config/limits.ts";

// A new one for each connection would be a sixth of what its handshake leaves to the collector.
const SPARES_MAX = 64;
const spares: Uint8Array[] = [];

/**
 * A buffer for one read after another: large enough for a client's first message, then small while the connection is
 * quiet, and larger where more comes. Those of the first size go round among all connections.
 */
export class ReadBuffer {
  #idle: Uint8Array | undefined;
  #room: Uint8Array | undefined;
  /** Size of the next room. */
  #size = READ_BUFFER_FIRST_BYTES;

  /** Where the next read puts its bytes. */
  get room(): Uint8Array {
    const size = this.#size;
    if (this.#room?.length !== size) {
      // What was read into it is not used any more.
      if (this.#room?.length === READ_BUFFER_FIRST_BYTES) keep(this.#room);
      this.#room = this.#roomOf(size);
    }
    return this.#room;
  }

  /** The first `count` bytes, which were just read; the next read, of this connection or another, may overwrite them. */
  take(count: number): Uint8Array {
    const bytes = this.room.subarray(0, count);
    const size = this.#size;
    if (count === size) this.#size = largerThan(size);
    else if (count < READ_BUFFER_IDLE_BYTES) this.#size = READ_BUFFER_IDLE_BYTES;
    else if (size === READ_BUFFER_FIRST_BYTES && this.#idle === undefined) {
      // Its first message; what comes next is short.
      this.#size = READ_BUFFER_IDLE_BYTES;
    }
    return bytes;
  }

  #roomOf(size: number): Uint8Array {
    if (size === READ_BUFFER_IDLE_BYTES) return this.#idle ??= smallBytes(size);
    const spare = size === READ_BUFFER_FIRST_BYTES ? spares.pop() : undefined;
    return spare ?? new Uint8Array(size);
  }
}

function largerThan(size: number): number {
  return size < READ_BUFFER_FIRST_BYTES ? READ_BUFFER_FIRST_BYTES : READ_BUFFER_BUSY_BYTES;
}

function keep(buffer: Uint8Array): void {
  if (spares.length < SPARES_MAX) spares.push(buffer);
}
