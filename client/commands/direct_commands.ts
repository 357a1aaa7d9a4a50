// Commands for direct messages.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { CommandRow } from "./command.ts";
import { isOwn, splitNameAndText } from "./targets.ts";

/** Rows of the commands for direct messages. */
export const DIRECT_COMMANDS: readonly CommandRow[] = [
  {
    name: "msg",
    aliases: ["query", "tell"],
    argument: "NAME TEXT",
    needs: "new protocol",
    help: "send a direct message to one person; in a plain room the server can read it",
    completes: "name",
    run({ chat }, argument) {
      const { person, text } = splitNameAndText(chat, argument);
      if (isOwn(chat, person)) {
        throw new UsageError("Cannot send a direct message to yourself");
      }
      tellState(chat, person);
      return chat.talk.direct(person, text);
    },
  },
  {
    name: "reply",
    aliases: ["r"],
    argument: "TEXT",
    needs: "new protocol",
    help:
      "answer the last direct message; only the same session gets it, not a new owner of the name",
    run({ chat }, argument) {
      const { last } = chat.directs;
      if (last === undefined) {
        throw new UsageError("Cannot reply: nobody has sent you a direct message in this session");
      }
      return chat.talk.direct(last, argument);
    },
  },
];

/** Tells the sender that the receiver is away. */
function tellState(chat: Chat, { name, state, status }: RosterEntry): void {
  if (state === "away") {
    chat.output.note(
      "info",
      `${quote(name)} lost the connection; the server keeps the message for a while.`,
    );
  } else if (status !== null) {
    chat.output.note("info", `${quote(name)} is away: ${quote(status, 200)}`);
  }
}
