// What the maker of a room decided, in words that both sides show alike.

import { UsageError } from "../base/errors.ts";
import { MODERATION_MAX_S } from "../base/limits.ts";
import type { EventOf } from "./messages_v2.ts";
import { quote } from "../base/sanitize.ts";

/** One line for an event; names and reason are as peers wrote them. */
export function moderationText(event: EventOf<"moderated">): string {
  const { name, whomName: whom, seconds, text } = event;
  const why = text === "" ? "." : `: ${text}`;
  const long = seconds === 0 ? "" : ` for ${durationText(seconds)}`;
  switch (event.what) {
    case "kick":
      return `${name} removed ${whom}${why}`;
    case "ban":
      return `${name} banned ${whom}${long}${why}`;
    case "unban":
      return `${name} lifted the ban of ${whom}.`;
    case "mute":
      return `${name} silenced ${whom}${long}${why}`;
    case "unmute":
      return `${name} lets ${whom} speak again.`;
    case "lock":
      return `${name} locked the room: nobody can come in.`;
    case "unlock":
      return `${name} unlocked the room.`;
    case "slow":
      return seconds === 0
        ? `${name} lets everybody speak as often as they like.`
        : `${name} asks for ${durationText(seconds)} between two messages of one member.`;
  }
}

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
    `Cannot use ${quote(text)} as a time: 1s to 30d are wanted, such as 10s, 30m, 2h or 1d`,
  );
}
