// Commands for messages in a room, and for the user's name and state.

import { UsageError } from "../../shared/base/errors.ts";
import { parseName } from "../../shared/text/names.ts";
import type { CommandRow } from "./command.ts";

/** Rows of the commands for messages and the user's name and state. */
export const CHAT_COMMANDS: readonly CommandRow[] = [
  {
    name: "nick",
    argument: "NAME",
    needs: "connection",
    help: "change your name, in all your rooms; in a sealed room, only there",
    run: ({ chat }, argument) => chat.rename(parseName(argument)),
  },
  {
    name: "me",
    argument: "TEXT",
    needs: "new protocol",
    help: "send an action: /me waves",
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
        throw new UsageError("Cannot quote: the form is /quote N TEXT", {
          hint: "N is the number before each message, with or without #",
        });
      }
      if (chat.room.said.find(Number(number)) === undefined) {
        throw new UsageError(
          `Cannot quote #${number}: this client has no such message of this room`,
        );
      }
      return chat.say(text, { reply: Number(number) });
    },
  },
  {
    name: "edit",
    argument: "TEXT",
    needs: "new protocol",
    help: "change the text of your last message here; others may have read it",
    run: ({ chat }, argument) => chat.talk.revise(argument),
  },
  {
    name: "delete",
    needs: "new protocol",
    help: "delete your last message here; others may have read it",
    run: ({ chat }) => chat.talk.revise(null),
  },
  {
    name: "away",
    argument: "[TEXT]",
    needs: "new protocol",
    help: "set an away text for your rooms; alone: you are back",
    run({ chat }, argument) {
      if (argument === "" && chat.talk.status === null) {
        return chat.output.answer("You are not away; /away TEXT sets it.");
      }
      if (chat.rooms.plain.length === 0) {
        throw new UsageError(
          "Cannot set an away text: you are only in sealed rooms, and the server would read it",
        );
      }
      return chat.talk.setStatus(argument === "" ? null : argument);
    },
  },
];
