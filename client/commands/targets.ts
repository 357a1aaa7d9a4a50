// Whom and which room the user means. Names may have spaces, so the longest matching name counts.

import { closest } from "../../shared/text/closest.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { parseTypedRoom } from "../../shared/text/names.ts";

/** Where the user finds the numbers of messages: with --plain, they do not stand before new ones. */
export const NUMBER_HINT = "N is the number before a message; /last shows it";

/** A person and one of the user's rooms that they are in. */
export interface Found {
  readonly person: RosterEntry;
  readonly room: JoinedRoom;
}

/** Everybody of this name in the user's rooms, the current room first. Throws UsageError if there is nobody. */
export function findPeople(chat: Chat, typed: string): Found[] {
  const name = typedName(typed);
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

/** Whether that is the user, whose number in a sealed room is another than the session's. */
export function isOwn({ clientId, rooms }: Chat, person: RosterEntry): boolean {
  return person.client === clientId ||
    rooms.all.some(({ isSealed, name, roster }) => isSealed && roster.find(name) === person);
}

/** A name as people type it, who may copy it from a list with its quotes. */
export function typedName(text: string): string {
  const [, quoted, name = text] = /^@?(?:"([^"]+)"|([^]+))$/.exec(text) ?? [];
  return quoted ?? name;
}

/** What a typed name found, and what follows it. */
export interface NameMatch<T> {
  readonly found: T;
  readonly rest: string;
}

/**
 * The longest start of `argument` that `find` knows as a name, or the name that it has in quotes, as lists show names of
 * several words.
 */
export function longestName<T>(
  argument: string,
  find: (name: string) => T | undefined,
): NameMatch<T> | undefined {
  const [whole, quoted] = /^@?"([^"]+)"(?=\s|$)/.exec(argument) ?? [];
  const inQuotes = quoted === undefined ? undefined : find(quoted);
  if (whole !== undefined && inQuotes !== undefined) {
    return { found: inQuotes, rest: argument.slice(whole.length).trim() };
  }
  for (const { 0: word, index } of [...argument.matchAll(/\S+/g)].toReversed()) {
    const end = index + word.length;
    const name = argument.slice(0, end).replaceAll(/\s+/g, " ");
    const found = find(name) ?? (name.startsWith("@") ? find(name.slice(1)) : undefined);
    if (found !== undefined) return { found, rest: argument.slice(end).trim() };
  }
  return undefined;
}

/** Splits `NAME TEXT`. Throws UsageError if nobody in the user's rooms has the name, or the text is empty. */
export function splitNameAndText(
  chat: Chat,
  argument: string,
): { readonly person: RosterEntry; readonly text: string } {
  const nameOf = (name: string) =>
    roomsInOrder(chat).some(({ roster }) => roster.find(name) !== undefined) ? name : undefined;
  const match = longestName(argument, nameOf);
  if (match === undefined) findPeople(chat, firstWord(argument));
  const { found, rest: text } = match as NameMatch<string>;
  if (text !== "") return { person: findOne(chat, found), text };
  // "/msg jane doe" may be for jane, where there is a "jane doe" as well.
  const [, last = ""] = /\s(\S+)$/.exec(argument) ?? [];
  const shorter = longestName(argument.slice(0, argument.length - last.length).trim(), nameOf);
  if (last !== "" && shorter?.rest === "") {
    return { person: findOne(chat, shorter.found), text: last };
  }
  const [{ person }] = findPeople(chat, found) as [Found];
  throw new UsageError(`Cannot send a message to ${quote(person.name)}: it is empty`);
}

/** Splits `NAME [REST]`; NAME is a member of the current room. Throws UsageError if there is no such member. */
export function splitName(
  chat: Chat,
  argument: string,
): { readonly person: RosterEntry; readonly rest: string } {
  const match = longestName(argument, (name) => chat.room.roster.find(name));
  if (match !== undefined) return { person: match.found, rest: match.rest };
  throw new UsageError(
    `Cannot find ${quote(firstWord(argument))}: nobody in this room has this name`,
    { hint: meantName([chat.room], argument) ?? "/names lists the members" },
  );
}

/** The name that `argument` seems to begin with, where nobody has it. */
function firstWord(argument: string): string {
  const [start = argument] = /^@?(?:"[^"]+"|\S+)/.exec(argument) ?? [];
  return typedName(start);
}

/** "did you mean …?" if a name begins with the typed text, or nearly equals it. */
function meantName(rooms: readonly JoinedRoom[], typed: string): string | undefined {
  const names = rooms.flatMap(({ roster }) => roster.names);
  const starts = [typed, firstWord(typed)].map((start) => start.toLowerCase());
  const meant =
    names.find((name) =>
      starts.some((start) => start !== "" && name.toLowerCase().startsWith(start))
    ) ?? closest(firstWord(typed), names);
  return meant && `did you mean ${quote(meant)}?`;
}

function roomsInOrder({ rooms }: Chat): JoinedRoom[] {
  const { current } = rooms;
  const others = rooms.all.filter((room) => room !== current);
  return current === undefined ? others : [current, ...others];
}

/** One of the user's rooms, by name or by number. Throws UsageError. */
export function ownRoom(chat: Chat, argument: string): JoinedRoom {
  const typed = parseTypedRoom(argument);
  const byNumber = /^\d{1,2}$/.test(argument) ? chat.rooms.all[Number(argument) - 1] : undefined;
  return chat.rooms.byTitle(typed) ?? byNumber ?? roomNamed(chat, argument);
}

/** One of the user's rooms, by name. Throws UsageError. */
export function roomNamed({ rooms }: Chat, name: string): JoinedRoom {
  const room = rooms.byTitle(parseTypedRoom(name));
  if (room !== undefined) return room;
  throw new UsageError(`Cannot find ${quote(name)} among your rooms`, {
    hint: "/rooms lists them; /join ROOM joins another one",
  });
}
