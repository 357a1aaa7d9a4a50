// Session v2 a second time, for test vectors: written from docs/PROTOCOL.md with node:crypto, big integers and
// @noble/post-quantum, without a line of shared/. Slow, with every random value given from outside.

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  sign,
} from "node:crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

const X25519_PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");
const X25519_SPKI = Buffer.from("302a300506032b656e032100", "hex");
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** 32 bytes that depend on nothing but the label. */
export function fixedBytes(label: string): Buffer {
  return sha256(Buffer.from(`cmdchat v2 vectors: ${label}`));
}

export function sha256(...parts: Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** 4-byte length, then the bytes. */
export function frame(payload: Uint8Array): Buffer {
  return Buffer.concat([uint32(payload.length), payload]);
}

/** HKDF-Expand-Label for at most 32 bytes: one block of HMAC. */
function expandLabel(
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Buffer {
  const name = Buffer.from(`cmdchat2 ${label}`);
  const lengths = [Buffer.from([name.length]), Buffer.from([context.length])] as const;
  const info = [uint16(length), lengths[0], name, lengths[1], context];
  return hmac(secret, Buffer.concat([...info, Buffer.from([1])])).subarray(0, length);
}

export interface X25519Key {
  private: KeyObject;
  publicKey: Buffer;
}

export function x25519Key(raw: Uint8Array): X25519Key {
  const key = createPrivateKey({
    key: Buffer.concat([X25519_PKCS8, raw]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return { private: key, publicKey: Buffer.from(spki).subarray(X25519_SPKI.length) };
}

export function x25519(key: X25519Key, peer: Uint8Array): Buffer {
  const spki = Buffer.concat([X25519_SPKI, peer]);
  const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
  return diffieHellman({ privateKey: key.private, publicKey });
}

export interface Ed25519Key {
  private: KeyObject;
  publicKey: Buffer;
  pem: string;
}

export function ed25519Key(seed: Uint8Array): Ed25519Key {
  const key = createPrivateKey({
    key: Buffer.concat([ED25519_PKCS8, seed]),
    format: "der",
    type: "pkcs8",
  });
  const { x } = createPublicKey(key.export({ format: "pem", type: "pkcs8" })).export({
    format: "jwk",
  });
  const pem = key.export({ format: "pem", type: "pkcs8" }).toString();
  return { private: key, publicKey: Buffer.from(x ?? "", "base64url"), pem };
}

function mgf1(seed: Buffer, length: number): Buffer {
  const blocks = Array.from(
    { length: Math.ceil(length / 32) },
    (_, at) => sha256(seed, uint32(at)),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, at) => byte ^ (b[at] ?? 0)));
}

function modPow(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let power = base, left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = result * power % modulus;
    power = power * power % modulus;
  }
  return result;
}

/** RSAES-OAEP (RFC 8017 §7.1.1) with SHA-256, no label, and the seed given. */
export function rsaOaep(spkiPem: string, message: Uint8Array, seed: Buffer): Buffer {
  const jwk = createPublicKey(spkiPem).export({ format: "jwk" });
  const modulus = Buffer.from(jwk.n ?? "", "base64url");
  const padding = Buffer.alloc(modulus.length - message.length - 66);
  const block = Buffer.concat([sha256(), padding, Buffer.from([1]), message]);
  const maskedBlock = xor(block, mgf1(seed, block.length));
  const maskedSeed = xor(seed, mgf1(maskedBlock, 32));
  const toBig = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);
  const number = modPow(
    toBig(Buffer.concat([maskedSeed, maskedBlock])),
    toBig(Buffer.from(jwk.e ?? "", "base64url")),
    toBig(modulus),
  );
  return Buffer.from(number.toString(16).padStart(modulus.length * 2, "0"), "hex");
}

/** What a server chooses; every field can be made wrong before it is signed. */
export interface Choice {
  version: number;
  aead: string;
  x25519: Uint8Array;
  mlkem768: Uint8Array;
  identity: Uint8Array;
  encrypted_key: Uint8Array;
}

export function signChoice(key: Ed25519Key, clientFrame: Uint8Array, choice: Choice): Buffer {
  const fields = Buffer.concat([
    uint16(choice.version),
    Buffer.from([choice.aead.length]),
    Buffer.from(choice.aead),
    choice.x25519,
    choice.mlkem768,
    choice.identity,
    uint16(choice.encrypted_key.length),
    choice.encrypted_key,
  ]);
  const context = Buffer.from(" ".repeat(64) + "cmdchat v2 server\0");
  return sign(null, Buffer.concat([context, sha256(clientFrame, fields)]), key.private);
}

/** The answer before it is text. */
export interface AnswerMessage extends Record<string, unknown> {
  v2: Record<string, unknown>;
}

/** The answer as a JSON value; what a case wants to break, it breaks afterwards. */
export function answerMessage(choice: Choice, signature: Uint8Array): AnswerMessage {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return {
    type: "handshake_ok",
    encrypted_key: base64(choice.encrypted_key),
    v2: {
      version: choice.version,
      aead: choice.aead,
      x25519: base64(choice.x25519),
      mlkem768: base64(choice.mlkem768),
      identity: base64(choice.identity),
      signature: base64(signature),
    },
  };
}

export interface TrafficSecrets {
  client: Buffer;
  server: Buffer;
}

export function trafficSecrets(
  frames: readonly [Uint8Array, Uint8Array],
  secrets: { mlkem768: Uint8Array; x25519: Uint8Array; rsa: Uint8Array },
): { transcript: Buffer; master: Buffer; challenge: Buffer } & TrafficSecrets {
  const transcript = sha256(...frames);
  const joined = Buffer.concat([secrets.mlkem768, secrets.x25519, secrets.rsa]);
  const master = hmac(transcript, joined);
  return {
    transcript,
    master,
    client: expandLabel(master, "c traffic", transcript, 32),
    server: expandLabel(master, "s traffic", transcript, 32),
    challenge: expandLabel(master, "challenge", transcript, 32),
  };
}

/** Key pair of ML-KEM-768 from d || z, and encapsulation with the message given. */
export function mlkemKey(seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
  return ml_kem768.keygen(new Uint8Array(seed));
}

export function mlkemEncapsulate(
  publicKey: Uint8Array,
  message: Uint8Array,
): { cipherText: Uint8Array; sharedSecret: Uint8Array } {
  return ml_kem768.encapsulate(new Uint8Array(publicKey), new Uint8Array(message));
}

/** Seals the records of one direction, in order. */
export class RecordWriter {
  readonly aead: string;
  secret: Buffer;
  counter = 0n;

  constructor(aead: string, secret: Buffer) {
    this.aead = aead;
    this.secret = secret;
  }

  keys(): { key: Buffer; iv: Buffer } {
    const none = Buffer.alloc(0);
    return {
      key: expandLabel(this.secret, "key", none, 32),
      iv: expandLabel(this.secret, "iv", none, 12),
    };
  }

  /** The record with its header. Flag 1 moves the key on afterwards; other flags are against the rules. */
  seal(content: Uint8Array, flags = 0): Buffer {
    const { key, iv } = this.keys();
    const counter = Buffer.alloc(12);
    counter.writeBigUInt64BE(this.counter++, 4);
    const options = { authTagLength: 16 };
    const cipher = createCipheriv(this.aead as "aes-256-gcm", key, xor(iv, counter), options);
    const plaintext = Buffer.concat([Buffer.from([flags]), content]);
    const header = uint32(plaintext.length + 16);
    cipher.setAAD(header);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    if (flags === 1) this.moveOn();
    return Buffer.concat([header, sealed, cipher.getAuthTag()]);
  }

  moveOn(): void {
    this.secret = expandLabel(this.secret, "traffic upd", Buffer.alloc(0), 32);
    this.counter = 0n;
  }
}
