// How a session is left: the last word has to reach the server, whatever it is sending meanwhile.

import type { Clock } from "../base/clock.ts";
import { FAREWELL_MS, FAREWELL_SILENCE_MS } from "../base/limits.ts";
import type { Connection } from "../net/endpoint.ts";
import { ReadingPace } from "./frame_stream.ts";

/** What is left, and how. */
export interface Farewell {
  readonly connection: Connection;
  /** What the server still sends; read to its end and thrown away. */
  readonly frames: AsyncIterator<Uint8Array>;
  readonly clock: Clock;
  /** Says the last word. */
  readonly say: () => Promise<void>;
  /** Whether the server owes a sign of life: then it is not waited for. */
  readonly isSilent: boolean;
}

/**
 * Says the last word and ends the connection. A socket that is closed while bytes wait in it unread resets the
 * connection (RFC 2525 §2.17), and the server's system throws away what its program has not read. So the server closes
 * first, and until then all that it sends is read; a server that says nothing has a moment for that. Never throws.
 */
export async function sayFarewell(farewell: Farewell): Promise<void> {
  const { connection, frames, clock, say, isSilent } = farewell;
  const over = new AbortController();
  let heard = 0;
  const speak = async () => {
    await say();
    await connection.finishWriting();
  };
  const listen = async () => {
    const pace = new ReadingPace(clock);
    while ((await pace.next(frames)).done !== true) heard++;
    over.abort();
  };
  // A connection that cannot take the word, or breaks, has an end as well, and reading finds it.
  const spoken = speak().catch(() => {});
  listen().catch(() => over.abort());
  await Promise.race([spoken, clock.wait(FAREWELL_SILENCE_MS, over.signal)]);
  const until = clock.now() + (isSilent ? 0 : FAREWELL_MS);
  for (let before = -1; heard !== before && clock.now() < until && !over.signal.aborted;) {
    before = heard;
    await clock.wait(FAREWELL_SILENCE_MS, over.signal);
  }
  connection.close();
}
