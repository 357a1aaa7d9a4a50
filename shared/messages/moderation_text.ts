// What the maker of a room decided, in words that both sides show alike.

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
      return `${name} silenced ${whom}${long}${why}`;
    case "unmute":
      return `${name} lets ${whom} speak again.`;
    case "lock":
      return `${name} locked the room: nobody can join.`;
    case "unlock":
      return `${name} unlocked the room.`;
    case "slow":
      return seconds === 0
        ? `${name} removed the pause between messages.`
        : `${name} asks for ${durationText(seconds)} between two messages of one member.`;
  }
}
