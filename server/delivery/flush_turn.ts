// What outboxes have to write at the end of a turn: many seal, then all of these write. Sealing and writing one outbox
// after another would take a tenth more of the processor, since both push each other out of its caches.

/** Something that writes in two steps, neither of which throws. */
export interface Flushing {
  /** Makes the bytes, and returns how many. */
  seal(): number;
  /** Hands them to the connection. */
  write(): void;
}

/**
 * Bytes that are sealed before the first of them are written: one message for 250 members. They are still in the caches
 * then, and where much waits for each client, no client waits for the sealing of all others.
 */
export const FLUSH_GROUP_BYTES = 48 * 1_024;

let due: Flushing[] = [];

/** Makes `flushing` seal and write at the end of this turn, after those that asked before. */
export function flushSoon(flushing: Flushing): void {
  // One microtask later: what one read of a sender brings in shares one write.
  if (due.push(flushing) === 1) queueMicrotask(flushAll);
}

function flushAll(): void {
  const all = due;
  due = [];
  for (let end = 0; end < all.length;) {
    const start = end;
    for (let bytes = 0; end < all.length && bytes < FLUSH_GROUP_BYTES; end++) {
      bytes += (all[end] as Flushing).seal();
    }
    for (let at = start; at < end; at++) (all[at] as Flushing).write();
  }
}
