// Whom and which room the user means. Names may have spaces, so the longest matching name counts.

import { closest } from "../../shared/cli/command_line.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { parseRoom } from "../../shared/text/names.ts";

/** A person and one of the user's rooms that they are in. */
export interface Found {
  readonly person: RosterEntry;
  readonly room: JoinedRoom;
}

/** Everybody of this name in the user's rooms, the current room first. Throws UsageError if there is nobody. */
export function findPeople(chat: Chat, name: string): Found[] {
  const found = roomsInOrder(chat).flatMap((room) => {
    const person = room.roster.find(name);
    return person === undefined ? [] : [{ person, room }];
  });
  if (found.length > 0) return found;
  throw new UsageError(`Cannot find ${quote(name)}: nobody in your rooms has this name`, {
    hint: meantName(roomsInOrder(chat), name) ?? "/names lists the members of this room",
  });
}

/** The one person of this name. Throws UsageError if it could be two. */
function findOne(chat: Chat, name: string): RosterEntry {
  const found = findPeople(chat, name);
  const [{ person, room }] = found as [Found];
  const clear = room === chat.rooms.current ||
    found.every((other) => other.person.client === person.client);
  if (clear) return person;
  throw new UsageError(`Cannot tell whom you mean: ${quote(name)} is not the same in all rooms`, {
    hint: "/switch to the room of the one you mean",
  });
}

/** Splits `NAME TEXT`. Throws UsageError if nobody in the user's rooms has the name, or the text is empty. */
export function splitNameAndText(
  chat: Chat,
  argument: string,
): { readonly person: RosterEntry; readonly text: string } {
  const words = [...argument.matchAll(/\S+/g)];
  for (const { 0: word, index } of words.toReversed()) {
    const end = index + word.length;
    const text = argument.slice(end).trim();
    if (text === "") continue;
    const name = argument.slice(0, end);
    if (roomsInOrder(chat).some(({ roster }) => roster.find(name) !== undefined)) {
      return { person: findOne(chat, name), text };
    }
  }
  const known = roomsInOrder(chat).some(({ roster }) => roster.find(argument) !== undefined);
  const [{ person }] = findPeople(chat, known ? argument : words[0]?.[0] ?? "") as [Found];
  throw new UsageError(`Cannot send a message to ${quote(person.name)}: it is empty`);
}

/** Splits `NAME [REST]`; NAME is a member of the current room. Throws UsageError if there is no such member. */
export function splitName(
  chat: Chat,
  argument: string,
): { readonly person: RosterEntry; readonly rest: string } {
  for (const { 0: word, index } of [...argument.matchAll(/\S+/g)].toReversed()) {
    const end = index + word.length;
    const person = chat.room.roster.find(argument.slice(0, end));
    if (person !== undefined) return { person, rest: argument.slice(end).trim() };
  }
  throw new UsageError(`Cannot find ${quote(argument)}: nobody in this room has this name`, {
    hint: meantName([chat.room], argument) ?? "/names lists the members",
  });
}

/** "did you mean …?" if a name begins with the typed text, or nearly equals it. */
function meantName(rooms: readonly JoinedRoom[], typed: string): string | undefined {
  const names = rooms.flatMap(({ roster }) => roster.names);
  const start = typed.toLowerCase();
  const meant = names.find((name) => name.toLowerCase().startsWith(start)) ?? closest(typed, names);
  return meant && `did you mean ${quote(meant)}?`;
}

function roomsInOrder({ rooms }: Chat): JoinedRoom[] {
  const { current } = rooms;
  const others = rooms.all.filter((room) => room !== current);
  return current === undefined ? others : [current, ...others];
}

/** One of the user's rooms, by name or by number. Throws UsageError. */
export function ownRoom(chat: Chat, argument: string): JoinedRoom {
  const byNumber = /^\d{1,2}$/.test(argument) ? chat.rooms.all[Number(argument) - 1] : undefined;
  return chat.rooms.byTitle(parseRoom(argument)) ?? byNumber ?? roomNamed(chat, argument);
}

/** One of the user's rooms, by name. Throws UsageError. */
export function roomNamed({ rooms }: Chat, name: string): JoinedRoom {
  const room = rooms.byTitle(parseRoom(name));
  if (room !== undefined) return room;
  throw new UsageError(`Cannot find ${quote(name)} among your rooms`, {
    hint: "/rooms lists them; /join ROOM joins another one",
  });
}
