// Finding people by what was typed. Names may have spaces, so the longest name that fits counts.

import { closest } from "../../shared/cli/command_line.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { parseRoom } from "../../shared/text/names.ts";

/** Somebody in one of our rooms. */
export interface Found {
  readonly person: RosterEntry;
  readonly room: JoinedRoom;
}

/** Everybody of this name in our rooms: the current one first, and nobody twice. Throws UsageError where nobody is. */
export function findPeople(chat: Chat, name: string): Found[] {
  const found = roomsInOrder(chat).flatMap((room) => {
    const person = room.roster.find(name);
    return person === undefined ? [] : [{ person, room }];
  });
  if (found.length > 0) return found;
  throw new UsageError(`Cannot find ${quote(name)}: nobody in your rooms has this name`, {
    hint: meantName(roomsInOrder(chat), name) ?? "/names lists who is in this one",
  });
}

/** Whoever is meant. Throws UsageError where it could be two. */
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

/** Splits `NAME TEXT`. Throws UsageError where no one of our rooms has such a name, or there is no text. */
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
  throw new UsageError(`Cannot send nothing to ${quote(person.name)}: a text is wanted`);
}

/** Splits `NAME [REST]`, where NAME is somebody of the current room. Throws UsageError where nobody is. */
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
    hint: meantName([chat.room], argument) ?? "/names lists who is here",
  });
}

/** "did you mean …?" where a name begins with what was typed, or nearly is it. */
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

/** One of our rooms by name or number, as a person says it. Throws UsageError. */
export function ownRoom(chat: Chat, argument: string): JoinedRoom {
  const byNumber = /^\d{1,2}$/.test(argument) ? chat.rooms.all[Number(argument) - 1] : undefined;
  return chat.rooms.byTitle(parseRoom(argument)) ?? byNumber ?? roomNamed(chat, argument);
}

/** One of our rooms by name alone. Throws UsageError. */
export function roomNamed({ rooms }: Chat, name: string): JoinedRoom {
  const room = rooms.byTitle(parseRoom(name));
  if (room !== undefined) return room;
  throw new UsageError(`Cannot find ${quote(name)} among your rooms`, {
    hint: "/rooms lists them; /join ROOM comes into another one",
  });
}
