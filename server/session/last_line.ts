// The end of a connection whose client is to read what was written for it.

import type { EventWriter } from "../delivery/event_writer.ts";

// A peer that broke the protocol, or a server that stops, has this long for its last line.
const LAST_LINE_MS = 1_000;

/** A client that moves to another server has so long to read the rest. */
export const DEPART_MS = 5_000;

/** Closes once all is written, or after `patienceMs`. */
export async function closeOnceWritten(
  writer: EventWriter,
  patienceMs = LAST_LINE_MS,
): Promise<void> {
  const timer = setTimeout(() => writer.close(), patienceMs);
  await writer.drained();
  clearTimeout(timer);
  writer.close();
}
