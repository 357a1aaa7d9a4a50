// What outboxes have to write at the end of a turn: many seal, then all of these write. One after another they would
// take a tenth more of the processor, since sealing and writing push each other out of its caches.

/** Something that writes in two steps, neither of which throws. */
export interface Flushing {
  /** Makes the bytes; says how many. */
  seal(): number;
  /** Hands them to the link. */
  write(): void;
}

/**
 * Bytes that are sealed before the first of them are written: one message for 250 members. What was sealed is still
 * near then, and where much waits for each nobody waits for the others' sealing.
 */
export const FLUSH_GROUP_BYTES = 48 * 1_024;

let due: Flushing[] = [];

/** Has `flushing` seal and write at the end of this turn, behind those that asked before. */
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
