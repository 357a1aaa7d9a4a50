// Readers for the JSON fields of handshake messages: right type, right size, one way to write each value.

import { decodeBase64 } from "../base/base64.ts";
import { AEAD_NAMES, type AeadName, MANDATORY_AEAD } from "../crypto/aead.ts";
import { RSA_BITS, RSA_MAX_BITS } from "../crypto/rsa.ts";
import { LimitError } from "../base/errors.ts";
import { HandshakeError, type VersionRange } from "./handshake_error.ts";
import { BUSY_PAUSE_MAX_MS, HANDSHAKE_MAX_BYTES } from "../base/limits.ts";

/** A JSON object whose fields are not yet checked. */
export type Fields = Readonly<Record<string, unknown>>;

const MAX_VERSION = 0xffff;
// Room for the ciphers of later versions; a peer's list must not cost time.
const MAX_AEADS = 8;

/** The error for bytes that are no handshake message at all. */
export function frameError(wanted: string): HandshakeError {
  return new HandshakeError("frame", `Cannot read the handshake message: ${wanted}`);
}

function fieldError(field: string, wanted: string): HandshakeError {
  return new HandshakeError(
    "field",
    `Cannot read the handshake field "${field}": it must be ${wanted}`,
  );
}

/** Whether a JSON value is an object and no array. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON object of a handshake frame's payload. Throws LimitError above 8,192 bytes. */
export function decodeObject(payload: Uint8Array): Fields {
  if (payload.length > HANDSHAKE_MAX_BYTES) {
    throw new LimitError(
      `Cannot read the handshake message: it has ${payload.length} bytes, ` +
        `at most ${HANDSHAKE_MAX_BYTES} are allowed`,
    );
  }
  const message = parseJson(payload);
  if (!isObject(message)) throw frameError("it must be a JSON object");
  return message;
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload));
  } catch {
    throw frameError("it must be JSON in UTF-8"); // No cause: the parser's words repeat the peer's.
  }
}

/** A field that is an object. */
export function objectField(message: Fields, field: string): Fields {
  const value = message[field];
  if (!isObject(value)) throw fieldError(field, "an object");
  return value;
}

/** A field that is a text. */
export function textField(message: Fields, field: string): string {
  const value = message[field];
  if (typeof value !== "string") throw fieldError(field, "a text");
  return value;
}

/** A field of exactly `size` bytes in canonical base64. */
export function bytesField(v2: Fields, field: string, size: number): Uint8Array {
  const bytes = decodeBase64(textField(v2, field));
  if (bytes?.length !== size) throw fieldError(`v2.${field}`, `base64 of ${size} bytes`);
  return bytes;
}

/** `encrypted_key`: base64 as long as some RSA modulus that we allow. */
export function wrappedKeyField(message: Fields): Uint8Array {
  const field = "encrypted_key";
  const bytes = decodeBase64(textField(message, field));
  const [min, max] = [RSA_BITS / 8, RSA_MAX_BITS / 8];
  if (bytes === undefined || bytes.length < min || bytes.length > max) {
    throw fieldError(field, `base64 of ${min} to ${max} bytes`);
  }
  return bytes;
}

function isVersion(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_VERSION;
}

/** `v2.versions`: the lowest and the highest version of a side. */
export function versionsField(v2: Fields): VersionRange {
  const value = v2["versions"];
  const [min, max, ...more] = Array.isArray(value) ? value : [];
  if (!isVersion(min) || !isVersion(max) || min > max || more.length > 0) {
    throw fieldError("v2.versions", `two integers from 1 to ${MAX_VERSION}, the lower first`);
  }
  return [min, max];
}

/** `v2.version`: the version that the server chose. */
export function versionField(v2: Fields): number {
  const value = v2["version"];
  if (!isVersion(value)) throw fieldError("v2.version", `an integer from 1 to ${MAX_VERSION}`);
  return value;
}

/** `v2.pause`: the ms after which a client is to come back. */
export function pauseField(v2: Fields): number {
  const value = v2["pause"];
  const isPause = Number.isInteger(value) && Number(value) >= 0;
  if (!isPause || Number(value) > BUSY_PAUSE_MAX_MS) {
    throw fieldError("v2.pause", `an integer from 0 to ${BUSY_PAUSE_MAX_MS}`);
  }
  return Number(value);
}

function isAeadName(value: unknown): value is AeadName {
  return AEAD_NAMES.some((name) => name === value);
}

/** `v2.aeads`: the client's ciphers in its order, without those we do not know. */
export function aeadsField(v2: Fields): AeadName[] {
  const value = v2["aeads"];
  const texts: unknown[] = Array.isArray(value) ? value : [];
  const wellFormed = texts.length <= MAX_AEADS && texts.every((text) => typeof text === "string");
  if (!wellFormed || !texts.includes(MANDATORY_AEAD)) {
    throw fieldError("v2.aeads", `at most ${MAX_AEADS} texts, "${MANDATORY_AEAD}" among them`);
  }
  return texts.filter(isAeadName);
}

/** `v2.aead`: the cipher that the server chose. */
export function aeadField(v2: Fields): AeadName {
  const value = v2["aead"];
  if (!isAeadName(value)) throw fieldError("v2.aead", "a cipher that was offered");
  return value;
}
