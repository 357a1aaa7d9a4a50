// The cipher suite of sealed rooms, MLS 0x0001 (RFC 9420 §17.1): HPKE (RFC 9180) over X25519, AES-128-GCM,
// SHA-256 and Ed25519. Synchronous, since a tiny call of WebCrypto costs more than what it does (docs/adr tells what that
// gives for joins and messages). Checked against the vectors of RFC 9420.

import { type AeadContext, openAead, sealAead } from "#platform/aead.ts";
import { equalBytes, equalSecrets } from "#platform/bytes.ts";
import {
  ed25519PublicKey,
  ed25519Sign,
  ed25519Verify,
  x25519PublicKey,
  x25519Secret,
} from "#platform/curves.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { HASH_BYTES, hkdfExpand, hkdfExtract, sha256 } from "../../shared/crypto/hkdf.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { CryptoError } from "../../shared/base/errors.ts";

/** Bytes of a key of X25519 or Ed25519, public or private. */
export const CURVE_KEY_BYTES = 32;
/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

const AEAD_KEY_BYTES = 16;
const AEAD_NONCE_BYTES = 12;
const AEAD_TAG_BYTES = 16;
const NOTHING = new Uint8Array();

const utf8 = new TextEncoder();

/** A private key of X25519; its public one is computed when somebody asks, which on a tree's path nobody does. */
export interface HpkePrivateKey {
  readonly type: "private";
  readonly raw: Uint8Array;
}

/** A public key of X25519: its bytes, or the private key that it belongs to. */
export interface HpkePublicKey {
  readonly type: "public";
  readonly of: Uint8Array | HpkePrivateKey;
}

/** Raw key pair of Ed25519; the private key is the 32-byte seed (RFC 8032 §5.1.5). */
export interface SignatureKeys {
  readonly publicKey: Uint8Array;
  readonly signKey: Uint8Array;
}

function refused(cause?: unknown): CryptoError {
  return new CryptoError("Cannot use what another member sent: it does not fit", { cause });
}

function rawPublic(key: HpkePublicKey): Uint8Array {
  return key.of instanceof Uint8Array ? key.of : x25519PublicKey(key.of.raw);
}

function x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== CURVE_KEY_BYTES) throw refused();
  const secret = x25519Secret(privateKey, publicKey);
  // RFC 9180 §7.1.4: a key of low order would force a secret that anyone knows.
  if (secret.every((byte) => byte === 0)) throw refused();
  return secret;
}

const KEM_SUITE = concatBytes([utf8.encode("KEM"), Uint8Array.of(0x00, 0x20)]);
const HPKE_SUITE = concatBytes([utf8.encode("HPKE"), Uint8Array.of(0, 0x20, 0, 1, 0, 1)]);
const HPKE_VERSION = utf8.encode("HPKE-v1");

interface Labelled {
  readonly suite: Uint8Array;
  readonly label: string;
}

function labelledExtract(salt: Uint8Array, { suite, label }: Labelled, key: Uint8Array) {
  return hkdfExtract(salt, concatBytes([HPKE_VERSION, suite, utf8.encode(label), key]));
}

function labelledExpand(
  secret: Uint8Array,
  { suite, label }: Labelled,
  { info, length }: { readonly info: Uint8Array; readonly length: number },
): Uint8Array {
  const size = Uint8Array.of(length >> 8, length & 0xff);
  const whole = concatBytes([size, HPKE_VERSION, suite, utf8.encode(label), info]);
  return hkdfExpand(secret, whole, length);
}

const kem = (label: string): Labelled => ({ suite: KEM_SUITE, label });
const hpke = (label: string): Labelled => ({ suite: HPKE_SUITE, label });

/** DeriveKeyPair() of DHKEM(X25519), RFC 9180 §7.1.3. */
function derivePrivateKey(seed: Uint8Array): HpkePrivateKey {
  const secret = labelledExtract(NOTHING, kem("dkp_prk"), seed);
  const raw = labelledExpand(secret, kem("sk"), { info: NOTHING, length: CURVE_KEY_BYTES });
  return { type: "private", raw };
}

function sharedSecret(dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const secret = labelledExtract(NOTHING, kem("eae_prk"), dh);
  const info = concatBytes([enc, recipient]);
  return labelledExpand(secret, kem("shared_secret"), { info, length: HASH_BYTES });
}

function encapsulate(recipient: Uint8Array): { enc: Uint8Array; secret: Uint8Array } {
  const ephemeral = randomBytes(CURVE_KEY_BYTES);
  const enc = x25519PublicKey(ephemeral);
  const secret = sharedSecret(x25519(ephemeral, recipient), enc, recipient);
  ephemeral.fill(0);
  return { enc, secret };
}

function decapsulate(recipient: HpkePrivateKey, enc: Uint8Array): Uint8Array {
  const own = rawPublic({ type: "public", of: recipient });
  return sharedSecret(x25519(recipient.raw, enc), enc, own);
}

interface HpkeContext {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly exporter: Uint8Array;
}

const PSK_ID_HASH = labelledExtract(NOTHING, hpke("psk_id_hash"), NOTHING);

/** KeySchedule() in base mode, RFC 9180 §5.1. */
function keySchedule(shared: Uint8Array, info: Uint8Array): HpkeContext {
  const infoHash = labelledExtract(NOTHING, hpke("info_hash"), info);
  const context = concatBytes([Uint8Array.of(0), PSK_ID_HASH, infoHash]);
  const secret = labelledExtract(shared, hpke("secret"), NOTHING);
  const expand = (label: string, length: number) =>
    labelledExpand(secret, hpke(label), { info: context, length });
  return {
    key: expand("key", AEAD_KEY_BYTES),
    nonce: expand("base_nonce", AEAD_NONCE_BYTES),
    exporter: expand("exp", HASH_BYTES),
  };
}

const AEAD = "aes-128-gcm";

function aeadSeal(context: AeadContext, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
  sealAead(AEAD, context, { plaintext, out });
  return out;
}

function aeadOpen(context: AeadContext, sealed: Uint8Array): Uint8Array {
  if (sealed.length < AEAD_TAG_BYTES) throw refused();
  try {
    return new Uint8Array(openAead(AEAD, context, sealed));
  } catch (cause) {
    throw refused(cause);
  }
}

// Asynchronous by the library's interface alone; a throw becomes a rejection.
const hash = {
  digest: async (data: Uint8Array) => await sha256(data),
  // HKDF-Extract is HMAC (RFC 5869 §2.2).
  mac: async (key: Uint8Array, data: Uint8Array) => await hkdfExtract(key, data),
  verifyMac: async (key: Uint8Array, mac: Uint8Array, data: Uint8Array) =>
    await (equalSecrets(hkdfExtract(key, data), mac)),
};

const kdf = {
  size: HASH_BYTES,
  extract: async (salt: Uint8Array, key: Uint8Array) => await hkdfExtract(salt, key),
  expand: async (secret: Uint8Array, info: Uint8Array, length: number) =>
    await hkdfExpand(secret, info, length),
};

/** A fresh signature key pair. */
export function generateSignatureKeys(): SignatureKeys {
  return signatureKeysOf(randomBytes(CURVE_KEY_BYTES));
}

/** The signature key pair of a 32-byte seed. */
export function signatureKeysOf(seed: Uint8Array): SignatureKeys {
  return { signKey: seed, publicKey: ed25519PublicKey(seed) };
}

/** The 64-byte Ed25519 signature of a message by a seed. */
export function signBytes(signKey: Uint8Array, message: Uint8Array): Uint8Array {
  return ed25519Sign(signKey, message);
}

/** Whether a signature is that key's; false too for what is no key. */
export function verifyBytes(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    return ed25519Verify(publicKey, message, signature);
  } catch {
    return false; // No point of the curve: nobody can have signed with it.
  }
}

const signature = {
  sign: async (signKey: Uint8Array, message: Uint8Array) => await signBytes(signKey, message),
  verify: async (publicKey: Uint8Array, message: Uint8Array, signed: Uint8Array) =>
    await verifyBytes(publicKey, message, signed),
  keygen: async () => await generateSignatureKeys(),
};

function pairOf(privateKey: HpkePrivateKey) {
  return { privateKey, publicKey: { type: "public", of: privateKey } as HpkePublicKey };
}

function checked<T>(raw: Uint8Array, make: (raw: Uint8Array) => T): T {
  if (raw.length !== CURVE_KEY_BYTES) throw refused();
  return make(raw);
}

const hpkeImpl = {
  keyLength: AEAD_KEY_BYTES,
  nonceLength: AEAD_NONCE_BYTES,
  seal: async (key: HpkePublicKey, plaintext: Uint8Array, info: Uint8Array, aad = NOTHING) =>
    await hpkeSeal(rawPublic(key), { info, aad }, plaintext),
  open: async (
    key: HpkePrivateKey,
    enc: Uint8Array,
    ciphertext: Uint8Array,
    info: Uint8Array,
    aad = NOTHING,
  ) => await hpkeOpen(key, { info, aad }, { enc, ct: ciphertext }),
  exportSecret: async (
    key: HpkePublicKey,
    context: Uint8Array,
    length: number,
    info: Uint8Array,
  ) => {
    const { enc, secret } = await encapsulate(rawPublic(key));
    const { exporter } = keySchedule(secret, info);
    return { enc, secret: labelledExpand(exporter, hpke("sec"), { info: context, length }) };
  },
  importSecret: async (
    key: HpkePrivateKey,
    context: Uint8Array,
    enc: Uint8Array,
    length: number,
    info: Uint8Array,
  ) => {
    const { exporter } = keySchedule(await decapsulate(key, enc), info);
    return labelledExpand(exporter, hpke("sec"), { info: context, length });
  },
  importPrivateKey: async (raw: Uint8Array) =>
    await checked(raw, (raw): HpkePrivateKey => ({ type: "private", raw })),
  importPublicKey: async (raw: Uint8Array) =>
    await checked(raw, (raw): HpkePublicKey => ({ type: "public", of: raw })),
  exportPrivateKey: async (key: HpkePrivateKey) => await key.raw,
  exportPublicKey: async (key: HpkePublicKey) => await rawPublic(key),
  encryptAead: async (
    key: Uint8Array,
    nonce: Uint8Array,
    associatedData: Uint8Array = NOTHING,
    plaintext: Uint8Array,
  ) => await aeadSeal({ key, nonce, associatedData }, plaintext),
  decryptAead: async (
    key: Uint8Array,
    nonce: Uint8Array,
    associatedData: Uint8Array = NOTHING,
    ciphertext: Uint8Array,
  ) => await aeadOpen({ key, nonce, associatedData }, ciphertext),
  deriveKeyPair: async (seed: Uint8Array) => await pairOf(derivePrivateKey(seed)),
  generateKeyPair: async () => await pairOf(derivePrivateKey(randomBytes(CURVE_KEY_BYTES))),
};

/** What HPKE binds besides the plaintext. */
export interface HpkeBinding {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
}

/** A single-shot HPKE message (RFC 9180 §6.1): the encapsulated key, 32 bytes, and the ciphertext. */
export interface HpkeMessage {
  readonly enc: Uint8Array;
  readonly ct: Uint8Array;
}

/** Seals to a raw X25519 key, base mode. */
export function hpkeSeal(
  recipient: Uint8Array,
  { info, aad }: HpkeBinding,
  plaintext: Uint8Array,
): HpkeMessage {
  const { enc, secret } = encapsulate(recipient);
  const { key, nonce } = keySchedule(secret, info);
  return { enc, ct: aeadSeal({ key, nonce, associatedData: aad }, plaintext) };
}

/** Opens what hpkeSeal() sealed. Throws CryptoError with one text for every fault. */
export function hpkeOpen(
  recipient: HpkePrivateKey,
  { info, aad }: HpkeBinding,
  { enc, ct }: HpkeMessage,
): Uint8Array {
  const { key, nonce } = keySchedule(decapsulate(recipient, enc), info);
  return aeadOpen({ key, nonce, associatedData: aad }, ct);
}

/** The suite in the shape that the group library asks for. */
export const MLS_CRYPTO = {
  name: "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
  hash,
  kdf,
  signature,
  hpke: hpkeImpl,
  rng: { randomBytes: (length: number) => randomBytes(length) },
} as const;

const PROBE = new Uint8Array(CURVE_KEY_BYTES).fill(0x42);

/** Whether a raw X25519 key can be encrypted to: its size is right and its order not low. */
export function isUsableHpkeKey(raw: Uint8Array): boolean {
  try {
    x25519(PROBE, raw);
    return true;
  } catch {
    return false; // The only question asked here.
  }
}

/** Whether a raw X25519 key is the public one of a private key; false where there is no private key. */
export function isPairOf(privateKey: Uint8Array | undefined, publicKey: Uint8Array): boolean {
  return privateKey !== undefined && equalBytes(x25519PublicKey(privateKey), publicKey);
}
