// Who a leaf of the tree is (docs/PROTOCOL.md §11.3): a name and the handle of a connection, under a MAC that only
// holders of the link can make. So the relay can neither add a ghost nor invent a room.

import { equalSecrets, fromHex, toHex } from "#platform/bytes.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { hasSmallOrder } from "../../shared/crypto/identity.ts";
import { hkdfExtract } from "../../shared/crypto/hkdf.ts";
import { NAME_MAX_BYTES } from "../../shared/base/limits.ts";
import { HANDLE_BYTES } from "../../shared/messages/messages_sealed.ts";
import { parseName } from "../../shared/text/names.ts";
import { CURVE_KEY_BYTES } from "./cipher_suite.ts";
import type { RoomKeys } from "./room_keys.ts";

/** What a credential says. */
export interface CredentialSubject {
  readonly name: string;
  /** Handle of the connection, in hexadecimal. */
  readonly handle: string;
}

const VERSION = 1;
const MAC_BYTES = 16;
const NAME_AT = 1 + HANDLE_BYTES + MAC_BYTES;

const utf8 = new TextEncoder();
const LABEL = utf8.encode("cmdchat sealed leaf v1");

interface Claim {
  readonly handle: Uint8Array;
  readonly name: Uint8Array;
  readonly signatureKey: Uint8Array;
}

function macOf(keys: RoomKeys, { handle, name, signatureKey }: Claim): Uint8Array {
  // HKDF-Extract is HMAC (RFC 5869 §2.2). All but the name have a fixed size.
  const input = concatBytes([LABEL, keys.rid, handle, name, signatureKey]);
  return hkdfExtract(keys.admission, input).subarray(0, MAC_BYTES);
}

/** The credential of a person: version, handle, MAC, name. */
export function makeCredential(
  keys: RoomKeys,
  person: CredentialSubject,
  signatureKey: Uint8Array,
): Uint8Array {
  const handle = fromHex(person.handle);
  const name = utf8.encode(person.name);
  const mac = macOf(keys, { handle, name, signatureKey });
  return concatBytes([Uint8Array.of(VERSION), handle, mac, name]);
}

/** Who a credential is, or undefined unless it was made with this link for this signature key. */
export function readCredential(
  keys: RoomKeys,
  identity: Uint8Array,
  signatureKey: Uint8Array,
): CredentialSubject | undefined {
  const name = identity.subarray(NAME_AT);
  const hasSize = name.length > 0 && name.length <= NAME_MAX_BYTES &&
    signatureKey.length === CURVE_KEY_BYTES;
  // Under a key of small order anyone could sign in this member's name.
  if (!hasSize || identity[0] !== VERSION || hasSmallOrder(signatureKey)) return undefined;
  const handle = identity.subarray(1, 1 + HANDLE_BYTES);
  const mac = identity.subarray(1 + HANDLE_BYTES, NAME_AT);
  if (!equalSecrets(mac, macOf(keys, { handle, name, signatureKey }))) return undefined;
  const text = readName(name);
  return text === undefined ? text : { name: text, handle: toHex(handle) };
}

function readName(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return parseName(text) === text ? text : undefined;
  } catch {
    return undefined; // Not UTF-8, or no name: a member made it, but none of our clients.
  }
}
