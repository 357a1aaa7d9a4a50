// What is sent, wherever its bytes come from: read once as a whole, so that its digest is known before its first byte
// leaves. Every chunk is held against what was read then: what changes on the disk is never sent as a mixture.

import { createSha256, sha256 } from "#platform/hash.ts";
import { releaseBytes } from "../../shared/base/bytes.ts";
import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import { ChunkError, type SourceFile } from "../transfer_base/source_file.ts";

/** Of SHA-256. */
const DIGEST_BYTES = 32;
/** Chunks that are read at once. */
const READ_CHUNKS = 8;
const READ_BYTES = READ_CHUNKS * FILE_CHUNK_BYTES;

/** Bytes that can be read anywhere, as long as they are what they were. */
export interface ByteSource {
  /** Bytes of the whole. */
  readonly size: number;
  /** Exactly `length` bytes from `start` on, in a buffer of their own. Rejects with ChunkError, or the system's error. */
  read(start: number, length: number): Promise<Uint8Array>;
  /** Frees what it holds; idempotent. */
  close(): void;
}

/** What is known of it besides its bytes. */
export interface CheckedFileOptions {
  readonly name: string;
  readonly isFolder?: boolean;
  /** Left out of a folder: links and what is neither file nor folder. */
  readonly leftOut?: number;
  /** Why it cannot be read, in words. */
  readonly whyUnreadable: (error: unknown) => string;
}

/** A file of which nothing is held in memory but the digests of its chunks. */
export class CheckedFile implements SourceFile {
  readonly name: string;
  readonly size: number;
  readonly isFolder: boolean;
  readonly leftOut: number;
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly #source: ByteSource;
  readonly #whyUnreadable: CheckedFileOptions["whyUnreadable"];
  /** 32 bytes for each chunk. */
  readonly #digests: Uint8Array;
  /** The source has one position: it is read at one place after the other. */
  #reading: Promise<unknown> = Promise.resolve();
  /** The last bytes that were read, and where they begin: chunks are asked for in order. */
  #block: { readonly start: number; readonly bytes: Uint8Array } | undefined;

  private constructor(
    source: ByteSource,
    { name, isFolder = false, leftOut = 0, whyUnreadable }: CheckedFileOptions,
    { hash, digests }: { readonly hash: Uint8Array<ArrayBuffer>; readonly digests: Uint8Array },
  ) {
    this.#source = source;
    this.#whyUnreadable = whyUnreadable;
    [this.name, this.size, this.hash, this.#digests] = [name, source.size, hash, digests];
    [this.isFolder, this.leftOut] = [isFolder, leftOut];
  }

  /** Reads all of it once. Throws ChunkError where it changes meanwhile, or the system's error. */
  static async read(source: ByteSource, options: CheckedFileOptions): Promise<CheckedFile> {
    const { size } = source;
    const whole = createSha256();
    const digests = new Uint8Array(Math.ceil(size / FILE_CHUNK_BYTES) * DIGEST_BYTES);
    for (let start = 0; start < size; start += READ_BYTES) {
      const bytes = await source.read(start, Math.min(READ_BYTES, size - start));
      whole.update(bytes);
      for (let at = 0; at < bytes.length; at += FILE_CHUNK_BYTES) {
        const digest = sha256(bytes.subarray(at, at + FILE_CHUNK_BYTES));
        digests.set(digest, (start + at) / FILE_CHUNK_BYTES * DIGEST_BYTES);
      }
      releaseBytes(bytes);
    }
    return new CheckedFile(source, options, { hash: new Uint8Array(whole.digest()), digests });
  }

  chunk(index: number): Promise<Uint8Array> {
    const chunk = this.#reading.then(() => this.#chunk(index));
    this.#reading = chunk.catch(() => undefined);
    return chunk;
  }

  close(): void {
    this.#dropBlock();
    this.#source.close();
  }

  #dropBlock(): void {
    if (this.#block !== undefined) releaseBytes(this.#block.bytes);
    this.#block = undefined;
  }

  async #chunk(index: number): Promise<Uint8Array> {
    let data: Uint8Array;
    try {
      data = await this.#bytesAt(index * FILE_CHUNK_BYTES);
    } catch (error) {
      if (error instanceof ChunkError) throw error;
      throw new ChunkError({ code: "unreadable", reason: this.#whyUnreadable(error) });
    }
    const start = index * DIGEST_BYTES;
    const isSame = sha256(data).every((byte, at) => byte === this.#digests[start + at]);
    if (isSame) return data;
    this.#dropBlock();
    throw new ChunkError({ code: "changed", reason: "it was changed while it was sent" });
  }

  /** A chunk: read with those behind it, where the one before was wanted as well. */
  async #bytesAt(start: number): Promise<Uint8Array> {
    const length = Math.min(FILE_CHUNK_BYTES, this.size - start);
    const known = this.#block;
    const from = start - (known?.start ?? 0);
    const end = known === undefined ? 0 : known.start + known.bytes.length;
    if (known !== undefined && from >= 0 && start + length <= end) {
      return known.bytes.slice(from, from + length);
    }
    const isNext = start === 0 || start === end;
    const wanted = isNext ? Math.min(READ_BYTES, this.size - start) : length;
    this.#dropBlock();
    const bytes = await this.#source.read(start, wanted);
    this.#block = { start, bytes };
    return bytes.slice(0, length);
  }
}
