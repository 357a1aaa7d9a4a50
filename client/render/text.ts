// What is shown, and the one place where text of peers and servers is made safe for it.

import { quote, sanitizeLine, sanitizeText } from "../../shared/base/sanitize.ts";
import type { NoteLevel } from "../base/note_level.ts";
import { splitClusters, textWidth } from "../terminal/width.ts";
import type { TransferEvent } from "../transfers/transfer_event.ts";

/** A chat line; `sender`, `text` and `room` as they came, NOT sanitized. */
export interface ChatLine {
  readonly sender: string;
  readonly text: string;
  readonly room: string;
  /** ISO 8601. */
  readonly time: string;
  readonly sequence: number;
  /** Whether it is ours. */
  readonly own: boolean;
  /** Whether it names us. */
  readonly mention: boolean;
  /** Whether it was said as /me. */
  readonly action?: boolean;
  /** Only for this member, by name: a direct message, without a sequence of its own. */
  readonly to?: string | undefined;
  /** Whether the server cannot read it; it can unless told. */
  readonly sealed?: boolean;
  /** What it answers. */
  readonly quote?: Quote | undefined;
  /** Whether it came in another room than the current one. */
  readonly elsewhere?: boolean;
}

/** A line that another one answers: its number, and who said what where that is known, NOT sanitized. */
export interface Quote {
  readonly sequence: number;
  readonly sender?: string | undefined;
  readonly text?: string | undefined;
}

/** A line of the server's, NOT sanitized. */
export interface SystemLine {
  readonly text: string;
  readonly room: string;
  readonly time: string;
  readonly event: string;
  readonly name?: string | undefined;
  readonly previous?: string | undefined;
  readonly names?: readonly string[] | undefined;
  /** The message that was changed (`revised`), and what it says now. */
  readonly sequence?: number | undefined;
  readonly said?: string | undefined;
  /** Whether it is about another room than the current one. */
  readonly elsewhere?: boolean;
  /** Whether it comes from the members of a sealed room, and not from the server. */
  readonly sealed?: boolean;
}

/** What the client itself has to say. */
export interface Note {
  readonly level: NoteLevel;
  /** One line, or several for lists such as `/help`. */
  readonly text: string;
  readonly hint?: string | undefined;
  readonly time: string;
}

/** How the link to the server is. */
export interface LinkNote {
  readonly state: "connected" | "lost";
  readonly text: string;
  readonly hint?: string | undefined;
  readonly time: string;
  readonly name: string;
  readonly room: string;
}

/** Turns what happens into text that may be printed; lines are separated by `\n`. */
export interface Renderer {
  chat(line: ChatLine): string;
  system(line: SystemLine): string;
  /** undefined where there is nothing to print; `tag`: what roomTag() gives for it, nothing unless told. */
  file(event: TransferEvent, time: string, tag?: string): string | undefined;
  note(note: Note): string;
  link(note: LinkNote): string;
  /** A line between two days; absent where days are not told apart. */
  day?(day: string): string;
  /** The line where the user goes to another room, NOT sanitized; absent where every line names its room. */
  place?(room: string): string;
  /** The line in place of `rows` rows that `/more n` shows; absent where nothing is left out. */
  more?(rows: number, n: number): string;
}

const NAME_SHOWN_MAX = 64;
const NAMES_SHOWN_MAX = 40;
const LABEL_SHOWN_CELLS = 17;
const QUOTE_SHOWN_MAX = 60;

/** A name as it stands between `<` and `>`: it can neither close the brackets nor be empty. */
export function safeName(name: string): string {
  const line = sanitizeLine(name).replaceAll("<", "‹").replaceAll(">", "›").trim();
  const characters = [...line];
  if (characters.length === 0) return "?";
  if (characters.length <= NAME_SHOWN_MAX) return line;
  return sanitizeLine(characters.slice(0, NAME_SHOWN_MAX).join("")) + "…";
}

/** A name for the status line: safe, without the line's own separator, and of at most 17 cells. */
export function shortLabel(name: string): string {
  const label = safeName(name).replaceAll("·", "•");
  if (textWidth(label) <= LABEL_SHOWN_CELLS) return label;
  let shown = "";
  for (const { text } of splitClusters(label)) {
    if (textWidth(shown + text) >= LABEL_SHOWN_CELLS) break;
    shown += text;
  }
  return `${shown}…`;
}

/** `[room] ` where a line is about another room than the current one. */
export function roomTag({ room, elsewhere = false }: Pick<ChatLine, "room" | "elsewhere">): string {
  return elsewhere ? `[${shortLabel(room).replaceAll(/[[\]]/g, "|")}] ` : "";
}

/** What was said, as safe lines; an action keeps the mark that its sender's name stays in front of. */
export function chatLines({ text, action }: ChatLine): string[] {
  return safeLines(action ? `* ${text}` : text);
}

/** Who says something, and to whom alone, between brackets that no name can close: `<bob>`, `<bob → carol>`. */
export function whoSays({ sender, to }: ChatLine): string {
  return `<${safeName(sender)}${to === undefined ? "" : ` → ${safeName(to)}`}>`;
}

/** What stands before a message's text: who can read a direct one, and what it answers. */
export function aboutText({ quote: answered, to, sealed = false }: ChatLine): string {
  const readable = to === undefined || sealed ? "" : "(server can read) ";
  if (answered === undefined) return readable;
  const { sequence, sender, text } = answered;
  const said = sender === undefined ? "" : ` <${safeName(sender)}> ${shortQuote(text ?? "")}`;
  return `${readable}(to #${sequence}${said}) `;
}

function shortQuote(text: string): string {
  return quote(text.replace(/\s+/g, " "), QUOTE_SHOWN_MAX);
}

/** One safe line. */
export function safeLine(text: string): string {
  return sanitizeLine(text);
}

/** Safe lines of a message that may have several. */
export function safeLines(text: string): string[] {
  return sanitizeText(text).split("\n");
}

/** A server's line in one line, with its room; long lists of names are cut, and the number of the rest is told. */
export function systemText(line: SystemLine): string {
  if (line.event !== "names" || line.names === undefined) {
    return roomTag(line) + safeLine(line.text);
  }
  return `In ${quote(line.room)}: ${nameList(line.names)}`;
}

/** What is said where the user goes to another room. */
export function placeText(room: string): string {
  return `now in ${shortLabel(room)}`;
}

/** What stands in place of rows that were left out. */
export function moreText(rows: number, n: number): string {
  return `… ${rows} more ${rows === 1 ? "row" : "rows"}: /more ${n}`;
}

/** `alice, bob and 12 more`. */
export function nameList(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN_MAX).map(safeName).join(", ");
  const rest = names.length - NAMES_SHOWN_MAX;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** `18:00:00` in this machine's time zone; dashes where the time cannot be read. */
export function clockTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "--:--:--";
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** `2026-11-23 18:00:00` in this machine's time zone; dashes where the time cannot be read. */
export function dateAndTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "---------- --:--:--";
  const day = [date.getFullYear(), twoDigits(date.getMonth() + 1), twoDigits(date.getDate())];
  return `${day.join("-")} ${clockTime(iso)}`;
}

function twoDigits(part: number): string {
  return String(part).padStart(2, "0");
}

const DAY = new Intl.DateTimeFormat("en-GB", {
  ...{ weekday: "long", day: "numeric", month: "long", year: "numeric" } as const,
});

/** `Monday 23 November 2026` in this machine's time zone; undefined where the time cannot be read. */
export function dayOf(iso: string): string | undefined {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? undefined : DAY.format(date).replaceAll(",", "");
}
