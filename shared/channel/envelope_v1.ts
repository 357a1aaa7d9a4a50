// The v1 wire: JSON payloads under AES-256-GCM, each in a separate envelope. docs/PROTOCOL.md, part 1.
//
// One key serves both directions, so nonces are random (RFC 5116 §3.2): at the session's pace a repeat
// within 2^32 messages is out of reach (NIST SP 800-38D §8.3), and sealing stops there.

import { createCipheriv, createDecipheriv } from "node:crypto";
import * as z from "zod/mini";
import { decodeBase64, writeBase64 } from "../base/base64.ts";
import { CryptoError, LimitError, ProtocolError } from "../base/errors.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import { FRAME_MAX_BYTES } from "../base/limits.ts";

/** Bytes of a session's AES key. */
export const V1_KEY_BYTES = 32;
/** Bytes of a nonce. */
export const V1_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEAL_MAX = 2 ** 32;

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();
const HEAD = encoder.encode('{"type":"encrypted","nonce":"');
const MIDDLE = encoder.encode('","ciphertext":"');
const TAIL = encoder.encode('"}');
const NONCE_CHARACTERS = 16;
const ENVELOPE_BYTES = HEAD.length + NONCE_CHARACTERS + MIDDLE.length + TAIL.length;

/** Largest payload in bytes that fits one v1 frame. */
export const V1_PAYLOAD_MAX_BYTES = Math.floor((FRAME_MAX_BYTES - ENVELOPE_BYTES) / 4) * 3 -
  TAG_BYTES;

const ENVELOPE = z.object({
  type: z.literal("encrypted"),
  nonce: z.string().check(z.length(NONCE_CHARACTERS)),
  ciphertext: z.string().check(z.minLength(24), z.maxLength(FRAME_MAX_BYTES)),
});

/** Bytes of a JSON value. */
export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** The JSON value in `bytes`. Throws ProtocolError on what is not UTF-8 or not JSON. */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    // No cause: the parser's words repeat the peer's, and those must not reach a log.
    throw new ProtocolError("Cannot read the peer's message: it is not JSON in UTF-8");
  }
}

/** Seals and opens the payloads of one v1 session. */
export class EnvelopeV1 {
  readonly #key: Uint8Array;
  readonly #nonces = new Uint8Array(V1_NONCE_BYTES * 256);
  #nonceAt = this.#nonces.length;
  #sealed = 0;

  /** `key`: V1_KEY_BYTES bytes, kept by reference. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** One buffer with a whole frame for each payload (JSON bytes), ready for one write. */
  seal(payloads: readonly Uint8Array[]): Uint8Array {
    let total = 0;
    for (const payload of payloads) total += frameBytes(payload.length);
    const out = new Uint8Array(total);
    let at = 0;
    for (const payload of payloads) at = this.#sealOne(payload, out, at);
    return out;
  }

  /** The payload's JSON value in the body of one frame. Throws ProtocolError or CryptoError. */
  open(body: Uint8Array): unknown {
    const envelope = ENVELOPE.safeParse(decodeJson(body));
    if (!envelope.success) {
      throw new ProtocolError("Cannot read the peer's message: it is not an encrypted envelope");
    }
    const nonce = decodeBase64(envelope.data.nonce);
    const sealed = decodeBase64(envelope.data.ciphertext);
    if (nonce === undefined || sealed === undefined) {
      throw new ProtocolError("Cannot read the peer's message: its envelope is not base64");
    }
    return decodeJson(openGcm(this.#key, nonce, sealed));
  }

  /** Forgets the key, as far as a JavaScript heap allows. */
  destroy(): void {
    this.#key.fill(0);
  }

  #nextNonce(): Uint8Array {
    if (++this.#sealed > SEAL_MAX) {
      throw new LimitError(`Cannot send on: a v1 session ends after ${SEAL_MAX} messages`);
    }
    if (this.#nonceAt >= this.#nonces.length) {
      crypto.getRandomValues(this.#nonces);
      this.#nonceAt = 0;
    }
    return this.#nonces.subarray(this.#nonceAt, this.#nonceAt += V1_NONCE_BYTES);
  }

  #sealOne(payload: Uint8Array, out: Uint8Array, start: number): number {
    const length = frameBytes(payload.length) - FRAME_HEADER_BYTES;
    if (length > FRAME_MAX_BYTES) {
      throw new LimitError(
        `Cannot send a message of ${payload.length} bytes: at most ${V1_PAYLOAD_MAX_BYTES} are allowed`,
      );
    }
    const nonce = this.#nextNonce();
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const sealed = new Uint8Array(payload.length + TAG_BYTES);
    sealed.set(cipher.update(payload));
    cipher.final();
    sealed.set(cipher.getAuthTag(), payload.length);
    let at = start;
    for (let shift = 24; shift >= 0; shift -= 8) out[at++] = length >>> shift & 0xff;
    at = writeBase64(nonce, out, write(HEAD, out, at));
    at = writeBase64(sealed, out, write(MIDDLE, out, at));
    return write(TAIL, out, at);
  }
}

// An envelope is put together as bytes: through strings it cost more than its encryption (15 µs against 7 µs).
function write(part: Uint8Array, out: Uint8Array, at: number): number {
  out.set(part, at);
  return at + part.length;
}

function frameBytes(payloadBytes: number): number {
  return FRAME_HEADER_BYTES + ENVELOPE_BYTES + Math.ceil((payloadBytes + TAG_BYTES) / 3) * 4;
}

function openGcm(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array {
  try {
    const split = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", key, nonce);
    decipher.setAuthTag(sealed.subarray(split));
    const plain = decipher.update(sealed.subarray(0, split));
    decipher.final();
    return plain;
  } catch (cause) {
    throw new CryptoError("Cannot open a message: it was changed on its way, or the keys differ", {
      cause,
    });
  }
}
