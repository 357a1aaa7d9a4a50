// How people and links name a server: SHA-256 of its raw Ed25519 public key, in the looks of OpenSSH
// ("SHA256:" and 43 characters), but in URL-safe base64, so that a link needs no escapes.

import { decodeBase64Url, encodeBase64Url } from "../base/base64.ts";
import { HASH_BYTES, sha256 } from "./hkdf.ts";
import { UsageError } from "../base/errors.ts";

/** "SHA256:" and 43 characters of URL-safe base64; equal keys have equal texts. */
export type Fingerprint = string & { readonly brand: unique symbol };

const PREFIX = "SHA256:";

/** The fingerprint of a raw public key. */
export function fingerprintOf(publicKey: Uint8Array): Fingerprint {
  return PREFIX + encodeBase64Url(sha256(publicKey)) as Fingerprint;
}

/** Reads a fingerprint with or without "SHA256:". Throws UsageError, which does not repeat the text. */
export function parseFingerprint(text: string): Fingerprint {
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : text;
  if (decodeBase64Url(encoded)?.length !== HASH_BYTES) {
    throw new UsageError(
      `Cannot read the fingerprint: it must be "${PREFIX}" and 43 letters, digits, "-" or "_"`,
      { hint: "copy the line that the server printed when it started" },
    );
  }
  return PREFIX + encoded as Fingerprint;
}

/** The 43 characters without "SHA256:", as in a link. */
export function bareFingerprint(fingerprint: Fingerprint): string {
  return fingerprint.slice(PREFIX.length);
}
