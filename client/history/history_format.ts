// The bytes of a history file. All integers are big-endian.
//
//   header  16 magic | 2 version | 1 KDF | 1 lanes | 4 memory KiB | 4 passes | 16 salt | 32 key check
//   record  4 length of body | 12 nonce | 16 head tag | body = AES-256-GCM ciphertext and 16-byte tag
//
// - Argon2id(passphrase, salt) -> HKDF-SHA-256 (RFC 5869) -> one key each for key check, head tags and bodies.
// - Key check: HMAC-SHA-256 over all header bytes before it. It also commits the file to one passphrase, which
//   AES-GCM alone does not (Len, Grubbs, Ristenpart: Partitioning Oracle Attacks, USENIX Security 2021).
// - A record's position (its number, its offset in the file) and the header's SHA-256 are associated data of its body
//   and input of its head tag: a record that is moved, swapped, repeated or copied from another file does not open.
// - The head tag distinguishes a write that was cut off (head valid, body short) from a changed length.
// - Nonces are 96 random bits (NIST SP 800-38D section 8.2.2), not a counter: after a crash, or in a copy of the file
//   that is continued separately, the same record number is written again with another text. Section 8.3's limit of 2^32
//   invocations for one key bounds the records of a file.
// - Somebody who can write to the file can remove whole records from its end unnoticed: to detect it would need state
//   outside the file.

import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import {
  isAcceptableCost,
  STRETCH_SALT_BYTES,
  type StretchCost,
  stretchPassphrase,
} from "./key_stretching.ts";

/** First bytes of every history file. */
export const HISTORY_MAGIC: Uint8Array<ArrayBuffer> = new TextEncoder().encode("cmdchat history\n");

/** Bytes of the header. */
export const HEADER_BYTES = 76;

/** Bytes of a record before its body. */
export const HEAD_BYTES = 32;

/** AES-GCM's full tag, appended to the ciphertext. */
export const TAG_BYTES = 16;

/** Largest body: about 16 frames, far above any entry; bounds what a reader allocates. */
export const MAX_BODY_BYTES = 1_048_576;

/** NIST SP 800-38D section 8.3: at most 2^32 invocations with random 96-bit nonces under one key. */
export const MAX_RECORDS = 2 ** 32;

const FORMAT_VERSION = 1;
const KDF_ARGON2ID = 1;
const SALT_OFFSET = 28;
const CHECK_OFFSET = SALT_OFFSET + STRETCH_SALT_BYTES;
const NONCE_BYTES = 12;
const NONCE_OFFSET = 4;
const HEAD_TAG_OFFSET = NONCE_OFFSET + NONCE_BYTES;

type Bytes = Uint8Array<ArrayBuffer>;

/** A header with checked bounds and unchecked key check; `parameters` are the bytes before the key check. */
export interface HistoryHeader {
  readonly cost: StretchCost;
  readonly salt: Bytes;
  readonly parameters: Bytes;
  readonly keyCheck: Bytes;
}

/** Why a header cannot be used. */
export type HeaderFault = "foreign" | "version" | "bounds";

/** The position of a record: its number from 0 and its offset in the file. */
export interface RecordPosition {
  readonly index: number;
  readonly offset: number;
}

/** A record's head as read; nothing in it is authenticated yet. */
export interface RecordHead {
  readonly bodyLength: number;
  readonly bytes: Bytes;
}

/** Keys of one file, from its passphrase and header. */
export interface HistoryKeys {
  readonly headerHash: Bytes;
  readonly headKey: CryptoKey;
  readonly bodyKey: Bytes;
}

/** Parses the first 76 bytes; checks magic, version and cost bounds, so that nothing is derived for a hostile header. */
export function parseHeader(bytes: Bytes): HistoryHeader | HeaderFault {
  if (bytes.length < HEADER_BYTES || !startsWithMagic(bytes)) return "foreign";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(16) !== FORMAT_VERSION || view.getUint8(18) !== KDF_ARGON2ID) return "version";
  const cost = {
    lanes: view.getUint8(19),
    memoryKib: view.getUint32(20),
    passes: view.getUint32(24),
  };
  if (!isAcceptableCost(cost)) return "bounds";
  return {
    cost,
    salt: bytes.slice(SALT_OFFSET, CHECK_OFFSET),
    parameters: bytes.slice(0, CHECK_OFFSET),
    keyCheck: bytes.slice(CHECK_OFFSET, HEADER_BYTES),
  };
}

/** True if `bytes` begin with HISTORY_MAGIC. */
export function startsWithMagic(bytes: Uint8Array): boolean {
  return bytes.length >= HISTORY_MAGIC.length &&
    HISTORY_MAGIC.every((byte, index) => bytes[index] === byte);
}

/** A new header with a fresh salt, and its keys. */
export async function createHeader(
  passphrase: string,
  cost: StretchCost,
): Promise<{ bytes: Bytes; keys: HistoryKeys }> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(HISTORY_MAGIC);
  view.setUint16(16, FORMAT_VERSION);
  view.setUint8(18, KDF_ARGON2ID);
  view.setUint8(19, cost.lanes);
  view.setUint32(20, cost.memoryKib);
  view.setUint32(24, cost.passes);
  const salt = crypto.getRandomValues(bytes.subarray(SALT_OFFSET, CHECK_OFFSET));
  const master = await importMaster(await stretchPassphrase(passphrase, salt, cost));
  const check = await macOver(await deriveMacKey(master, "header"), bytes.slice(0, CHECK_OFFSET));
  bytes.set(check, CHECK_OFFSET);
  return { bytes, keys: await keysFrom(master, bytes) };
}

/** Keys of an existing file, or undefined if the passphrase (or the header) is wrong. */
export async function unlockHeader(
  header: HistoryHeader,
  passphrase: string,
): Promise<HistoryKeys | undefined> {
  const master = await importMaster(
    await stretchPassphrase(passphrase, header.salt, header.cost),
  );
  const expected = await macOver(await deriveMacKey(master, "header"), header.parameters);
  if (!timingSafeEqual(expected, header.keyCheck)) return undefined;
  const bytes = new Uint8Array(HEADER_BYTES);
  bytes.set(header.parameters);
  bytes.set(header.keyCheck, CHECK_OFFSET);
  return await keysFrom(master, bytes);
}

/** Seals `plaintext` as a record for exactly this position. */
export async function sealRecord(
  keys: HistoryKeys,
  position: RecordPosition,
  plaintext: Uint8Array,
): Promise<Bytes> {
  const bodyLength = plaintext.length + TAG_BYTES;
  const record = new Uint8Array(HEAD_BYTES + bodyLength);
  new DataView(record.buffer).setUint32(0, bodyLength);
  const nonce = crypto.getRandomValues(record.subarray(NONCE_OFFSET, HEAD_TAG_OFFSET));
  record.set(await headTag(keys, position, record.subarray(0, HEAD_TAG_OFFSET)), HEAD_TAG_OFFSET);
  const cipher = createCipheriv("aes-256-gcm", keys.bodyKey, nonce);
  cipher.setAAD(associatedData(keys, position, record.subarray(0, HEAD_BYTES)));
  record.set(cipher.update(plaintext), HEAD_BYTES);
  cipher.final();
  record.set(cipher.getAuthTag(), HEAD_BYTES + plaintext.length);
  return record;
}

/** Reads a head of 32 bytes; its length field may be anything. */
export function parseHead(bytes: Bytes): RecordHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bodyLength: view.getUint32(0), bytes };
}

/** True if a record can have a body of this length. */
export function isPossibleBodyLength(length: number): boolean {
  return length >= TAG_BYTES && length <= MAX_BODY_BYTES;
}

/** True if the head was written with these keys for exactly this position. */
export async function isAuthenticHead(
  keys: HistoryKeys,
  position: RecordPosition,
  head: RecordHead,
): Promise<boolean> {
  const expected = await headTag(keys, position, head.bytes.subarray(0, HEAD_TAG_OFFSET));
  return timingSafeEqual(expected, head.bytes.subarray(HEAD_TAG_OFFSET, HEAD_BYTES));
}

/** The plaintext of a body, or undefined if head, body or position differ from what was written. */
export function openBody(
  keys: HistoryKeys,
  position: RecordPosition,
  record: { head: RecordHead; body: Uint8Array },
): Uint8Array | undefined {
  const { head, body } = record;
  const nonce = head.bytes.subarray(NONCE_OFFSET, HEAD_TAG_OFFSET);
  // Synchronous on purpose: 7 µs a record, where a WebCrypto call costs twice that, and every record is read at start.
  const decipher = createDecipheriv("aes-256-gcm", keys.bodyKey, nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedData(keys, position, head.bytes));
  decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
  const plaintext = decipher.update(body.subarray(0, body.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  return plaintext;
}

function associatedData(keys: HistoryKeys, position: RecordPosition, head: Uint8Array): Bytes {
  const data = new Uint8Array(keys.headerHash.length + 16 + head.length);
  const view = new DataView(data.buffer);
  data.set(keys.headerHash);
  view.setBigUint64(keys.headerHash.length, BigInt(position.index));
  view.setBigUint64(keys.headerHash.length + 8, BigInt(position.offset));
  data.set(head, keys.headerHash.length + 16);
  return data;
}

async function headTag(
  keys: HistoryKeys,
  position: RecordPosition,
  start: Uint8Array,
): Promise<Bytes> {
  const tag = await macOver(keys.headKey, associatedData(keys, position, start));
  // RFC 2104 section 5: truncation to no less than half of the hash.
  return tag.slice(0, HEAD_BYTES - HEAD_TAG_OFFSET);
}

async function keysFrom(master: CryptoKey, header: Bytes): Promise<HistoryKeys> {
  return {
    headerHash: new Uint8Array(await crypto.subtle.digest("SHA-256", header)),
    headKey: await deriveMacKey(master, "head"),
    bodyKey: await deriveBits(master, "body"),
  };
}

async function importMaster(stretched: Bytes): Promise<CryptoKey> {
  return await crypto.subtle.importKey("raw", stretched, "HKDF", false, ["deriveBits"]);
}

async function deriveBits(master: CryptoKey, purpose: string): Promise<Bytes> {
  const info = new TextEncoder().encode(`cmdchat history v1 ${purpose}`);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info },
    master,
    256,
  );
  return new Uint8Array(bits);
}

async function deriveMacKey(master: CryptoKey, purpose: string): Promise<CryptoKey> {
  const raw = await deriveBits(master, purpose);
  return await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
}

async function macOver(key: CryptoKey, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, data));
}
