// The lines that renderers show, and the one place where text of peers and servers is made safe for them.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
import { quote, quoteMessage, sanitizeLine, sanitizeText } from "../../shared/base/sanitize.ts";
import type { NoteLevel } from "../base/note_level.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { markFor, splitClusters, textWidth } from "../terminal/width.ts";
import type { TransferEvent } from "../transfer_base/transfer_event.ts";
import type { RenderedLine, SpanRow } from "./shown.ts";

/** A chat line; `sender`, `text` and `room` as they came, NOT sanitized. */
export interface ChatLine {
  readonly sender: string;
  readonly text: string;
  readonly room: string;
  /** ISO 8601. */
  readonly time: string;
  readonly sequence: SequenceNumber;
  /** Whether the user wrote it. */
  readonly own: boolean;
  /** Whether it mentions the user. */
  readonly mention: boolean;
  /** Whether it is an action (/me). */
  readonly action?: boolean;
  /** The name of the only receiver: a direct message, which has no sequence. */
  readonly to?: string | undefined;
  /** Whether it is sealed, so that the server cannot read it; default false. */
  readonly sealed?: boolean;
  /** Whether the user has compared the key of the other one: the sender, or the receiver of an own direct message. */
  readonly verified?: boolean;
  /** The name under which the user remembers the other one's device key. */
  readonly known?: string;
  /** The message that it answers. */
  readonly quote?: Quote | undefined;
  /** Whether its room is not the current one. */
  readonly elsewhere?: boolean;
  /** Whether it was said before the user came in. */
  readonly backlog?: boolean;
  /** Whether the user asked for it, perhaps for its number. */
  readonly isAsked?: boolean;
  /** Whether it was shown before. */
  readonly isAgain?: boolean;
}

/** The message that another one answers: its number, and sender and text if known, NOT sanitized. */
export interface Quote {
  readonly sequence: number;
  readonly sender?: string | undefined;
  readonly text?: string | undefined;
}

/** All that reacted to a message with one emoji, NOT sanitized. */
export interface ReactionCount {
  readonly emoji: string;
  readonly names: readonly string[];
  /** Whether the user is one of them. */
  readonly own: boolean;
}

/** A system line, NOT sanitized. */
export interface SystemLine {
  readonly text: string;
  readonly room: string;
  readonly time: string;
  readonly event: string;
  readonly name?: string | undefined;
  readonly previous?: string | undefined;
  readonly names?: readonly string[] | undefined;
  /** The message that was changed (`revised`), and its new text. */
  readonly sequence?: number | undefined;
  readonly said?: string | undefined;
  /** The emoji that somebody put under message `sequence` (`reacted`), or took back where `on` is false. */
  readonly emoji?: string | undefined;
  readonly on?: boolean | undefined;
  /** All reactions to that message now. */
  readonly reactions?: readonly ReactionCount[] | undefined;
  /** What was decided (`moderated`), and about whom; the names of those who moderate (`rules`). For programs. */
  readonly what?: string | undefined;
  readonly whom?: string | undefined;
  readonly maker?: string | undefined;
  readonly ops?: readonly string[] | undefined;
  /** Whether its room is not the current one. */
  readonly elsewhere?: boolean;
  /** Whether a line before it has said the same to people; a program is told what became of whom. */
  readonly isToldBefore?: boolean | undefined;
  /** Whether it comes from the members of a sealed room and not from the server. */
  readonly sealed?: boolean;
  /** Whether it was shown before. */
  readonly isAgain?: boolean;
}

/** A note of the client itself. */
export interface Note {
  readonly level: NoteLevel;
  /** One line, or several for lists such as `/help`. */
  readonly text: string;
  readonly hint?: string | undefined;
  readonly time: string;
  /** Whether long words stay whole so that they can be copied, such as an invite link; no text of a peer. */
  readonly isCopyable?: boolean;
}

/** A change of the connection to the server. */
export interface ConnectionNote {
  readonly state: "connected" | "lost";
  readonly text: string;
  readonly hint?: string | undefined;
  readonly time: string;
  readonly name: string;
  readonly room: string;
}

/** How the line of a file is shown. */
export interface FileShowing {
  /** From roomTag(). */
  readonly tag?: string;
  /** Whether it was shown before. */
  readonly isAgain?: boolean | undefined;
}

/** Renders lines as rows of spans that are safe to show. */
export interface Renderer {
  chat(line: ChatLine): RenderedLine;
  system(line: SystemLine): RenderedLine;
  /** undefined if there is nothing to show. */
  file(event: TransferEvent, time: string, showing?: FileShowing): RenderedLine | undefined;
  note(note: Note): RenderedLine;
  connection(note: ConnectionNote): RenderedLine;
  /** The line between two days; absent if the renderer shows no days. */
  day?(day: string): RenderedLine;
  /** The line when the user goes to another room, NOT sanitized; absent if every line names its room. */
  roomSwitch?(room: string): RenderedLine;
  /** A line that says what the next lines are, NOT sanitized; absent if every line names its room. */
  rule?(text: string): RenderedLine;
  /** The row in place of `rows` hidden rows, which `/more n` shows; absent if the renderer hides nothing. */
  more?(rows: number, n: number): SpanRow;
}

/** What is shown of a message besides its rows. */
export function messageTraits(
  { own, mention, to, action = false, sealed = false, sequence, backlog = false }: ChatLine,
): Omit<RenderedLine, "rows"> {
  const numbered = to === undefined ? { sequence } : {};
  const traits = { own, mention, direct: to !== undefined, action, sealed, ...numbered };
  return { kind: "chat", ...traits, ...(backlog ? { backlog } : {}) };
}

const NAME_SHOWN_MAX = 64;
const NAMES_SHOWN_MAX = 40;
const LABEL_SHOWN_CELLS = 17;

/** Behind a name whose key the user has compared; no name can have it or its likes. */
export const VERIFIED_MARK = "✓";
const MARKS = /[✓✔✅☑🗸🗹√]/gu;

/** A name for between `<` and `>`: it can neither close the brackets, nor pass for verified, nor be empty. */
export function safeName(name: string): string {
  const line = sanitizeLine(name).replaceAll("<", "‹").replaceAll(">", "›").replaceAll(MARKS, "?")
    .trim();
  const characters = [...line];
  if (characters.length === 0) return "?";
  if (characters.length <= NAME_SHOWN_MAX) return line;
  return sanitizeLine(characters.slice(0, NAME_SHOWN_MAX).join("")) + "…";
}

/** A name for the status line: safe, without the line's separator, and at most 17 cells wide. */
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

/** `[room] ` for a line of another room than the current one, else "". */
export function roomTag({ room, elsewhere = false }: Pick<ChatLine, "room" | "elsewhere">): string {
  return elsewhere ? `[${shortLabel(room).replaceAll(/[[\]]/g, "|")}] ` : "";
}

/** The text of a message as safe lines; an action is marked with `* `. */
export function chatLines({ text, action }: ChatLine): string[] {
  return safeLines(action ? `* ${text}` : text);
}

/** Sender and only receiver, in brackets that no name can close: `<bob>`, `<bob → carol>`. */
export function whoSays(
  { sender, to, verified = false, own = false }:
    & Pick<ChatLine, "sender" | "to" | "verified">
    & Partial<Pick<ChatLine, "own">>,
): string {
  const mark = markFor(sender, to ?? "");
  const check = verified ? ` ${VERIFIED_MARK}` : "";
  const [ofSender, ofReceiver] = own ? ["", check] : [check, ""];
  const receiver = to === undefined ? "" : `${mark} → ${mark}${safeName(to)}${ofReceiver}`;
  return `<${safeName(sender)}${ofSender}${receiver}>${mark}`;
}

/** The part before a message's text: who can read a direct message, and what it answers. */
export function aboutText({ quote: answered, to, sealed = false }: ChatLine): string {
  const readable = to === undefined || sealed ? "" : "(server can read) ";
  if (answered === undefined) return readable;
  const { sequence, sender, text } = answered;
  const said = sender === undefined ? "" : ` ${whoSays({ sender })} ${quoteMessage(text ?? "")}`;
  return `${readable}(to #${sequence}${said}) `;
}

/** One safe line. */
export function safeLine(text: string): string {
  return sanitizeLine(text);
}

/** Safe lines of a message that may have several. */
export function safeLines(text: string): string[] {
  return sanitizeText(text).split("\n");
}

/** A system line with its room; a long list of names is cut, with the number of the rest. */
export function systemText(line: SystemLine): string {
  if (line.event !== "names" || line.names === undefined) {
    return roomTag(line) + safeLine(line.text);
  }
  return `In ${quote(line.room)}: ${nameList(line.names)}`;
}

/** A line that says that something was not done must not be overlooked among those about comings and goings. */
export function systemLevel({ event }: SystemLine): NoteLevel {
  return event === "refused" || event === "rate_limited" ? "error" : "info";
}

/** The text when the user goes to another room. */
export function roomSwitchText(room: string): string {
  return `now in ${shortLabel(room)}`;
}

/** The text in place of hidden rows. */
export function moreText(rows: number, n: number): string {
  return `… ${rows} more ${rows === 1 ? "row" : "rows"}: /more ${n}`;
}

/** A name for a sentence or a list, safe, and quoted if it has several words. */
export function listedName(name: string): string {
  return nameInSentence(safeName(name));
}

/** `alice, "bob b" and 12 more`; `noteOf` adds to the name at an index. */
export function nameList(
  names: readonly string[],
  noteOf: (index: number) => string = () => "",
): string {
  const shown = names.slice(0, NAMES_SHOWN_MAX)
    .map((name, index) => listedName(name) + noteOf(index)).join(", ");
  const rest = names.length - NAMES_SHOWN_MAX;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** `18:00:00` in this machine's time zone; dashes for an invalid time. */
export function clockTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "--:--:--";
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** `2026-11-23 18:00:00` in this machine's time zone; dashes for an invalid time. */
export function dateAndTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "---------- --:--:--";
  const day = [date.getFullYear(), twoDigits(date.getMonth() + 1), twoDigits(date.getDate())];
  return `${day.join("-")} ${clockTime(iso)}`;
}

function twoDigits(part: number): string {
  return String(part).padStart(2, "0");
}

// Made when it is needed: that takes 2 ms.
let dayFormat: Intl.DateTimeFormat | undefined;

/** `Monday 23 November 2026` in this machine's time zone; undefined for an invalid time. */
export function dayOf(iso: string): string | undefined {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return undefined;
  dayFormat ??= new Intl.DateTimeFormat("en-GB", {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
  return dayFormat.format(date).replaceAll(",", "");
}

/** `text` for comparing in any case, and in any of the ways that Unicode writes the same letters. */
export function foldCase(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
