// Commands about who we are and where.

import type { MemberState } from "../../shared/messages_v2.ts";
import { parseName, parseRoom } from "../../shared/names.ts";
import { quote } from "../../shared/sanitize.ts";
import { nameList } from "../renderers/text.ts";
import type { CommandRow } from "./command.ts";

const STATE_NOTES: Readonly<Record<MemberState, string>> = {
  here: "",
  away: " (link lost)",
  old: " (old client)",
};

/** Rows of the commands about names and rooms. */
export const CHAT_COMMANDS: readonly CommandRow[] = [
  {
    name: "nick",
    argument: "NAME",
    needs: "connection",
    help: "take another name",
    run: ({ chat }, argument) => chat.rename(parseName(argument)),
  },
  {
    name: "join",
    aliases: ["room"],
    argument: "ROOM",
    needs: "connection",
    help: "go to another room; it is made where it is not there",
    completes: "room",
    run({ chat }, argument) {
      const room = parseRoom(argument);
      if (room === chat.room) return chat.output.answer(`You are in ${quote(room)} already.`);
      return chat.join(room);
    },
  },
  {
    name: "names",
    aliases: ["who"],
    needs: "connection",
    help: "list who is in the room",
    run({ chat }) {
      const people = chat.roster.people.map(({ name, state }) => `${name}${STATE_NOTES[state]}`);
      chat.output.answer(`In ${quote(chat.room)}: ${nameList(people)}`);
    },
  },
];
