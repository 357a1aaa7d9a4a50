// The buffer that a socket is read into, where the runtime does not bring its own.

import { smallBytes } from "../../shared/base/bytes.ts";
import { READ_BUFFER_BUSY_BYTES } from "../../shared/base/limits.ts";
import { READ_BUFFER_IDLE_BYTES } from "../config/limits.ts";

/** A buffer for one read after another: small on a quiet connection, large on a busy one. */
export class ReadBuffer {
  readonly #idle = smallBytes(READ_BUFFER_IDLE_BYTES);
  #room = this.#idle;

  /** Where the next read puts its bytes. */
  get room(): Uint8Array {
    return this.#room;
  }

  /** The first `count` bytes, which were just read; the next read may overwrite them. */
  take(count: number): Uint8Array {
    const bytes = this.#room.subarray(0, count);
    const size = this.#room.length;
    if (count === size && size < READ_BUFFER_BUSY_BYTES) {
      this.#room = new Uint8Array(READ_BUFFER_BUSY_BYTES);
    } else if (count < READ_BUFFER_IDLE_BYTES && size > READ_BUFFER_IDLE_BYTES) {
      this.#room = this.#idle;
    }
    return bytes;
  }
}
