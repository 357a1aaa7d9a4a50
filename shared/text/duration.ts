// Durations as people write and read them.

import { UsageError } from "../base/errors.ts";
import { MODERATION_MAX_S } from "../base/limits.ts";
import { quote } from "../base/sanitize.ts";

/** Seconds as people say them: the largest unit that fits, rounded up. */
export function durationText(seconds: number): string {
  const units = [["day", 86_400], ["hour", 3_600], ["minute", 60]] as const;
  for (const [unit, size] of units) {
    if (seconds < size) continue;
    const count = Math.ceil(seconds / size);
    return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return `${seconds} second${seconds === 1 ? "" : "s"}`;
}

const UNIT_SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of `10s`, `30m`, `2h` or `1d`. Throws UsageError. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  const seconds = match === null
    ? 0
    : Number(match[1]) * UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS];
  if (seconds > 0 && seconds <= MODERATION_MAX_S) return seconds;
  throw new UsageError(
    `Cannot use ${quote(text)} as a time: expected 1s to 30d, such as 10s, 30m, 2h or 1d`,
  );
}
