// Commands about who we are and where.

import type { MemberState } from "../../shared/messages_v2.ts";
import { parseName, parseRoom } from "../../shared/names.ts";
import { UsageError } from "../../shared/errors.ts";
import { quote } from "../../shared/sanitize.ts";
import type { Chat } from "../chat.ts";
import type { RoomState } from "../rooms.ts";
import { nameList, safeName } from "../renderers/text.ts";
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
    help: "come into a room as well, and go there; it is made where it is not there",
    completes: "room",
    run({ chat }, argument) {
      const title = parseRoom(argument);
      if (title === chat.rooms.current?.title) {
        return chat.output.answer(`You are in ${quote(title)} already.`);
      }
      return chat.join(title);
    },
  },
  {
    name: "leave",
    aliases: ["part"],
    argument: "[ROOM]",
    needs: "connection",
    help: "leave a room, the current one unless told",
    completes: "room",
    run: ({ chat }, argument) => chat.leave(argument === "" ? chat.room : roomOf(chat, argument)),
  },
  {
    name: "switch",
    argument: "ROOM|N",
    needs: "nothing",
    help: "go to another one of your rooms, by name or number",
    completes: "own room",
    run: ({ chat }, argument) => chat.switchTo(roomOf(chat, argument)),
  },
  {
    name: "rooms",
    needs: "nothing",
    help: "list the rooms you are in",
    run({ chat }) {
      const lines = chat.rooms.all.map((room, index) => {
        const mark = room === chat.rooms.current ? "*" : " ";
        return `${mark}${index + 1} ${safeName(room.title)} as ${safeName(room.name)}`;
      });
      chat.output.answer(lines.length === 0 ? "You are in no room." : lines.join("\n"));
    },
  },
  {
    name: "names",
    aliases: ["who"],
    needs: "connection",
    help: "list who is in the room",
    run({ chat }) {
      const people = chat.room.roster.people.map(({ name, state }) =>
        `${name}${STATE_NOTES[state]}`
      );
      chat.output.answer(`In ${quote(chat.room.title)}: ${nameList(people)}`);
    },
  },
];

/** One of our rooms by name or number. Throws UsageError. */
function roomOf(chat: Chat, argument: string): RoomState {
  const byNumber = /^\d{1,2}$/.test(argument) ? chat.rooms.all[Number(argument) - 1] : undefined;
  const room = chat.rooms.byTitle(parseRoom(argument)) ?? byNumber;
  if (room !== undefined) return room;
  throw new UsageError(`Cannot find ${quote(argument)} among your rooms`, {
    hint: "/rooms lists them; /join ROOM comes into another one",
  });
}
