// A file as members hand it to each other (docs/PROTOCOL.md §11.9): the chat's chunks, each under AES-256-GCM in the STREAM
// construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015; as age has it), so that no chunk can be left out, moved or
// cut off. The key is for one file only. Sizes are padded by Padmé (Nikitin et al. 2019): at most 12 % more.

import { toHex } from "#platform/bytes.ts";
import { ID_BYTES } from "../mls/payload.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, AEAD_TAG_BYTES } from "../../shared/crypto/aead.ts";
import { FILE_CHUNK_BYTES, SEALED_PULL_CHUNKS_MAX } from "../../shared/base/limits.ts";
import { CryptoError, LimitError } from "../../shared/base/errors.ts";

/** Bytes of a whole chunk before sealing: those of the chat. */
const SEALED_CHUNK_BYTES = FILE_CHUNK_BYTES;

const COUNTER_MAX = 2 ** 32 - 1;
const COUNTER_AT = AEAD_NONCE_BYTES - 5;
const LABEL = new TextEncoder().encode("cmdchat sealed file v1");

const INDEX_BYTES = 4;

/** Bytes that name a chunk of a file. */
export const CHUNK_NAME_BYTES = ID_BYTES + INDEX_BYTES;

/** Names a file of a sender: members choose ids as they like, also those of others' files. */
export function fileKey(handle: string, id: string): string {
  return `${handle}:${id}`;
}

/** Names chunk `index` of the file `id`. */
export function chunkName(id: Uint8Array, index: number): Uint8Array {
  const bytes = new Uint8Array(INDEX_BYTES);
  new DataView(bytes.buffer).setUint32(0, index);
  return concatBytes([id, bytes]);
}

/** The chunk that the first bytes name; the id in hexadecimal. Undefined where they are too few. */
export function namedChunk(
  bytes: Uint8Array,
): { readonly id: string; readonly index: number } | undefined {
  if (bytes.length < CHUNK_NAME_BYTES) return undefined;
  const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(ID_BYTES);
  return { id: toHex(bytes.subarray(0, ID_BYTES)), index };
}

/** Bytes of a file of that size with its padding. */
export function paddedFileBytes(size: number): number {
  const exponent = Math.floor(Math.log2(Math.max(size, 2)));
  const step = 2 ** Math.max(0, exponent - Math.floor(Math.log2(exponent)) - 1);
  return Math.ceil(size / step) * step;
}

/** Number of chunks of a file of that size: at least one, which proves that it is empty. */
export function sealedChunks(size: number): number {
  return Math.max(1, Math.ceil(paddedFileBytes(size) / SEALED_CHUNK_BYTES));
}

/** Number of chunks with something of the file in them; those behind are padding. */
export function contentChunks(size: number): number {
  return Math.ceil(size / SEALED_CHUNK_BYTES);
}

function nonceOf(index: number, isLast: boolean): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(AEAD_NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(COUNTER_AT, index);
  nonce[AEAD_NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}

function paramsOf(index: number, chunks: number): AesGcmParams {
  return {
    name: "AES-GCM",
    iv: nonceOf(index, index === chunks - 1),
    additionalData: LABEL,
    tagLength: 8 * AEAD_TAG_BYTES,
  };
}

// WebCrypto here: it works on other threads.
async function importKey(key: Uint8Array): Promise<CryptoKey> {
  if (key.length !== AEAD_KEY_BYTES) throw new CryptoError(REFUSED);
  return await crypto.subtle.importKey("raw", new Uint8Array(key), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
}

const REFUSED = "Cannot open the file: a part of it was changed, left out or sent out of order";

/** Hands out the sealed chunks of one file, in any order, as receivers ask for them. */
export class FileSealer {
  readonly #key: Promise<CryptoKey>;
  readonly #size: number;
  readonly chunks: number;

  constructor(key: Uint8Array, size: number) {
    this.#size = size;
    this.chunks = sealedChunks(size);
    if (this.chunks > COUNTER_MAX) throw new LimitError(`Cannot seal a file of ${size} bytes`);
    this.#key = importKey(key);
  }

  /** The sealed chunk of that index; `content` are the file's bytes in it. */
  async seal(index: number, content: Uint8Array): Promise<Uint8Array> {
    const padding = this.#bytesOf(index) - content.length;
    const plaintext = padding === 0
      ? new Uint8Array(content)
      : concatBytes([content, new Uint8Array(padding)]);
    const params = paramsOf(index, this.chunks);
    const key = await this.#key;
    return new Uint8Array(await crypto.subtle.encrypt(params, key, plaintext as BufferSource));
  }

  #bytesOf(index: number): number {
    const rest = paddedFileBytes(this.#size) - index * SEALED_CHUNK_BYTES;
    return Math.max(0, Math.min(rest, SEALED_CHUNK_BYTES));
  }
}

/** Opens the chunks of one file, each on its own: several may be in flight. */
export class FileOpener {
  readonly #key: Promise<CryptoKey>;
  readonly #size: number;
  readonly chunks: number;

  constructor(key: Uint8Array, size: number) {
    this.#size = size;
    this.chunks = sealedChunks(size);
    this.#key = importKey(key);
  }

  /** The file's bytes of that chunk, without padding. Rejects with CryptoError. */
  async open(index: number, sealed: Uint8Array): Promise<Uint8Array> {
    const start = index * SEALED_CHUNK_BYTES;
    const bytes = Math.max(0, Math.min(paddedFileBytes(this.#size) - start, SEALED_CHUNK_BYTES));
    const isWhole = Number.isInteger(index) && index >= 0 && index < this.chunks &&
      sealed.length === bytes + AEAD_TAG_BYTES;
    if (!isWhole) throw new CryptoError(REFUSED);
    const plaintext = await this.#decrypt(index, sealed);
    const content = Math.max(0, Math.min(this.#size - start, bytes));
    if (plaintext.subarray(content).some((byte) => byte !== 0)) throw new CryptoError(REFUSED);
    return plaintext.subarray(0, content);
  }

  async #decrypt(index: number, sealed: Uint8Array): Promise<Uint8Array> {
    try {
      const params = paramsOf(index, this.chunks);
      const input = new Uint8Array(sealed);
      return new Uint8Array(await crypto.subtle.decrypt(params, await this.#key, input));
    } catch (cause) {
      throw new CryptoError(REFUSED, { cause });
    }
  }
}

/** How often a member is given a whole file: for all connections that it loses, and no more. */
const GIVEN_TIMES = 4;

/** What each member was given of one file, by handle. */
export class GivenChunks {
  readonly #chunks: number;
  readonly #only: string | undefined;
  readonly #given = new Map<string, number>();

  /** `chunks` of the whole file; `only`: the handle of the only member who may have it. */
  constructor(chunks: number, only: string | undefined) {
    this.#chunks = chunks;
    this.#only = only;
  }

  /** Whether it may have a chunk. */
  mayHaveMore(handle: string): boolean {
    if (this.#only !== undefined && handle !== this.#only) return false;
    const given = this.#given.get(handle) ?? 0;
    return given < GIVEN_TIMES * this.#chunks + SEALED_PULL_CHUNKS_MAX;
  }

  /** It was given a chunk. */
  note(handle: string): void {
    this.#given.set(handle, (this.#given.get(handle) ?? 0) + 1);
  }
}
