// Who a leaf of the tree is (docs/PROTOCOL.md §11.3): a name and the handle of a connection, under a MAC that only
// holders of the link can make. So the relay can neither add a ghost nor invent a room. A leaf whose owner wants to be
// known again also has the proof of a device key. The relay sees none of it: all leaves travel in envelopes of the link.

import { equalSecrets, fromHex, toHex } from "#platform/bytes.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { hasSmallOrder } from "../../shared/crypto/identity.ts";
import { hkdfExtract } from "../../shared/crypto/hkdf.ts";
import { NAME_MAX_BYTES } from "../../shared/base/limits.ts";
import { HANDLE_BYTES } from "../../shared/messages/messages_sealed.ts";
import {
  type DeviceProof,
  isProofOf,
  leafStatement,
  PROOF_BYTES,
} from "../../shared/crypto/device_key.ts";
import { parseName } from "../../shared/text/names.ts";
import { CURVE_KEY_BYTES } from "./cipher_suite.ts";
import type { RoomKeys } from "./room_keys.ts";

/** What a credential says. */
export interface CredentialSubject {
  readonly name: string;
  /** Handle of the connection, in hexadecimal. */
  readonly handle: string;
  /** The proof of a device key, of those who show one. */
  readonly device?: DeviceProof | undefined;
}

/** The first byte: without a device key, and with one. */
const VERSIONS = { anonymous: 1, device: 2 } as const;
const MAC_BYTES = 16;
const HEAD_BYTES = 1 + HANDLE_BYTES + MAC_BYTES;
const DEVICE_BYTES = PROOF_BYTES.key + PROOF_BYTES.signature;

const utf8 = new TextEncoder();
const LABEL = utf8.encode("cmdchat sealed leaf v1");
const DEVICE_LABEL = utf8.encode("cmdchat sealed leaf v2");
const NOTHING = new Uint8Array();

interface Claim {
  readonly handle: Uint8Array;
  readonly name: Uint8Array;
  /** Device key and signature; empty where there is none. */
  readonly proof: Uint8Array;
  readonly signatureKey: Uint8Array;
}

function macOf(keys: RoomKeys, { handle, name, proof, signatureKey }: Claim): Uint8Array {
  // HKDF-Extract is HMAC (RFC 5869 §2.2). All but the name have a fixed size under their label.
  const label = proof.length === 0 ? LABEL : DEVICE_LABEL;
  const input = concatBytes([label, keys.rid, handle, proof, name, signatureKey]);
  return hkdfExtract(keys.admission, input).subarray(0, MAC_BYTES);
}

/** The credential of a person: version, handle, MAC, the proof of a device key where there is one, name. */
export function makeCredential(
  keys: RoomKeys,
  person: CredentialSubject,
  signatureKey: Uint8Array,
): Uint8Array {
  const handle = fromHex(person.handle);
  const name = utf8.encode(person.name);
  const proof = person.device === undefined
    ? NOTHING
    : concatBytes([person.device.key, person.device.signature]);
  const version = proof.length === 0 ? VERSIONS.anonymous : VERSIONS.device;
  const mac = macOf(keys, { handle, name, proof, signatureKey });
  return concatBytes([Uint8Array.of(version), handle, mac, proof, name]);
}

/**
 * Who a credential is, or undefined unless it was made with this link for this signature key, and the device key that it
 * shows has signed this very leaf.
 */
export function readCredential(
  keys: RoomKeys,
  identity: Uint8Array,
  signatureKey: Uint8Array,
): CredentialSubject | undefined {
  const [version] = identity;
  if (version !== VERSIONS.anonymous && version !== VERSIONS.device) return undefined;
  const nameAt = HEAD_BYTES + (version === VERSIONS.device ? DEVICE_BYTES : 0);
  const name = identity.subarray(nameAt);
  const hasSize = name.length > 0 && name.length <= NAME_MAX_BYTES &&
    signatureKey.length === CURVE_KEY_BYTES;
  // Under a key of small order anyone could sign in this member's name.
  if (!hasSize || hasSmallOrder(signatureKey)) return undefined;
  const handle = identity.subarray(1, 1 + HANDLE_BYTES);
  const mac = identity.subarray(1 + HANDLE_BYTES, HEAD_BYTES);
  const proof = identity.subarray(HEAD_BYTES, nameAt);
  if (!equalSecrets(mac, macOf(keys, { handle, name, proof, signatureKey }))) return undefined;
  const text = readName(name);
  if (text === undefined) return undefined;
  if (proof.length === 0) return { name: text, handle: toHex(handle) };
  const device = {
    key: proof.slice(0, PROOF_BYTES.key),
    signature: proof.slice(PROOF_BYTES.key),
  };
  const isShown = isProofOf(device, leafStatement({ rid: keys.rid, handle, signatureKey }));
  return isShown ? { name: text, handle: toHex(handle), device } : undefined;
}

function readName(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return parseName(text) === text ? text : undefined;
  } catch {
    return undefined; // Not UTF-8, or no name: a member made it, but none of our clients.
  }
}
