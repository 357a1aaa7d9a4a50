// Commands about what we say in a room, and about ourselves.

import { UsageError } from "../../shared/base/errors.ts";
import { parseName } from "../../shared/text/names.ts";
import type { CommandRow } from "./command.ts";

/** Rows of the commands about what we say and who we are. */
export const CHAT_COMMANDS: readonly CommandRow[] = [
  {
    name: "nick",
    argument: "NAME",
    needs: "connection",
    help: "take another name, in all your rooms; in a sealed room, there alone",
    run: ({ chat }, argument) => chat.rename(parseName(argument)),
  },
  {
    name: "me",
    argument: "TEXT",
    needs: "new protocol",
    help: "say what you do: /me waves",
    run: ({ chat }, argument) => chat.say(argument, { action: true }),
  },
  {
    name: "quote",
    argument: "N TEXT",
    needs: "new protocol",
    help: "answer message N of this room",
    run({ chat }, argument) {
      const [, number, text] = /^#?(\d{1,15})\s+(\S[\s\S]*)$/.exec(argument) ?? [];
      if (number === undefined || text === undefined) {
        throw new UsageError("Cannot quote: /quote N TEXT is wanted", {
          hint: "N is the number that stands before each message, without or with #",
        });
      }
      if (chat.room.said.find(Number(number)) === undefined) {
        throw new UsageError(`Cannot quote #${number}: this client knows no such message here`);
      }
      return chat.say(text, { reply: Number(number) });
    },
  },
  {
    name: "edit",
    argument: "TEXT",
    needs: "new protocol",
    help: "give your last message here another text; who has read it has read it",
    run: ({ chat }, argument) => chat.talk.revise(argument),
  },
  {
    name: "delete",
    needs: "new protocol",
    help: "take your last message here back; who has read it has read it",
    run: ({ chat }) => chat.talk.revise(null),
  },
  {
    name: "away",
    argument: "[TEXT]",
    needs: "new protocol",
    help: "say why you do not answer; alone: that you are here again",
    run({ chat }, argument) {
      if (argument === "" && chat.talk.status === null) {
        return chat.output.answer("You are not away; /away TEXT says that you are.");
      }
      if (chat.rooms.plain.length === 0) {
        throw new UsageError("Cannot say that in sealed rooms alone: the server would read it");
      }
      return chat.talk.setStatus(argument === "" ? null : argument);
    },
  },
];
