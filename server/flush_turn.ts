// What outboxes have to write at the end of a turn: many seal, then all of these write. One after another they would
// take a tenth more of the processor, since sealing and writing push each other out of its caches.

/** Something that writes in two steps, neither of which throws. */
export interface Flushing {
  /** Makes the bytes. */
  seal(): void;
  /** Hands them to the link. */
  write(): void;
}

/** So many at once: what they sealed is still near when it is written, and nobody waits for a thousand others. */
export const FLUSH_GROUP = 256;

let due: Flushing[] = [];

/** Has `flushing` seal and write at the end of this turn, behind those that asked before. */
export function flushSoon(flushing: Flushing): void {
  // One microtask later: what one read of a sender brings in shares one write.
  if (due.push(flushing) === 1) queueMicrotask(flushAll);
}

function flushAll(): void {
  const all = due;
  due = [];
  for (let start = 0; start < all.length; start += FLUSH_GROUP) {
    const group = all.slice(start, start + FLUSH_GROUP);
    for (const flushing of group) flushing.seal();
    for (const flushing of group) flushing.write();
  }
}
