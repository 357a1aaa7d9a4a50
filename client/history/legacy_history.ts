// The history file of v1 clients: {"salt","nonce","ciphertext"} in base64, a whole list of server payloads under
// AES-256-GCM with a key from PBKDF2-HMAC-SHA-256. Read only; docs/PROTOCOL.md has the payloads.

import { Buffer } from "node:buffer";
import * as z from "zod";
import type { HistoryEntry } from "./history_entry.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The old format is one JSON text and has to be read whole; a larger file is refused. */
export const MAX_LEGACY_BYTES = 67_108_864;

/** Fixed by the old format. */
const PBKDF2_ROUNDS = 200_000;

const envelopeSchema = z.object({ salt: z.base64(), nonce: z.base64(), ciphertext: z.base64() });

const payloadSchema = z.looseObject({
  type: z.enum(["chat", "system", "file_init"]),
  timestamp: z.string().optional(),
  room: z.string().optional(),
  sender: z.string().optional(),
  message: z.string().optional(),
  filename: z.string().optional(),
  sequence: z.number().int().nonnegative().optional(),
});

const KINDS = { chat: "chat", system: "system", file_init: "file" } as const;

/** The three parts of an old file, decoded; nothing in it is authenticated yet. */
export interface LegacyEnvelope {
  readonly salt: Bytes;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
}

/** Content of an old file. `skipped` counts payloads that are not messages: pings, file chunks, unknown kinds. */
export interface LegacyContent {
  readonly entries: HistoryEntry[];
  readonly skipped: number;
}

/** True if a file that starts with these bytes can have the old format. */
export function looksLegacy(start: Uint8Array): boolean {
  return /^\s*\{/.test(new TextDecoder().decode(start.subarray(0, 64)));
}

/** The envelope of an old file, or undefined if the bytes are not one. */
export function parseLegacyEnvelope(bytes: Uint8Array): LegacyEnvelope | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) return undefined;
  const { salt, nonce, ciphertext } = parsed.data;
  const envelope = { salt: decode(salt), nonce: decode(nonce), ciphertext: decode(ciphertext) };
  // AES-GCM's sizes: a 96-bit nonce and at least the tag.
  return envelope.nonce.length === 12 && envelope.ciphertext.length >= 16 ? envelope : undefined;
}

/** The messages of an old file, or undefined if the passphrase is wrong. */
export async function openLegacyEnvelope(
  envelope: LegacyEnvelope,
  passphrase: string,
): Promise<LegacyContent | undefined> {
  const key = await legacyKey(envelope.salt, passphrase);
  const { nonce, ciphertext } = envelope;
  try {
    const algorithm = { name: "AES-GCM", iv: nonce };
    const plaintext = await crypto.subtle.decrypt(algorithm, key, ciphertext);
    return convert(JSON.parse(new TextDecoder().decode(plaintext)));
  } catch (error) {
    if (error instanceof DOMException || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function legacyKey(salt: Bytes, passphrase: string): Promise<CryptoKey> {
  const raw = new TextEncoder().encode(passphrase);
  const base = await crypto.subtle.importKey("raw", raw, "PBKDF2", false, ["deriveKey"]);
  return await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ROUNDS },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["decrypt"],
  );
}

function convert(list: unknown): LegacyContent {
  const payloads = Array.isArray(list) ? list : [list];
  const entries: HistoryEntry[] = [];
  // A payload without a usable time gets the time of the one before it, so that the order stays.
  let time = "1970-01-01T00:00:00Z";
  for (const payload of payloads) {
    const parsed = payloadSchema.safeParse(payload);
    if (!parsed.success) continue;
    time = usableTime(parsed.data.timestamp) ?? time;
    entries.push(toEntry(parsed.data, time));
  }
  return { entries, skipped: payloads.length - entries.length };
}

function toEntry(payload: z.infer<typeof payloadSchema>, time: string): HistoryEntry {
  const { type, timestamp: _, message, room, ...rest } = payload;
  return {
    ...rest,
    kind: KINDS[type],
    time,
    room: room ?? "",
    text: message ?? payload.filename ?? "",
  } as HistoryEntry;
}

function usableTime(timestamp: string | undefined): string | undefined {
  if (timestamp === undefined) return undefined;
  if (z.iso.datetime().safeParse(timestamp).success) return timestamp;
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function decode(base64: string): Bytes {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}
