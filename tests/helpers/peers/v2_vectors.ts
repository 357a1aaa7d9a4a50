// The vectors in tests/vectors/v2_*.json with their types, and which class of failure an error is.

import { CryptoError, LimitError, ProtocolError } from "../../../shared/base/errors.ts";
import { HandshakeError, IdentityError } from "../../../shared/channel/handshake_error.ts";

/** One finished handshake with everything that is derived from it; byte strings are hex. */
export interface SessionVector {
  name: string;
  aead: "aes-256-gcm" | "chacha20-poly1305";
  first_frame: string;
  answer_frame: string;
  mlkem768_secret: string;
  x25519_secret: string;
  rsa_secret: string;
  transcript_hash: string;
  client_traffic_secret: string;
  server_traffic_secret: string;
  challenge: string;
  client_key: string;
  client_iv: string;
  server_key: string;
  server_iv: string;
  first_client_record: string;
  first_server_record: string;
}

/** A message with one fault. */
export interface FaultyMessage {
  name: string;
  failure: string;
  payload?: string;
  payload_hex?: string;
  first_message?: string;
}

/** tests/vectors/v2_handshake.json. */
export interface HandshakeVectors {
  client: { rsa_pkcs8_pem: string; x25519_private: string; mlkem768_seed: string };
  server: { identity_pem: string; fingerprint: string };
  first_message: string;
  sessions: SessionVector[];
  bad_first_messages: FaultyMessage[];
  bad_answers: FaultyMessage[];
  diverging_answers: FaultyMessage[];
}

/** tests/vectors/v2_records.json. */
export interface RecordVectors {
  client_traffic_secret: string;
  server_traffic_secret: string;
  rekey_records: number;
  streams: Array<{ aead: SessionVector["aead"]; contents: string[]; records: string[] }>;
  faults: Array<{ name: string; aead: SessionVector["aead"]; failure: string; records: string[] }>;
}

/** A byte string as hex texts and runs of one byte. */
export type Parts = Array<string | [byte: number, times: number]>;

/** tests/vectors/v2_batches.json. */
export interface BatchVectors {
  good: Array<{ name: string; contents: Parts[]; bodies: Parts[] }>;
  bad: Array<{ name: string; failure: string; max_bytes?: number; contents: Parts[] }>;
}

/** Reads a file of tests/vectors/. */
export async function readVectors<T>(name: string): Promise<T> {
  return JSON.parse(
    await Deno.readTextFile(new URL(`../../vectors/${name}`, import.meta.url)),
  ) as T;
}

/** The bytes of a message with one fault. */
export function payloadOf({ payload, payload_hex }: FaultyMessage): Uint8Array {
  return payload === undefined ? fromHex(payload_hex ?? "") : new TextEncoder().encode(payload);
}

/** Bytes of hex text. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Hex text of bytes. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The failure class that an error stands for, as the vectors name it. */
export function failureOf(error: unknown): string {
  if (error instanceof HandshakeError) return error.failure;
  if (error instanceof IdentityError) return "pin";
  if (error instanceof LimitError) return "limit";
  if (error instanceof CryptoError) return "auth";
  return error instanceof ProtocolError ? "format" : `unexpected: ${error}`;
}
