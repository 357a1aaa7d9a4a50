// RSA-OAEP with SHA-256 and no label (RFC 8017 §7.1): carries the session key of v1, and one of the three
// secrets of v2. The client makes a fresh pair for each connection; the server only ever sees public keys.

import { fromHex, toHex } from "#platform/bytes.ts";
import { CryptoError, ProtocolError } from "../base/errors.ts";
import { HASH_BYTES, sha256 } from "./hkdf.ts";
import { randomBytes } from "./random_bytes.ts";
import { hashInto } from "./short_hash.ts";

/** A fresh key pair of one client. */
export type RsaKeyPair = CryptoKeyPair;

const OAEP = { name: "RSA-OAEP", hash: "SHA-256" } as const;

/** Bits of the keys we make. What v1 peers expect; 112-bit strength (SP 800-57 part 1, table 2). */
export const RSA_BITS = 2048;
/** Bits of the largest key of a peer: wrapping costs the server time that grows with the square. */
export const RSA_MAX_BITS = 4096;

// The exponent of every common generator (RFC 8017 §3.1 allows others). With a large one a wrap costs as much as a
// private operation: one client could burn the server's time.
const PUBLIC_EXPONENT = Uint8Array.of(1, 0, 1);
const EXPONENT_DER = [0x02, 3, ...PUBLIC_EXPONENT];
// rsaEncryption, 1.2.840.113549.1.1.1, with NULL parameters (RFC 8017 §A.1).
const RSA_ALGORITHM = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
// What an SPKI key has besides its modulus.
const SPKI_OVERHEAD_BYTES = 38;
// Where the modulus begins: behind what is before it, and in front of the exponent.
const MODULUS_START = SPKI_OVERHEAD_BYTES - EXPONENT_DER.length;
// A 4,096-bit SPKI is 550 bytes, 800 characters of PEM.
const MAX_PEM_LENGTH = 2048;
// One blank before and behind, so that there is one way to match: of three runs of blanks, 2,000 in a row took 2.5 s.
const PEM = /^\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)\s-----END PUBLIC KEY-----\s*$/;

/** A fresh RSA-2048 key pair. Takes 50 to 230 ms, so start it before it is needed: a failure waits until then as well. */
export function generateRsaKeyPair(): Promise<RsaKeyPair> {
  const making = crypto.subtle.generateKey(
    { ...OAEP, modulusLength: RSA_BITS, publicExponent: PUBLIC_EXPONENT },
    true,
    ["encrypt", "decrypt"],
  );
  // Where nobody waits for it yet, a rejection would end the program.
  making.catch(() => {});
  return making;
}

/** The SPKI PEM text of a public key: 64 characters a line, ends with a line feed (RFC 7468 §13). */
export async function publicKeyToPem(key: CryptoKey): Promise<string> {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", key));
  const lines = btoa(String.fromCharCode(...spki)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join("\n")}\n-----END PUBLIC KEY-----\n`;
}

function spkiOf(pem: string): Uint8Array<ArrayBuffer> {
  if (pem.length > MAX_PEM_LENGTH) {
    throw new ProtocolError(
      `Cannot read the RSA public key: it has ${pem.length} characters, at most ${MAX_PEM_LENGTH} are allowed`,
    );
  }
  const der = derOf(PEM.exec(pem)?.[1] ?? "");
  if (der === undefined || !isUsableSpki(der)) {
    throw new ProtocolError(
      `Cannot use the RSA public key: it must be an SPKI key in PEM, with ${RSA_BITS} to ` +
        `${RSA_MAX_BITS} bits in whole bytes and the exponent 65,537`,
    );
  }
  return der;
}

function derOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const text = atob(base64.replaceAll(/\s/g, ""));
    const der = new Uint8Array(text.length);
    for (let at = 0; at < der.length; at++) der[at] = text.charCodeAt(at);
    return der;
  } catch {
    return undefined; // It is not base64, or there was no PEM.
  }
}

// DER has one way to write such a key (RFC 8017 §A.1, RFC 5280 §4.1.2.7): only the size and the modulus differ.
function isUsableSpki(der: Uint8Array): boolean {
  const modulusBytes = der.length - SPKI_OVERHEAD_BYTES;
  if (modulusBytes < RSA_BITS / 8 || modulusBytes > RSA_MAX_BITS / 8) return false;
  const length = (bytes: number) => [0x82, bytes >> 8, bytes & 0xff];
  const head = [
    0x30,
    ...length(modulusBytes + 34),
    ...RSA_ALGORITHM,
    0x03,
    ...length(modulusBytes + 15),
    0,
    0x30,
    ...length(modulusBytes + 10),
    0x02,
    ...length(modulusBytes + 1),
    0,
  ];
  const modulus = der.subarray(head.length, head.length + modulusBytes);
  const tail = der.subarray(head.length + modulusBytes);
  // The top bit makes the size exact, and every modulus is odd.
  const [first = 0, last = 0] = [modulus[0], modulus.at(-1)];
  return head.every((byte, n) => byte === der[n]) && first >= 0x80 && last % 2 === 1 &&
    EXPONENT_DER.every((byte, n) => byte === tail[n]);
}

/**
 * Encrypts a secret of at most 190 bytes to the key of a peer's SPKI PEM; the result is as long as the modulus. Throws
 * ProtocolError unless that is an RSA key of 2,048 to 4,096 bits, in whole bytes, with the exponent 65,537: anything
 * else is refused before it is used. In BigInt, since the runtime takes three times as long
 * (docs/adr/0034-handshakes-in-the-servers-own-steps.md). The time depends a little on the padded secret, which is
 * fresh each time and raised to a public power.
 */
export function wrapKey(pem: string, secret: Uint8Array): Uint8Array {
  const der = spkiOf(pem);
  const bytes = der.length - SPKI_OVERHEAD_BYTES;
  const modulus = toBigInt(der.subarray(MODULUS_START, MODULUS_START + bytes));
  const message = toBigInt(encodeOaep(secret, bytes));
  let power = message;
  // The exponent is 2^16 + 1.
  for (let bit = 0; bit < 16; bit++) power = power * power % modulus;
  return fromHex((power * message % modulus).toString(16).padStart(2 * bytes, "0"));
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

// RFC 8017 §7.1.1, step 2: 0, the masked seed, the masked block of hash, zeros, 1 and message.
function encodeOaep(message: Uint8Array, bytes: number): Uint8Array {
  const room = bytes - 2 * HASH_BYTES - 2;
  if (message.length > room) {
    throw new RangeError(`a secret under this key has at most ${room} bytes`);
  }
  const encoded = new Uint8Array(bytes);
  const seed = encoded.subarray(1, 1 + HASH_BYTES);
  const block = encoded.subarray(1 + HASH_BYTES);
  block.set(EMPTY_LABEL_HASH);
  block[block.length - message.length - 1] = 1;
  block.set(message, block.length - message.length);
  seed.set(randomBytes(HASH_BYTES));
  mask(block, seed);
  mask(seed, block);
  return encoded;
}

const EMPTY_LABEL_HASH = sha256();

// MGF1 (RFC 8017 §B.2.1): SHA-256 of the seed and a counter of four bytes.
function mask(bytes: Uint8Array, seed: Uint8Array): void {
  const block = new Uint8Array(HASH_BYTES);
  const counter = new Uint8Array(4);
  for (let at = 0; at < bytes.length; at += HASH_BYTES) {
    hashInto(block, [seed, counter]);
    const end = Math.min(HASH_BYTES, bytes.length - at);
    for (let i = 0; i < end; i++) bytes[at + i] = bytes[at + i]! ^ block[i]!;
    counter[3]!++;
  }
}

/** Opens what wrapKey() made. Throws CryptoError with one text for every fault. */
export async function unwrapKey(privateKey: CryptoKey, wrapped: Uint8Array): Promise<Uint8Array> {
  try {
    const input = new Uint8Array(wrapped);
    return new Uint8Array(await crypto.subtle.decrypt(OAEP, privateKey, input));
  } catch (cause) {
    throw new CryptoError("Cannot open the wrapped session key: it was not made for this key", {
      cause,
    });
  }
}
