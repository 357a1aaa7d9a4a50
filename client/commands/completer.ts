// What Tab offers: commands and their arguments; in messages, names and emoji.

import { safeName } from "../render/text.ts";
import type { Chat } from "../chat/chat.ts";
import type { Completer, Completions } from "../editing/completion.ts";
import type { CommandRow } from "./command.ts";
import { COMMANDS, findSlashCommand } from "./dispatcher.ts";
import { emojiByName, findEmoji } from "../editing/emoji.ts";
import { longestName } from "./targets.ts";
import { type SettingName, type SettingRow, SETTINGS } from "../config/chat_settings.ts";

type PathCompleter = (typed: string) => readonly string[];

// Nobody goes through more of them by Tab.
const NUMBERS_MAX = 20;

const NOTHING: Completions = { start: 0, candidates: [] };

/** What a completer offers besides what the chat has. */
export interface CompleterOptions {
  /** Gives the paths that begin with what was typed. */
  readonly paths?: PathCompleter;
  /** Names of commands of the user's own. */
  readonly aliases?: readonly string[];
}

/** Creates the completer over the current chat. */
export function createCompleter(
  current: () => Chat | undefined,
  { paths = () => [], aliases = [] }: CompleterOptions = {},
): Completer {
  return (text, cursor) => {
    const chat = current();
    if (chat === undefined) return NOTHING;
    const typed = text.slice(0, cursor);
    const emoji = findEmoji(typed);
    if (emoji !== undefined && emoji.names.length > 0) return completeEmoji(emoji);
    if (!typed.startsWith("/") || typed.startsWith("//")) return completeName(chat, typed);
    const [, word = "", gap = ""] = /^\/(\S*)(\s*)/.exec(typed) ?? [];
    if (gap === "") return completeCommand(word, aliases);
    const row = findSlashCommand(word);
    const start = 1 + word.length + gap.length;
    return row === undefined ? NOTHING : completeArgument(row, { chat, typed, start, paths });
  };
}

function completeCommand(word: string, aliases: readonly string[]): Completions {
  const candidates = COMMANDS.filter(({ name }) => name.startsWith(word.toLowerCase()))
    .map(({ name, argument }) => argument === undefined ? `/${name}` : `/${name} `);
  const own = startingWith(word, aliases).map((name) => `/${name} `);
  return { start: 0, candidates: [...candidates, ...own] };
}

interface ArgumentInput {
  readonly chat: Chat;
  readonly typed: string;
  readonly start: number;
  readonly paths: PathCompleter;
}

function completeArgument(
  row: CommandRow,
  { chat, typed, start, paths }: ArgumentInput,
): Completions {
  const word = typed.slice(start);
  const { completes } = row;
  if (completes === undefined) return completeWord(row, word, start);
  switch (completes) {
    case "room":
      return { start, candidates: named(word, otherRooms(chat, chat.rooms.visited)) };
    case "own room":
      return { start, candidates: named(word, otherRooms(chat, chat.rooms.titles)) };
    case "path":
      return { start, candidates: paths(word) };
    case "name or path":
      return completeReceiverAndPath(chat, { word, start, paths });
    case "command":
      return {
        start,
        candidates: startingWith(word.replace(/^\//, ""), [
          ...COMMANDS.map(({ name }) => name),
          ...fixedWords(row),
        ]),
      };
    case "transfer":
      return {
        start,
        candidates: startingWith(word, chat.transfers.list().map(({ n }) => String(n))),
      };
    case "name":
      return { start, candidates: named(word, others(chat)) };
    case "setting":
      return completeSetting(word, { start, paths, names: chat.output.settings.names });
    case "banned":
      return {
        start,
        candidates: named(
          word,
          (chat.rooms.current?.bans.all ?? []).map(({ name }) => safeName(name)),
        ),
      };
    case "ignored":
      return { start, candidates: named(word, chat.output.ignored.names) };
    case "known":
      return {
        start,
        candidates: named(word, chat.people.known.all.map(({ name }) => safeName(name))),
      };
    case "long text":
      return { start, candidates: startingWith(word, chat.output.longTexts.numbers.map(String)) };
    // `:name` is completed in every line.
    case "emoji":
      return completeReaction(word, start);
    case "message":
      return { start, candidates: messageNumbers(chat).filter((each) => each.startsWith(word)) };
    case "own message":
      return completeOwnMessage(row, { chat, word, start });
  }
}

/** Completes the name of an emoji without its colon, as a name that is typed alone. */
function completeReaction(word: string, start: number): Completions {
  const [name = ""] = /\S*$/.exec(word) ?? [];
  const found = /^[a-z]/i.test(name) ? findEmoji(`:${name}`) : undefined;
  if (found === undefined) return NOTHING;
  return completeEmoji({ start: start + word.length - name.length, names: found.names });
}

/** Completes `@NAME PATH`: the name of the only receiver, then the path. */
function completeReceiverAndPath(
  chat: Chat,
  { word, start, paths }: Pick<ArgumentInput, "start" | "paths"> & { readonly word: string },
): Completions {
  if (!word.startsWith("@")) return { start, candidates: paths(word) };
  const match = longestName(word, (name) => chat.rooms.current?.roster.find(name));
  if (match !== undefined && (match.rest !== "" || /\s$/.test(word))) {
    return { start: start + word.length - match.rest.length, candidates: paths(match.rest) };
  }
  const typed = word.slice(1).replace(/^"/, "");
  const candidates = startingWith(typed, others(chat)).map((name) =>
    /\s/.test(name) ? `@"${name}" ` : `@${name} `
  );
  return { start, candidates };
}

interface OwnMessageInput {
  readonly chat: Chat;
  readonly word: string;
  readonly start: number;
}

/** Completes the number of one of the user's messages; where a text follows, its present text. */
function completeOwnMessage(
  { argument = "" }: CommandRow,
  { chat, word, start }: OwnMessageInput,
): Completions {
  const { own = [], lastOwn } = chat.rooms.current?.said ?? {};
  const takesText = argument.endsWith("TEXT");
  const [head, number] = /^#(\d+)\s+/.exec(word) ?? [];
  const textOf = (sequence: number | undefined) =>
    own.filter((message) => message.sequence === sequence).map(({ text }) => text);
  if (takesText && head !== undefined) {
    const left = word.slice(head.length);
    const candidates = textOf(Number(number)).filter((text) => text.startsWith(left));
    return { start: start + head.length, candidates };
  }
  if (takesText && word === "") return { start, candidates: textOf(lastOwn) };
  const numbers = own.map(({ sequence }) => takesText ? `#${sequence} ` : `#${sequence}`);
  return { start, candidates: numbers.filter((candidate) => candidate.startsWith(word)) };
}

/** Completes the lower-case words of an argument's form, such as `qr` and `token` of `[qr] [token]`. */
function completeWord(row: CommandRow, typed: string, start: number): Completions {
  const [last = ""] = /\S*$/.exec(typed) ?? [];
  return {
    start: start + typed.length - last.length,
    candidates: startingWith(last, fixedWords(row)),
  };
}

function fixedWords({ argument = "" }: CommandRow): readonly string[] {
  return argument.match(/\b[a-z]+\b/g) ?? [];
}

function completeEmoji({ start, names }: NonNullable<ReturnType<typeof findEmoji>>): Completions {
  return {
    start,
    candidates: names.map((name) => emojiByName().get(name) ?? ""),
    labels: names.map((name) => `${emojiByName().get(name)} ${name}`),
  };
}

/** Completes the name of a setting, or one of its values. */
function completeSetting(
  word: string,
  { start, paths, names }: {
    readonly start: number;
    readonly paths: PathCompleter;
    readonly names: readonly SettingName[];
  },
): Completions {
  const [, typed = "", gap = "", value = ""] = /^(\S*)(\s*)(.*)$/.exec(word) ?? [];
  if (gap === "") {
    return { start, candidates: startingWith(typed, names).map((name) => `${name} `) };
  }
  const name = names.find((known) => known === typed.toLowerCase());
  if (name === undefined) return NOTHING;
  const row: SettingRow = SETTINGS[name];
  const known = row.values ?? row.known ?? [];
  const files = name === "theme" && value !== "" ? paths(value) : [];
  return {
    start: start + typed.length + gap.length,
    candidates: [...startingWith(value, known), ...files],
  };
}

/** Completes a name: `al` at the start of a message becomes `alice: `, elsewhere `alice`. */
function completeName(chat: Chat, typed: string): Completions {
  const [word = ""] = /[^\s@"]*$/.exec(typed) ?? [];
  if (word === "") return NOTHING;
  const start = typed.length - word.length;
  const ending = start === 0 ? ": " : "";
  return { start, candidates: startingWith(word, others(chat)).map((name) => name + ending) };
}

/** The last messages of the room, the newest first. */
function messageNumbers(chat: Chat): string[] {
  const { said } = chat.rooms.current ?? {};
  return (said?.all ?? []).map(({ sequence }) => `#${sequence}`).toReversed().slice(0, NUMBERS_MAX);
}

function otherRooms(chat: Chat, titles: readonly string[]): string[] {
  return titles.filter((title) => title !== chat.rooms.current?.title).map(safeName);
}

function others(chat: Chat): string[] {
  return (chat.rooms.current?.roster.names ?? []).map(safeName).filter((name) =>
    name !== chat.name
  );
}

/** Names that begin with what was typed, with the `@`, `#` or quote that was typed before it. */
function named(word: string, names: readonly string[]): string[] {
  const [, mark = "", typed = ""] = /^([@#]?"?)(.*)$/s.exec(word) ?? [];
  const end = mark.endsWith('"') ? '"' : "";
  return startingWith(typed, names).map((name) => mark + name + end);
}

function startingWith(word: string, words: readonly string[]): string[] {
  const wanted = word.toLowerCase();
  return words.filter((candidate) => candidate.toLowerCase().startsWith(wanted)).sort();
}
