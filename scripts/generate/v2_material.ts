// What all vectors of the handshake are made from: fixed keys, messages that work, and ways to break them.

import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey } from "node:crypto";
import {
  answerMessage,
  type Choice,
  ed25519Key,
  fixedBytes,
  frame,
  mlkemEncapsulate,
  mlkemKey,
  rsaOaep,
  sha256,
  signChoice,
  x25519Key,
} from "./v2_reference.ts";

/** The fixed keys in tests/vectors/v2_inputs.json. */
export interface Inputs {
  client_rsa_pkcs8_pem: string;
  other_rsa_spki_pem: string;
  rsa_1024_spki_pem: string;
}

/** An unchecked JSON object. */
export type Json = Record<string, unknown>;
/** Breaks a message in place, or gives what to send in its stead. */
export type Change = (message: Json & { v2: Json }) => unknown;
/** What makeMaterial() gives. */
export type Material = ReturnType<typeof makeMaterial>;

/** A message with one fault; `payload` is its text, or `payload_hex` where it is no UTF-8. */
export interface FaultyMessage {
  name: string;
  failure: string;
  payload?: string;
  payload_hex?: string;
  /** The client's message that is answered, when it is not `first_message`. */
  first_message?: string;
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
export const utf8 = (message: unknown): Buffer => Buffer.from(JSON.stringify(message));

/** Points of order 1, 2, 4 and 8 of curve25519 and of its twist, two also above the prime: all-zero secrets. */
export const LOW_ORDER_SHARES = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

export const put = (name: string, value: unknown): Change => ({ v2 }) => void (v2[name] = value);
export const drop = (name: string): Change => ({ v2 }) => void delete v2[name];
export const resized = (bytes: Uint8Array, by: number): string =>
  base64(by < 0 ? bytes.subarray(0, by) : Buffer.concat([bytes, Buffer.alloc(by)]));
export const flipped = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.map((byte, at) => at === 5 ? byte ^ 1 : byte));

export function faulty(name: string, failure: string, message: unknown): FaultyMessage {
  const payload = message instanceof Uint8Array ? Buffer.from(message) : utf8(message);
  const text = payload.toString();
  const isText = Buffer.from(text).equals(payload);
  return { name, failure, ...(isText ? { payload: text } : { payload_hex: hex(payload) }) };
}

// deno-lint-ignore explicit-module-boundary-types -- the type is what it returns
export function makeMaterial(inputs: Inputs) {
  const rsaPem = createPublicKey(createPrivateKey(inputs.client_rsa_pkcs8_pem))
    .export({ format: "pem", type: "spki" }).toString();
  const clientX25519 = fixedBytes("client x25519");
  const clientShare = x25519Key(clientX25519);
  const seed = Buffer.concat([fixedBytes("mlkem d"), fixedBytes("mlkem z")]);
  const kem = mlkemKey(seed);
  const identity = ed25519Key(fixedBytes("server identity"));
  const attacker = ed25519Key(fixedBytes("attacker identity"));
  const serverShare = x25519Key(fixedBytes("server x25519"));
  const fingerprint = `SHA256:${sha256(identity.publicKey).toString("base64url")}`;
  const rsaSecret = fixedBytes("rsa secret");
  const { cipherText, sharedSecret } = mlkemEncapsulate(kem.publicKey, fixedBytes("mlkem message"));

  function firstMessage(aeads: readonly string[] = ["chacha20-poly1305", "aes-256-gcm"]) {
    const shares = { x25519: base64(clientShare.publicKey), mlkem768: base64(kem.publicKey) };
    return {
      type: "handshake",
      public_key: rsaPem,
      v2: { versions: [2, 2], aeads, ...shares } as Json,
    };
  }

  function wrap(secret: Uint8Array, pem = rsaPem): Buffer {
    return rsaOaep(pem, secret, fixedBytes("oaep seed"));
  }

  function choice(changes: Partial<Choice> = {}): Choice {
    return {
      version: 2,
      aead: "aes-256-gcm",
      x25519: serverShare.publicKey,
      mlkem768: cipherText,
      identity: identity.publicKey,
      encrypted_key: wrap(rsaSecret),
      ...changes,
    };
  }

  const first = utf8(firstMessage());
  const onlyGcm = utf8(firstMessage(["aes-256-gcm"]));

  function signed(changes: Partial<Choice> = {}, key = identity, clientPayload = first) {
    const chosen = choice(changes);
    return answerMessage(chosen, signChoice(key, frame(clientPayload), chosen));
  }

  return {
    inputs,
    rsaPem,
    clientX25519,
    clientShare,
    seed,
    kem,
    identity,
    attacker,
    serverShare,
    fingerprint,
    rsaSecret,
    cipherText,
    sharedSecret,
    firstMessage,
    wrap,
    first,
    onlyGcm,
    signed,
  };
}
