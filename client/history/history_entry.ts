// The entries of a history: their shape and their JSON.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
import * as z from "zod";

/** The schema of an entry. */
export const HISTORY_ENTRY_SCHEMA = z.looseObject({
  kind: z.enum(["chat", "system", "file"]),
  time: z.iso.datetime(),
  room: z.string(),
  sender: z.string().optional(),
  text: z.string(),
  sequence: z.number().int().nonnegative().optional(),
  sealed: z.boolean().optional(),
});

/** One line of the local history. `time` is ISO 8601 UTC ending in `Z`; fields of newer versions are kept. */
export interface HistoryEntry {
  readonly kind: "chat" | "system" | "file";
  readonly time: string;
  readonly room: string;
  readonly sender?: string;
  readonly text: string;
  readonly sequence?: SequenceNumber;
  /** Whether it is from a sealed room, which the server cannot read. */
  readonly sealed?: boolean;
}

/** UTF-8 JSON of an entry. */
export function encodeEntry(entry: HistoryEntry): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(entry));
}

/** The entry in a decrypted record, or undefined if this version does not know its shape. */
export function decodeEntry(plaintext: Uint8Array): HistoryEntry | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(plaintext);
    const parsed = HISTORY_ENTRY_SCHEMA.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data as HistoryEntry : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
