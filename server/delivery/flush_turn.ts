// What outboxes have to write at the end of a turn: many seal, then all of these write. Sealing and writing one outbox
// after another would take a tenth more of the processor, since both push each other out of its caches.
//
// Outboxes for which much waits stand in a line of their own, which takes its part of each turn of the thread: a flood
// into sixty of them is megabytes to seal, and must not delay a line of talk elsewhere.

import { TURN_MS } from "../config/limits.ts";
import { threadTurns } from "../limits/thread_turns.ts";

/** Something that writes in two steps, neither of which throws. */
export interface Flushing {
  /** Whether more waits than a few lines. */
  readonly isHeavy: boolean;
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
let heavy: Flushing[] = [];
let filled = 0;

/** Makes `flushing` seal and write at the end of this turn, after those that asked before and have as little to write. */
export function flushSoon(flushing: Flushing): void {
  // One microtask later: what one read of a sender brings in shares one write.
  if (due.push(flushing) === 1) queueMicrotask(flushDue);
}

/** Calls `work` once those have written for which little waits and which ask in this turn: nobody waits for it. */
export function afterFlush(work: () => void): void {
  // One microtask later a flush may be due that was not asked for when this was; it is done in the second.
  queueMicrotask(() => queueMicrotask(work));
}

/** Notes that something was queued where more than a few lines wait. */
export function noteFilled(): void {
  filled++;
}

/** How often that was so. Whoever queues nothing of this kind adds nothing to what heavy ones have to write. */
export function filledSoFar(): number {
  return filled;
}

/** Resolves when all that are heavy now have written; undefined where none is. */
export function heavyFlushed(): Promise<void> | undefined {
  if (heavy.length === 0) return undefined;
  return new Promise((resolve) => {
    heavy.push({ isHeavy: true, seal: () => 0, write: resolve });
  });
}

function flushDue(): void {
  const all = due;
  due = [];
  const prompt: Flushing[] = [];
  const wasIdle = heavy.length === 0;
  for (const each of all) (each.isHeavy ? heavy : prompt).push(each);
  for (let at = 0; at < prompt.length;) at = flushGroup(prompt, at, Infinity);
  if (wasIdle && heavy.length > 0) void flushHeavy();
}

/** Flushes the heavy ones, TURN_MS in each turn. */
async function flushHeavy(): Promise<void> {
  for (;;) {
    threadTurns.begin();
    const until = performance.now() + TURN_MS;
    let at = 0;
    // Those that ask meanwhile stand at the end: here, and not in another call.
    do at = flushGroup(heavy, at, until); while (at < heavy.length && performance.now() < until);
    heavy = heavy.slice(at);
    if (heavy.length === 0) return;
    await threadTurns.next();
  }
}

/** Seals and writes those of one group from `start` on; gives where the next begins. */
function flushGroup(all: readonly Flushing[], start: number, until: number): number {
  let end = start;
  let bytes = 0;
  do bytes += (all[end++] as Flushing).seal(); while (
    end < all.length && bytes < FLUSH_GROUP_BYTES &&
    (until === Infinity || performance.now() < until)
  );
  for (let at = start; at < end; at++) (all[at] as Flushing).write();
  return end;
}
