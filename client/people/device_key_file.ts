// The user's device key on the disk: a file of its owner alone, as PKCS#8 PEM (RFC 8410) or under a passphrase. It is
// made by `cmdchat-client keygen`, and never written again.
//
//   sealed  1 version | 1 lanes | 4 memory KiB | 4 passes | 16 salt | 12 nonce | AES-256-GCM(seed) and its 16-byte tag
//
// All in front of the ciphertext is its associated data. The passphrase is stretched as that of a history.

import { dirname } from "node:path";
import { aeadOpen, aeadSeal } from "../../shared/crypto/aead.ts";
import { decodeBase64, encodeBase64 } from "../../shared/base/base64.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { ConfigError, CryptoError } from "../../shared/base/errors.ts";
import { type DeviceKey, deviceKeyOf, PROOF_BYTES } from "../../shared/crypto/device_key.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import {
  DEFAULT_COST,
  isAcceptableCost,
  STRETCH_SALT_BYTES,
  type StretchCost,
  stretchPassphrase,
} from "../history/key_stretching.ts";
import { quotePath, syncFolderOf } from "../files/file_access.ts";
import { readTrustedFile } from "../files/trusted_file.ts";

const FILE_MAX_BYTES = 4_096;
const VERSION = 1;
const SALT_AT = 10;
const NONCE_AT = SALT_AT + STRETCH_SALT_BYTES;
const NONCE_BYTES = 12;
const SEALED_AT = NONCE_AT + NONCE_BYTES;
const SEALED_BYTES = SEALED_AT + PROOF_BYTES.key + 16;
// What PKCS#8 has before the 32 bytes of an Ed25519 seed (RFC 8410 §7).
const PKCS8 = Uint8Array.from([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32]);
const KINDS = { plain: "PRIVATE KEY", sealed: "CMDCHAT DEVICE KEY" } as const;

/** A key as its file has it: open, or to be opened with a passphrase. */
export type StoredDeviceKey =
  | { readonly kind: "open"; readonly key: DeviceKey }
  | { readonly kind: "sealed"; readonly bytes: Uint8Array };

/** The text of a key's file; with a passphrase nobody reads the key without it. */
export async function deviceKeyText(
  { seed }: DeviceKey,
  passphrase?: string,
  cost: StretchCost = DEFAULT_COST,
): Promise<string> {
  if (passphrase === undefined) return toPem("plain", concatBytes([PKCS8, seed]));
  const head = new Uint8Array(SEALED_AT);
  const view = new DataView(head.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, cost.lanes);
  view.setUint32(2, cost.memoryKib);
  view.setUint32(6, cost.passes);
  head.set(randomBytes(STRETCH_SALT_BYTES), SALT_AT);
  head.set(randomBytes(NONCE_BYTES), NONCE_AT);
  const out = new Uint8Array(PROOF_BYTES.key + 16);
  const key = await stretchPassphrase(passphrase, head.subarray(SALT_AT, NONCE_AT), cost);
  const context = { key, nonce: head.subarray(NONCE_AT), associatedData: head };
  aeadSeal("aes-256-gcm", context, { plaintext: seed, out });
  return toPem("sealed", concatBytes([head, out]));
}

function toPem(kind: keyof typeof KINDS, bytes: Uint8Array): string {
  const rows = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${KINDS[kind]}-----`, ...rows, `-----END ${KINDS[kind]}-----`, ""].join("\n");
}

function fromPem(text: string, kind: keyof typeof KINDS): Uint8Array | undefined {
  const label = KINDS[kind];
  const pem = new RegExp(
    `^\\s*-----BEGIN ${label}-----\\s+([A-Za-z0-9+/=\\s]+?)\\s+-----END ${label}-----\\s*$`,
  );
  const [, base64] = pem.exec(text) ?? [];
  return base64 === undefined ? undefined : decodeBase64(base64.replaceAll(/\s/g, ""));
}

/** Reads the key's file. Throws ConfigError, which holds no part of it. */
export async function readDeviceKey(path: string): Promise<StoredDeviceKey> {
  const trouble = `Cannot read the device key in ${quotePath(path)}`;
  const { bytes } = await readTrustedFile({ path, trouble, max: FILE_MAX_BYTES, isSecret: true });
  const text = new TextDecoder().decode(bytes);
  const plain = fromPem(text, "plain");
  if (plain !== undefined) {
    const isKey = plain.length === PKCS8.length + PROOF_BYTES.key &&
      PKCS8.every((byte, at) => plain[at] === byte);
    if (isKey) return { kind: "open", key: deviceKeyOf(plain.slice(PKCS8.length)) };
  }
  const sealed = fromPem(text, "sealed");
  if (sealed?.length === SEALED_BYTES && sealed[0] === VERSION) {
    return { kind: "sealed", bytes: sealed };
  }
  throw new ConfigError(`${trouble}: it must be what cmdchat-client keygen wrote`, {
    hint: "cmdchat-client keygen FILE makes a new one",
  });
}

/** Opens a key with its passphrase. Throws CryptoError for a wrong one, ConfigError for a file nobody made so. */
export async function openDeviceKey(bytes: Uint8Array, passphrase: string): Promise<DeviceKey> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cost = {
    lanes: view.getUint8(1),
    memoryKib: view.getUint32(2),
    passes: view.getUint32(6),
  };
  // Before anything is allocated: a file must not make this machine work for minutes.
  if (!isAcceptableCost(cost)) {
    throw new ConfigError("Cannot open the device key: its file asks for more work than allowed");
  }
  const key = await stretchPassphrase(passphrase, bytes.slice(SALT_AT, NONCE_AT), cost);
  const context = {
    key,
    nonce: bytes.subarray(NONCE_AT, SEALED_AT),
    associatedData: bytes.subarray(0, SEALED_AT),
  };
  try {
    return deviceKeyOf(new Uint8Array(aeadOpen("aes-256-gcm", context, bytes.subarray(SEALED_AT))));
  } catch (cause) {
    throw new CryptoError(
      "Cannot open the device key: the passphrase is wrong, or the file was changed",
      { cause },
    );
  }
}

/** Refuses a path where anything stands, before anybody thinks of a passphrase for nothing. Throws ConfigError. */
export async function refuseExisting(path: string): Promise<void> {
  const isThere = await Deno.lstat(path).then(() => true, () => false);
  if (isThere) throw isThereAlready(path);
}

/** Writes a new key's file for its owner alone. Throws ConfigError where anything stands at its place. */
export async function writeDeviceKey(
  path: string,
  text: string,
  { makesFolder = false }: { readonly makesFolder?: boolean } = {},
): Promise<void> {
  const trouble = `Cannot write the device key to ${quotePath(path)}`;
  try {
    if (makesFolder) await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw isThereAlready(path, cause);
    const why = cause instanceof Deno.errors.NotFound
      ? "its folder does not exist"
      : "the system refused";
    throw new ConfigError(`${trouble}: ${why}`, { cause });
  }
  await syncFolderOf(path);
}

function isThereAlready(path: string, cause?: unknown): ConfigError {
  return new ConfigError(
    `Cannot write the device key to ${
      quotePath(path)
    }: there is a file already, which is never overwritten`,
    { cause, hint: "name another FILE; a key that is overwritten cannot be made again" },
  );
}
