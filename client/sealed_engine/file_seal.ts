// A file as members hand it to each other (docs/PROTOCOL.md §11.9): the chat's chunks, each under AES-256-GCM in the STREAM
// construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015; as age has it), so that no chunk can be left out, moved or
// cut off. The key is for one file only. Sizes are padded by Padmé (Nikitin et al. 2019): at most 12 % more.

import { fromHex, toHex } from "#platform/bytes.ts";
import { SIGNATURE_BYTES, signBytes, verifyBytes } from "../mls/cipher_suite.ts";
import type { GroupMember } from "../mls/commit_rules.ts";
import { openEnvelope, sealEnvelope } from "../mls/envelope.ts";
import type { GroupIdentity } from "../mls/joining.ts";
import type { RoomKeys } from "../mls/room_keys.ts";
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

/** Bytes that name a chunk of a file; in a request for chunks, the signature of whoever asks is behind them. */
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

/** A chunk of a file, whose id is in hexadecimal. */
export interface ChunkName {
  readonly id: string;
  readonly index: number;
}

/** The chunk that the first bytes name. Undefined where they are too few. */
export function namedChunk(bytes: Uint8Array): ChunkName | undefined {
  if (bytes.length < CHUNK_NAME_BYTES) return undefined;
  const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(ID_BYTES);
  return { id: toHex(bytes.subarray(0, ID_BYTES)), index };
}

/** Who asks whom for chunks of a file of that id; handles and id in hexadecimal. */
export interface PullClaim {
  readonly rid: Uint8Array;
  readonly from: string;
  readonly to: string;
  readonly id: string;
}

const PULL_LABEL = new TextEncoder().encode("MLS 1.0 cmdchat sealed pull v1");

/**
 * What the signature key of a leaf signs, so that no relay can say of another member that it asked: the SignContent of
 * RFC 9420 §5.1.2, which is never that of a message of the group. The content has 64 bytes: its length takes two.
 */
export function pullStatement({ rid, from, to, id }: PullClaim): Uint8Array {
  const label = [Uint8Array.of(PULL_LABEL.length), PULL_LABEL];
  return concatBytes([...label, Uint8Array.of(0x40, 64), rid, fromHex(from + to + id)]);
}

/** The signature by which a member asks `to` for chunks of the file of that id. */
export function signPull(
  { keys, me, signature }: GroupIdentity,
  { to, id }: Pick<PullClaim, "to" | "id">,
): Uint8Array {
  const statement = pullStatement({ rid: keys.rid, from: me.handle, to, id });
  return signBytes(signature.signKey, statement);
}

/** A request for chunks: the first of them, and the signature of whoever asks. */
export interface Pull extends ChunkName {
  readonly signature: Uint8Array;
}

/** The body of a request for chunks. */
export function sealPull(keys: RoomKeys, { id, index, signature }: Pull): Uint8Array {
  return sealEnvelope(keys, "direct", concatBytes([chunkName(fromHex(id), index), signature]));
}

/** What it asks for; undefined where it is none of this room. */
export function openPull(keys: RoomKeys, body: Uint8Array): Pull | undefined {
  const content = openedOrNothing(() => openEnvelope(keys, "direct", body));
  if (content?.length !== CHUNK_NAME_BYTES + SIGNATURE_BYTES) return undefined;
  const signature = content.subarray(CHUNK_NAME_BYTES);
  return { ...namedChunk(content) as ChunkName, signature };
}

/** What `open` gives; undefined where it throws, because what came is not of this room. */
export function openedOrNothing<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch {
    return undefined; // Anyone may send anything.
  }
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

/** What each member has asked for and was given of one file, by handle. */
export class GivenChunks {
  readonly #chunks: number;
  readonly #only: string | undefined;
  readonly #given = new Map<string, number>();
  /** By what signature each member asks: it is the same each time, and is verified once. */
  readonly #signatures = new Map<string, string>();

  readonly #claim: Omit<PullClaim, "from">;

  /** `claim`: what is asked for; `only`: the handle of the only member who may have it. */
  constructor(
    chunks: number,
    { claim, only }: {
      readonly claim: Omit<PullClaim, "from">;
      readonly only?: string | undefined;
    },
  ) {
    this.#chunks = chunks;
    this.#only = only;
    this.#claim = claim;
  }

  /** Whether it may have a chunk. */
  mayHaveMore(handle: string): boolean {
    if (this.#only !== undefined && handle !== this.#only) return false;
    const given = this.#given.get(handle) ?? 0;
    return given < GIVEN_TIMES * this.#chunks + SEALED_PULL_CHUNKS_MAX;
  }

  /** Whether that member itself asks. */
  isAskedBy({ handle, signatureKey }: GroupMember, signature: Uint8Array): boolean {
    const shown = toHex(signature);
    if (this.#signatures.get(handle) === shown) return true;
    const statement = pullStatement({ ...this.#claim, from: handle });
    if (!verifyBytes(signatureKey, statement, signature)) return false;
    this.#signatures.set(handle, shown);
    return true;
  }

  /** It was given a chunk. */
  note(handle: string): void {
    this.#given.set(handle, (this.#given.get(handle) ?? 0) + 1);
  }
}
