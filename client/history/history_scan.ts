// Reads the records of a history file in order.

import { CryptoError } from "../../shared/base/errors.ts";
import {
  HEAD_BYTES,
  HEADER_BYTES,
  type HistoryKeys,
  isAuthenticHead,
  isPossibleBodyLength,
  openBody,
  parseHead,
  type RecordHead,
  type RecordPosition,
  TAG_BYTES,
} from "./history_format.ts";
import { quotePath } from "../files/file_access.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Up to `length` bytes from `offset`; fewer only at the end. */
export type ReadAt = (offset: number, length: number) => Promise<Bytes>;

/** What a scan reads: a file's bytes up to `end`, its keys, and its path for messages. */
export interface ScanSource {
  readonly readAt: ReadAt;
  readonly end: number;
  readonly keys: HistoryKeys;
  readonly path: string;
}

const READ_AHEAD_BYTES = 262_144;

/**
 * Reads records from first to last with some 256 KiB in memory. Each is authenticated before it is returned.
 * Throws CryptoError at the first record that differs from what was written.
 */
export class RecordScan {
  readonly #source: ScanSource;
  #buffer: Bytes = new Uint8Array(0);
  #bufferStart = 0;
  #index = 0;
  #offset = HEADER_BYTES;
  #tornBytes = 0;

  constructor(source: ScanSource) {
    this.#source = source;
  }

  /** The position of the next record, or where it would be written. */
  get position(): RecordPosition {
    return { index: this.#index, offset: this.#offset };
  }

  /** Bytes behind the last whole record, left by a write that was cut off; set once next() returned undefined. */
  get tornBytes(): number {
    return this.#tornBytes;
  }

  /** The next record's plaintext, or undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const { end, keys } = this.#source;
    const left = end - this.#offset;
    if (left < HEAD_BYTES) return this.#endTorn(left);
    const head = parseHead((await this.#read(this.#offset, HEAD_BYTES)).slice());
    const bodyStart = this.#offset + HEAD_BYTES;
    if (!isPossibleBodyLength(head.bodyLength)) return await this.#endUnwritten(bodyStart);
    if (bodyStart + head.bodyLength > end) return await this.#endCutOff(head);
    const body = await this.#read(bodyStart, head.bodyLength);
    const plaintext = openBody(keys, this.position, { head, body });
    const next = bodyStart + head.bodyLength;
    if (plaintext === undefined) return await this.#endUnwritten(next);
    this.#offset = next;
    this.#index++;
    return plaintext;
  }

  #endTorn(bytes: number): undefined {
    this.#tornBytes = bytes;
    return undefined;
  }

  /** A body longer than the rest was cut off if its head is authentic; otherwise somebody changed the length. */
  async #endCutOff(head: RecordHead): Promise<undefined> {
    const { end, keys } = this.#source;
    if (await isAuthenticHead(keys, this.position, head)) return this.#endTorn(end - this.#offset);
    return await this.#endUnwritten(this.#offset + HEAD_BYTES);
  }

  /**
   * After a power cut some file systems show a grown file whose last bytes were never written and read as zeros. It is
   * that only if the failing part's last 16 bytes (always a tag) and all bytes behind them are zeros; else it is damage.
   */
  async #endUnwritten(failingEnd: number): Promise<undefined> {
    const { end, path } = this.#source;
    for (let at = failingEnd - TAG_BYTES; at < end; at += READ_AHEAD_BYTES) {
      const bytes = await this.#source.readAt(at, Math.min(READ_AHEAD_BYTES, end - at));
      if (bytes.some((byte) => byte !== 0)) throw damaged(path, this.position);
    }
    return this.#endTorn(end - this.#offset);
  }

  async #read(offset: number, length: number): Promise<Bytes> {
    const start = offset - this.#bufferStart;
    if (start < 0 || start + length > this.#buffer.length) {
      const wanted = Math.min(Math.max(length, READ_AHEAD_BYTES), this.#source.end - offset);
      this.#buffer = await this.#source.readAt(offset, wanted);
      this.#bufferStart = offset;
      if (this.#buffer.length < length) throw damaged(this.#source.path, this.position);
    }
    return this.#buffer.subarray(offset - this.#bufferStart, offset - this.#bufferStart + length);
  }
}

function damaged(path: string, position: RecordPosition): CryptoError {
  return new CryptoError(
    `Cannot read history ${quotePath(path)}: entry ${
      position.index + 1
    } is damaged or was changed, ` +
      `at byte ${position.offset}`,
    {
      hint: `\`cmdchat-client history FILE\` shows the ${position.index} entries before it; ` +
        "move the file away to start a new one",
    },
  );
}
