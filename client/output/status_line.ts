// The status line and the prompt: room and name, who can read, the state of the connection, and what waits.

import { nameInSentence } from "../../shared/text/names.ts";
import { safeName, shortLabel } from "../render/text.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { StatusPart } from "../console/status_fit.ts";
import type { Style } from "../terminal/style.ts";

// In the order in which a narrow terminal keeps them. Mentions show nowhere else; who can read is a promise of the
// product; room and name are in the prompt as well.
const PRIORITIES = [
  "mentions",
  "unread",
  "fault",
  "privacy",
  "proof",
  "room",
  "name",
  "connection",
  "typing",
] as const;
const LAST_REQUIRED = PRIORITIES.indexOf("privacy");

// Above this delay a conversation feels like waiting.
const SLOW_MS = 1_000;
// More would push everything else off the row.
const UNREAD_SHOWN_MAX = 6;

/** What the status line shows. */
export interface StatusFacts {
  readonly rooms: JoinedRooms;
  /** The user's name outside of rooms. */
  readonly name: string;
  readonly connected: boolean;
  /** The state of the connection in words. */
  readonly connection: string;
  /** Milliseconds to the server and back; undefined if not known. */
  readonly delayMs: number | undefined;
  /** Whether nobody else can be in the server's place. */
  readonly isProven: boolean;
  /** For how long the server has said nothing although it should have answered; undefined where all is well. */
  readonly silentMs?: number | undefined;
  /** Who is typing in the current room, NOT sanitized. */
  readonly typing: readonly string[];
  readonly unsent: number;
  /** Messages that should have been confirmed by now. */
  readonly overdue: number;
}

/** The status line, styled and safe. */
export function statusLine(status: StatusFacts, style: Style): StatusPart[] {
  const { rooms, name, unsent, overdue } = status;
  const { current } = rooms;
  // Names come from the server, and none may push the rest off the row.
  const label = current === undefined ? "no room" : numberedLabel(rooms, current);
  const warnings = [
    ...(unsent > 0 ? [`${unsent} unsent`] : []),
    ...(overdue > 0 ? [`${overdue} unconfirmed`] : []),
  ].map((text) => part("fault", style.paint(text, "warning")));
  return [
    part("room", label),
    part("name", shortLabel(current?.name ?? name)),
    ...(current === undefined ? [] : [privacy(current, style)]),
    ...(status.isProven ? [] : [proof(style)]),
    connectionPart(status, style),
    ...unreadRooms(rooms, style),
    ...warnings,
    ...(status.typing.length > 0 ? [part("typing", typingText(status.typing))] : []),
  ];
}

type PartKind = (typeof PRIORITIES)[number];

function part(kind: PartKind, ...forms: readonly string[]): StatusPart {
  const index = PRIORITIES.indexOf(kind);
  return { priority: -index, isRequired: index <= LAST_REQUIRED, forms };
}

/** Who can read the messages of a room, in words, the longest form first; and how good or bad that is. */
export interface PrivacyText {
  readonly level: "plain" | "good" | "warning" | "error";
  readonly forms: readonly [string, ...string[]];
}

/** Who can read the messages of a room. */
export function privacyOf(room: JoinedRoom): PrivacyText {
  if (!room.isSealed) {
    if (room.suspect !== undefined) return changedKey(room.suspect, room.isStopped, "not sealed");
    return { level: "plain", forms: ["server can read", "not sealed"] };
  }
  const { phase = "offline", confirmed = false, locked = false, people = [] } = room.seal ?? {};
  const questioned = people.find(({ suspect }) => suspect);
  if (questioned !== undefined && phase !== "out") {
    return changedKey(questioned.name, room.seal?.stopped ?? false, "sealed");
  }
  switch (phase) {
    case "in":
      return confirmed || people.length === 1
        ? { level: "good", forms: [locked ? "sealed, locked" : "sealed"] }
        : { level: "warning", forms: ["sealed, nobody has confirmed you", "sealed, unconfirmed"] };
    case "entering":
    case "catching up":
      return { level: "warning", forms: [`sealed, ${phase}`] };
    case "offline":
      return { level: "plain", forms: ["sealed"] };
    case "out":
      return { level: "error", forms: ["sealed, you are not in it", "not in it"] };
  }
}

/** A name has another key now, and the user has not looked at it; `isStopped`: nothing is sent meanwhile. */
function changedKey(name: string, isStopped: boolean, readers: string): PrivacyText {
  const who = `${nameInSentence(shortLabel(name))} has another key`;
  const forms = isStopped
    ? [`STOPPED: ${who}`, "STOPPED"] as const
    : [`${readers}, ${who}`, "another key"] as const;
  return { level: "error", forms: [...forms] };
}

function privacy(room: JoinedRoom, style: Style): StatusPart {
  const { level, forms } = privacyOf(room);
  const kind = level === "warning" || level === "error" ? "fault" : "privacy";
  return part(kind, ...forms.map((form) => level === "plain" ? form : style.paint(form, level)));
}

/** Nothing says that the server is the one that the user means. */
function proof(style: Style): StatusPart {
  return part("proof", ...["server not proven", "unproven"].map((f) => style.paint(f, "warning")));
}

/** The title of the window, safe: `(2!) den`; the mark says that somebody named the user. */
export function titleText({ rooms }: Pick<StatusFacts, "rooms">): string {
  const unread = rooms.all.reduce((sum, room) => sum + room.unread, 0);
  const isCalled = rooms.all.some(({ mentions }) => mentions > 0);
  const mark = unread === 0 ? "" : `(${unread}${isCalled ? "!" : ""}) `;
  return mark + (rooms.current === undefined ? "cmdchat" : shortLabel(rooms.current.title));
}

/** The prompt, styled and safe. */
export function promptText(
  { rooms, name }: Pick<StatusFacts, "rooms" | "name">,
  style: Style,
): string {
  const { current } = rooms;
  const text = current === undefined
    ? `${safeName(name)}>`
    : `${safeName(current.name)}@${safeName(current.title)}>`;
  return `${style.paint(text, "bold")} `;
}

/** The state and delay of the connection. */
function connectionPart(
  { connected, connection, delayMs, silentMs }: StatusFacts,
  style: Style,
): StatusPart {
  if (connected && silentMs !== undefined) {
    const time = `${Math.floor(silentMs / 1_000)} s`;
    const forms = [`no answer for ${time}`, `silent ${time}`];
    return part("fault", ...forms.map((form) => style.paint(form, "error")));
  }
  const delay = connected && delayMs !== undefined ? delayText(delayMs) : undefined;
  const forms = delay === undefined ? [connection] : [`${connection} ${delay}`];
  // What the user has to answer is more than that there is no connection.
  if (!connected) forms.push(/^(.+):/.exec(connection)?.[1] ?? "offline");
  else if ((delayMs ?? 0) <= SLOW_MS) {
    forms.push(connection);
    return part("connection", ...forms.map((form) => style.paint(form, "good")));
  } else forms.push(`slow, ${delay}`);
  return part("fault", ...forms.map((form) => style.paint(form, "warning")));
}

function delayText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** `bob is typing`, for one name at least. */
export function typingText(names: readonly string[]): string {
  const [first = "", ...others] = names.map((name) => nameInSentence(shortLabel(name)));
  return others.length === 0
    ? `${first} is typing`
    : `${first} and ${others.length} more are typing`;
}

/** `2:dev 5`: number, name and unread messages of a room; `!` if one of them mentions the user. */
function unreadRooms(rooms: JoinedRooms, style: Style): StatusPart[] {
  const unread = rooms.all.filter((room) => room.unread > 0);
  const calling = unread.filter(({ mentions }) => mentions > 0);
  const others = unread.filter(({ mentions }) => mentions === 0);
  const mark = (room: JoinedRoom) => `${numberedLabel(rooms, room)} ${room.unread}`;
  return [
    ...listPart("mentions", calling.map((room) => style.paint(`${mark(room)}!`, "inverse"))),
    ...listPart("unread", others.map((room) => style.paint(mark(room), "bold"))),
  ];
}

/** As many marks as fit, and the number of the rest. */
function listPart(kind: "mentions" | "unread", marks: readonly string[]): StatusPart[] {
  if (marks.length === 0) return [];
  const most = Math.min(marks.length, UNREAD_SHOWN_MAX);
  const forms = Array.from({ length: most }, (_, left) => {
    const rest = marks.length - (most - left);
    return [...marks.slice(0, most - left), ...(rest > 0 ? [`${rest} more`] : [])].join(" · ");
  });
  const word = kind === "mentions" ? "name you" : "unread";
  return [part(kind, ...forms, ...(marks.length > 1 ? [`${marks.length} ${word}`] : []))];
}

/** The name of a room, with its number for `/switch` if there are several rooms. */
function numberedLabel(rooms: JoinedRooms, room: JoinedRoom): string {
  const label = shortLabel(room.title);
  return rooms.all.length > 1 ? `${rooms.all.indexOf(room) + 1}:${label}` : label;
}
