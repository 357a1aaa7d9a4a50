// What people compare: the code of a room, equal on all screens when members and history are, and the fingerprint
// of a person's key, in digits and in words (docs/PROTOCOL.md §11.7).

import { sha256 } from "../../shared/crypto/hkdf.ts";
import { wordsOf } from "./word_list.ts";

const utf8 = new TextEncoder();
const CODE_LABEL = utf8.encode("cmdchat sealed code v1");
const FINGERPRINT_LABEL = utf8.encode("cmdchat sealed fingerprint v1");
const DEVICE_LABEL = utf8.encode("cmdchat device fingerprint v1");

const GROUPS = 6;
const DIGITS = 5;
// 40 bits for five digits: no digit is noticeably more frequent.
const BYTES_PER_GROUP = 5;
const WORDS = 12;

/** A person's key to be compared: 30 digits (99 bits) or twelve words (96 bits) of one hash. */
export interface SpokenFingerprint {
  readonly digits: string;
  readonly words: string;
}

function digitsOf(hash: Uint8Array): string {
  const groups: string[] = [];
  for (let i = 0; i < GROUPS; i++) {
    const part = hash.subarray(i * BYTES_PER_GROUP, (i + 1) * BYTES_PER_GROUP);
    const value = part.reduce((sum, byte) => sum * 256 + byte, 0);
    groups.push(String(value % 10 ** DIGITS).padStart(DIGITS, "0"));
  }
  return groups.join(" ");
}

/** The room's code: six groups of five digits of the epoch authenticator. It changes with every commit. */
export function roomCode(epochAuthenticator: Uint8Array): string {
  return digitsOf(sha256(CODE_LABEL, epochAuthenticator));
}

/** The fingerprint of a member's signature key. */
export function spokenFingerprint(signatureKey: Uint8Array): SpokenFingerprint {
  return spokenOf(sha256(FINGERPRINT_LABEL, signatureKey));
}

/** The fingerprint of a person's device key, which is the same tomorrow and in every room. */
export function deviceFingerprint(deviceKey: Uint8Array): SpokenFingerprint {
  return spokenOf(sha256(DEVICE_LABEL, deviceKey));
}

function spokenOf(hash: Uint8Array): SpokenFingerprint {
  return { digits: digitsOf(hash), words: wordsOf(hash.subarray(0, WORDS)).join(" ") };
}
