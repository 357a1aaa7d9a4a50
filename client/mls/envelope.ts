// The envelope around everything that a sealed room sends through the relay (docs/PROTOCOL.md §11.2): a second,
// symmetric lock under a key of the link. It hides tree, sender, epoch contents and size.

import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadContext,
  aeadOpen,
  aeadSeal,
} from "../../shared/crypto/aead.ts";
import { CryptoError, LimitError } from "../../shared/base/errors.ts";
import type { RoomKeys } from "./room_keys.ts";

/** What an envelope may hold; a body of one kind does not open as another. */
export const ENVELOPE_KINDS = ["group-info", "commit", "app", "direct"] as const;
/** One of ENVELOPE_KINDS. */
export type EnvelopeKind = typeof ENVELOPE_KINDS[number];

const LENGTH_BYTES = 4;
const MIN_PADDED_BYTES = 256;
/** Bytes of the largest content: the GroupInfo of 200 members has 62 KB. */
export const ENVELOPE_MAX_BYTES = 256 * 1024 - LENGTH_BYTES;

/** Bytes that an envelope of so many bytes of content has. */
export function envelopeBytes(contentBytes: number): number {
  return AEAD_NONCE_BYTES + paddedBytes(contentBytes) + AEAD_TAG_BYTES;
}

function paddedBytes(contentBytes: number): number {
  let size = MIN_PADDED_BYTES;
  while (size < LENGTH_BYTES + contentBytes) size *= 2;
  return size;
}

function contextOf(keys: RoomKeys, kind: EnvelopeKind, nonce: Uint8Array) {
  const number = Uint8Array.of(ENVELOPE_KINDS.indexOf(kind) + 1);
  return { key: keys.envelope, nonce, associatedData: concatBytes([keys.rid, number]) };
}

/** Seals content of at most ENVELOPE_MAX_BYTES; the nonce is random. */
export function sealEnvelope(keys: RoomKeys, kind: EnvelopeKind, content: Uint8Array): Uint8Array {
  return unsafeTestOnlySealEnvelope(keys, kind, {
    content,
    nonce: randomBytes(AEAD_NONCE_BYTES),
  });
}

/** sealEnvelope() with a given nonce, which must never repeat: for vectors. */
export function unsafeTestOnlySealEnvelope(
  keys: RoomKeys,
  kind: EnvelopeKind,
  { content, nonce }: { readonly content: Uint8Array; readonly nonce: Uint8Array },
): Uint8Array {
  if (content.length > ENVELOPE_MAX_BYTES) {
    throw new LimitError(
      `Cannot seal ${content.length} bytes: at most ${ENVELOPE_MAX_BYTES} are allowed`,
    );
  }
  const plaintext = new Uint8Array(paddedBytes(content.length));
  new DataView(plaintext.buffer).setUint32(0, content.length);
  plaintext.set(content, LENGTH_BYTES);
  const envelope = new Uint8Array(envelopeBytes(content.length));
  envelope.set(nonce);
  const out = envelope.subarray(AEAD_NONCE_BYTES);
  aeadSeal("aes-256-gcm", contextOf(keys, kind, nonce), { plaintext, out });
  return envelope;
}

/** The content of an envelope. Throws CryptoError with one text for every fault. */
export function openEnvelope(keys: RoomKeys, kind: EnvelopeKind, envelope: Uint8Array): Uint8Array {
  const nonce = envelope.subarray(0, AEAD_NONCE_BYTES);
  if (nonce.length < AEAD_NONCE_BYTES || envelope.length > envelopeBytes(ENVELOPE_MAX_BYTES)) {
    throw new CryptoError(REFUSED);
  }
  const sealed = envelope.subarray(AEAD_NONCE_BYTES);
  const plaintext = opened(contextOf(keys, kind, nonce), sealed);
  const length = plaintext.length < MIN_PADDED_BYTES
    ? Infinity
    : new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  const isWhole = length <= ENVELOPE_MAX_BYTES && paddedBytes(length) === plaintext.length &&
    plaintext.subarray(LENGTH_BYTES + length).every((byte) => byte === 0);
  if (!isWhole) throw new CryptoError(REFUSED);
  return new Uint8Array(plaintext.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
}

function opened(context: AeadContext, sealed: Uint8Array): Uint8Array {
  try {
    return aeadOpen("aes-256-gcm", context, sealed);
  } catch (cause) {
    throw new CryptoError(REFUSED, { cause });
  }
}

const REFUSED = "Cannot open a sealed body: it is not of this room";
