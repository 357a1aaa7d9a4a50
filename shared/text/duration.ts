// Durations as people write and read them.

import { UsageError } from "../base/errors.ts";
import { MODERATION_MAX_S } from "../base/limits.ts";
import { quote } from "../base/sanitize.ts";

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]] as const;

/** Seconds as people say them: the two largest units that fit, the smaller one rounded up. */
export function durationText(seconds: number): string {
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const finest = UNITS.slice(at)[1]?.[1] ?? 1;
  let rest = Math.ceil(seconds / finest) * finest;
  const parts = UNITS.flatMap(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count} ${unit}${count === 1 ? "" : "s"}`];
  });
  return parts.length === 0 ? "0 seconds" : parts.join(" ");
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
