// What those who moderate a room decided, in words that both sides show alike.

import type { EventOf } from "./messages_v2.ts";
import { nameInSentence } from "../text/names.ts";
import { durationText } from "../text/duration.ts";

/** One line for an event; names and reason are as peers wrote them. */
export function moderationText(
  event: Pick<EventOf<"moderated">, "what" | "name" | "whomName" | "seconds" | "text">,
): string {
  const { seconds, text } = event;
  const [name, whom] = [nameInSentence(event.name), nameInSentence(event.whomName)];
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
      return `${name} muted ${whom}${long}${why}`;
    case "unmute":
      return `${name} lets ${whom} speak again.`;
    case "lock":
      return `${name} locked the room: nobody can join.`;
    case "unlock":
      return `${name} unlocked the room.`;
    case "op":
      return `${name} made ${whom} an op of this room.`;
    case "deop":
      return event.name === event.whomName
        ? `${name} is no longer an op of this room.`
        : `${name} took the op's rights from ${whom}.`;
    case "slow":
      return seconds === 0
        ? `${name} removed the pause between messages.`
        : `${name} asks for ${durationText(seconds)} between two messages of one member.`;
  }
}

/** One line for a pin that was set or removed; names and text are as peers wrote them. */
export function pinnedText(
  { name, sequence, authorName, text }: Pick<
    EventOf<"pinned">,
    "name" | "sequence" | "authorName" | "text"
  >,
): string {
  const who = nameInSentence(name);
  return sequence === 0
    ? `${who} removed the pin.`
    : `${who} pinned #${sequence} of ${nameInSentence(authorName)}: ${text}`;
}

/** One line for how much is kept for newcomers. */
export function backlogText({ name, lines }: Pick<EventOf<"backlog">, "name" | "lines">): string {
  const who = nameInSentence(name);
  return lines === 0
    ? `${who} turned the backlog off: newcomers read nothing of what was said before.`
    : `${who} turned the backlog on: newcomers read the last ${linesText(lines)} said from now on.`;
}

/** The same for newcomers. */
export function backlogRule(lines: number): string {
  return `The backlog is on: newcomers read the last ${linesText(lines)}.`;
}

function linesText(lines: number): string {
  return lines === 1 ? "line" : `${lines} lines`;
}
