// Writes the page in pieces: a browser that does not read keeps one piece in memory, not the whole page.

import { PAGE_DEADLINE_MS } from "../config/limits.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";

const PIECE_BYTES = 16_384;

/** An answer in HTTP. */
export interface PageAnswer {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

/** Writes an answer; stops after `deadlineMs`, or when the browser leaves. */
export async function sendPage(
  connection: Connection,
  { head, body }: PageAnswer,
  { deadlineMs = PAGE_DEADLINE_MS }: { readonly deadlineMs?: number } = {},
): Promise<void> {
  const timer = setTimeout(() => connection.close(), deadlineMs);
  try {
    await connection.write(head);
    for (let at = 0; at < body.length; at += PIECE_BYTES) {
      await connection.write(body.subarray(at, at + PIECE_BYTES));
    }
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error;
  } finally {
    clearTimeout(timer);
  }
}
