// Commands for rooms and their members.

import type { MemberState } from "../../shared/messages/messages_v2.ts";
import { isLink } from "../../shared/text/invite_link.ts";
import { parseTypedRoom } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { isSealedId } from "../base/local_ids.ts";
import type { Chat } from "../chat/chat.ts";
import { iso } from "../events/show_event.ts";
import {
  clockTime,
  foldCase,
  listedName,
  nameList,
  safeLine,
  VERIFIED_MARK,
} from "../render/text.ts";
import { keyDigits } from "../people/key_rows.ts";
import type { KeyTrust, RosterEntry } from "../rooms/roster.ts";
import type { JoinedRoom, Rank } from "../rooms/joined_room.ts";
import type { CommandRow } from "./command.ts";
import { joinByLink } from "./invite_commands.ts";
import { findPeople, type Found, ownRoom, typedName } from "./targets.ts";

const STATE_NOTES: Readonly<Record<MemberState, string | undefined>> = {
  here: undefined,
  away: "connection lost",
  old: "old client",
};

const RANK_NOTES: Readonly<Record<Rank, string>> = { maker: "made this room", op: "op" };

const KEY_NOTES: Readonly<Record<KeyTrust, string>> = {
  unknown: "",
  verified: ` ${VERIFIED_MARK}`,
  questioned: " (ANOTHER KEY now)",
};

const KEY_WORDS: Readonly<Record<KeyTrust, string>> = {
  unknown: "key not compared",
  verified: "verified",
  questioned: "ANOTHER KEY now, or none: /verify",
};

const STATE_WORDS: Readonly<Record<MemberState, string>> = {
  here: "here",
  away: "connection lost",
  old: "here with an old client",
};

const RANK_WORDS: Readonly<Record<Rank, string>> = { maker: "made it", op: "op" };

/** Rows of the commands for rooms. */
export const ROOM_COMMANDS: readonly CommandRow[] = [
  {
    name: "join",
    aliases: ["room", "j"],
    argument: "ROOM|LINK",
    needs: "connection",
    help: "join a room and go there; a room that does not exist is created",
    completes: "room",
    run({ chat }, argument) {
      if (isLink(argument)) return joinByLink(chat, argument);
      const title = parseTypedRoom(argument);
      if (title === chat.rooms.current?.title) {
        return chat.output.answer(`You are already in ${quote(title)}.`);
      }
      return chat.join(title);
    },
  },
  {
    name: "leave",
    aliases: ["part"],
    argument: "[ROOM|N]",
    needs: "new protocol",
    help: "leave a room, by default the current one",
    completes: "own room",
    async run({ chat }, argument) {
      const room = argument === "" ? chat.room : ownRoom(chat, argument);
      const outcome = await chat.leave(room);
      if (outcome === "confirmed") chat.output.answer(`You left ${quote(room.title)}.`);
      return outcome;
    },
  },
  {
    name: "switch",
    argument: "[ROOM|N]",
    needs: "nothing",
    help: "go to another of your rooms, by name or number; alone: to one with unread messages",
    completes: "own room",
    run({ chat }, argument) {
      if (argument !== "") return chat.switchTo(ownRoom(chat, argument));
      const { next } = chat.rooms;
      if (next !== undefined) return chat.switchTo(next);
      return chat.output.answer("You are in no other room.");
    },
  },
  {
    name: "unread",
    needs: "nothing",
    help:
      "show what is unread in your other rooms, or here from before you came, and mark it as read",
    run: ({ chat }) => showUnread(chat),
  },
  {
    name: "rooms",
    needs: "nothing",
    help: "list the rooms you are in",
    run({ chat }) {
      const lines = chat.rooms.all.map((room, index) => roomLine(chat, room, index + 1));
      chat.output.answer(
        lines.length === 0 ? "You are in no room." : ["your rooms:", ...lines].join("\n"),
      );
    },
  },
  {
    name: "topic",
    argument: "[TEXT]",
    needs: "new protocol",
    help: "show or set the topic of this room; /topic - clears it",
    run({ chat }, argument) {
      const { title, topic } = chat.room;
      if (argument !== "") return chat.talk.setTopic(argument === "-" ? "" : argument);
      return chat.output.answer(
        topic === ""
          ? `${quote(title)} has no topic.`
          : `Topic of ${quote(title)}: ${safeLine(topic)}`,
      );
    },
  },
  {
    name: "names",
    aliases: ["who", "w", "n"],
    argument: "[PART]",
    needs: "connection",
    help: "list who is in this room; PART: those with PART in their name",
    run({ chat }, argument) {
      const { room } = chat;
      const part = foldCase(typedName(argument));
      const people = room.roster.people.filter(({ name }) => foldCase(name).includes(part));
      const names = people.map(({ name }) => name);
      const list = nameList(names, (index) => noteOf(room, people[index] as RosterEntry));
      const where = `${isLeft(room) ? "Not in it now; last seen in" : "In"} ${quote(room.title)}`;
      chat.output.answer(`${where}: ${list || `no name with ${quote(part)}`}`);
    },
  },
  {
    name: "whois",
    argument: "NAME",
    needs: "connection",
    help: "show what is known about somebody",
    completes: "name",
    run({ chat }, argument) {
      const found = findPeople(chat, argument);
      // The same name in two rooms may be two people; the number of the session tells them apart.
      const clients = new Set(found.map(({ person }) => person.client));
      const lines = [...clients].map((client) =>
        whoisLine(found.filter(({ person }) => person.client === client))
      );
      chat.output.answer(lines.join("\n"));
      askForKeys(chat, found);
    },
  },
];

/** In plain rooms a device key is shown to those who ask: whose users want to know people, ask here. */
function askForKeys(chat: Chat, found: readonly Found[]): void {
  const { device, known } = chat.people;
  if (chat.isV1 || (device === undefined && known.path === undefined)) return;
  for (const { person, room } of found) {
    const isOwn = person.client === chat.clientId;
    if (room.isSealed || isOwn || person.state !== "here" || person.device !== undefined) continue;
    void chat.proofs.show(room, person).then((shown) => {
      if (typeof shown !== "object") return;
      const who = listedName(person.name);
      chat.output.answer(`${who} shows a device key: ${keyDigits(shown.key)}`);
    });
  }
}

/** Whether it is a sealed room that we are not in any more, whose members may be others by now. */
function isLeft({ seal }: JoinedRoom): boolean {
  return seal?.phase === "out";
}

function noteOf(
  room: JoinedRoom,
  { client, state, status, key = "unknown" }: RosterEntry,
): string {
  const rank = room.rankOf(client);
  // An away text could pass for further names in the list.
  const notes = [rank && RANK_NOTES[rank], status === null ? STATE_NOTES[state] : "away"]
    .filter((note) => note !== undefined);
  return KEY_NOTES[key] + (notes.length === 0 ? "" : ` (${notes.join(", ")})`);
}

function showUnread(chat: Chat): void {
  const { all, current } = chat.rooms;
  const countOf = (room: JoinedRoom) => room === current ? room.wasUnread : room.unread;
  const unread = all.filter((room) => countOf(room) > 0);
  if (unread.length === 0) return chat.output.answer("Nothing is unread.");
  for (const room of unread) {
    chat.output.showUnread(room.title, countOf(room), current?.title);
    [room.unread, room.mentions, room.wasUnread] = [0, 0, 0];
  }
  chat.refreshStatus();
}

function roomLine({ rooms }: Chat, room: JoinedRoom, n: number): string {
  const { title, name, unread, mentions, topic } = room;
  const parts = [`as ${listedName(name)}`, `${room.roster.people.length} here`];
  if (unread > 0) parts.push(`${unread} unread${mentions > 0 ? `, ${mentions} mention you` : ""}`);
  if (topic !== "") parts.push(safeLine(topic));
  return `${room === rooms.current ? "*" : " "}${n} ${listedName(title)}: ${parts.join(", ")}`;
}

function whoisLine(found: readonly Found[]): string {
  const [{ person }] = found as [Found];
  const { name, state, status, since, client, key = "unknown", known, device } = person;
  const rooms = found.map(({ room }) => {
    const rank = room.rankOf(client);
    return quote(room.title) + (rank === undefined ? "" : ` (${RANK_WORDS[rank]})`);
  }).join(", ");
  const parts = [`${listedName(name)}: ${STATE_WORDS[state]}`, `in ${rooms}`];
  if (since > 0) parts.push(`joined ${clockTime(iso(since))}`);
  if (!isSealedId(client) && client > 0) parts.push(`session ${client}`);
  if (found.some(({ room }) => room.isSealed) || key !== "unknown") parts.push(KEY_WORDS[key]);
  if (known !== undefined) parts.push(`known to you as ${listedName(known)}`);
  if (device !== undefined) parts.push(`device key ${keyDigits(device)}`);
  if (status !== null) parts.push(`away: ${safeLine(status)}`);
  return parts.join(", ");
}
