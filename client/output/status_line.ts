// The status line and the prompt: where we are and as whom, who can read it, how the link is, and what waits.

import { safeName, shortLabel } from "../render/text.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { StatusPart } from "../console/status_fit.ts";
import type { Style } from "../terminal/style.ts";

// What a narrow terminal shows first. Who calls us is seen nowhere else; who can read is a promise of the product;
// where we are and as whom stands in the prompt as well.
const WORTHIEST_FIRST = [
  ...["mentions", "unread", "fault", "privacy"] as const,
  ...["room", "name", "link", "typing"] as const,
];
const LAST_MUST = WORTHIEST_FIRST.indexOf("privacy");

// Above this, talking feels like waiting.
const SLOW_MS = 1_000;
// More would push all else off the row.
const UNREAD_SHOWN_MAX = 6;

/** What the status line tells. */
export interface StatusFacts {
  readonly rooms: JoinedRooms;
  /** Our name where there is no room. */
  readonly name: string;
  readonly connected: boolean;
  /** The link in words. */
  readonly link: string;
  /** Milliseconds to the server and back; undefined where it is not known. */
  readonly delayMs: number | undefined;
  /** Who is writing in the current room, NOT sanitized. */
  readonly typing: readonly string[];
  readonly unsent: number;
  /** Messages that should have been confirmed by now. */
  readonly overdue: number;
}

/** The status line, styled and safe. */
export function statusLine(status: StatusFacts, style: Style): StatusPart[] {
  const { rooms, name, unsent, overdue } = status;
  const { current } = rooms;
  // Names come from the server, and none may push what follows off the row.
  const place = current === undefined ? "no room" : numberedLabel(rooms, current);
  const warnings = [
    ...(unsent > 0 ? [`${unsent} not yet sent`] : []),
    ...(overdue > 0 ? [`${overdue} not confirmed`] : []),
  ].map((text) => part("fault", style.paint(text, "warning")));
  return [
    part("room", place),
    part("name", shortLabel(current?.name ?? name)),
    ...(current === undefined ? [] : [privacy(current, style)]),
    linkPart(status, style),
    ...unreadRooms(rooms, style),
    ...warnings,
    ...(status.typing.length > 0 ? [part("typing", typingText(status.typing))] : []),
  ];
}

type What = (typeof WORTHIEST_FIRST)[number];

function part(what: What, ...forms: readonly string[]): StatusPart {
  const place = WORTHIEST_FIRST.indexOf(what);
  return { worth: -place, must: place <= LAST_MUST, forms };
}

/** Who can read what is said in a room. */
function privacy(room: JoinedRoom, style: Style): StatusPart {
  if (!room.isSealed) return part("privacy", "server can read", "not sealed");
  const { phase = "offline", confirmed = false, locked = false, people = [] } = room.seal ?? {};
  const warning = (...forms: string[]) =>
    part("fault", ...forms.map((form) => style.paint(form, "warning")));
  switch (phase) {
    case "in":
      return confirmed || people.length === 1
        ? part("privacy", style.paint(locked ? "sealed, locked" : "sealed", "good"))
        : warning("sealed, nobody has confirmed you", "sealed, unconfirmed");
    case "entering":
    case "catching up":
      return warning(`sealed, ${phase}`);
    case "offline":
      return part("privacy", "sealed");
    case "out":
      return part(
        "fault",
        ...["sealed, you are not in it", "not in it"].map((form) => style.paint(form, "error")),
      );
  }
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

/** How the link is, and how slow. */
function linkPart({ connected, link, delayMs }: StatusFacts, style: Style): StatusPart {
  const delay = connected && delayMs !== undefined ? delayText(delayMs) : undefined;
  const forms = delay === undefined ? [link] : [`${link} ${delay}`];
  if (!connected) forms.push("no link");
  else if ((delayMs ?? 0) <= SLOW_MS) {
    return part("link", ...[...forms, link].map((form) => style.paint(form, "good")));
  } else forms.push(`slow, ${delay}`);
  return part("fault", ...forms.map((form) => style.paint(form, "warning")));
}

function delayText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function typingText(names: readonly string[]): string {
  const [first = "", ...others] = names.map(shortLabel);
  return others.length === 0
    ? `${first} is writing`
    : `${first} and ${others.length} more are writing`;
}

/** `2:dev 5`: number and name of each room with something unread, and how much; `!` where somebody named us. */
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

/** As many as have room, and how many more there are. */
function listPart(what: "mentions" | "unread", marks: readonly string[]): StatusPart[] {
  if (marks.length === 0) return [];
  const most = Math.min(marks.length, UNREAD_SHOWN_MAX);
  const forms = Array.from({ length: most }, (_, left) => {
    const rest = marks.length - (most - left);
    return [...marks.slice(0, most - left), ...(rest > 0 ? [`${rest} more`] : [])].join(" · ");
  });
  const word = what === "mentions" ? "name you" : "unread";
  return [part(what, ...forms, ...(marks.length > 1 ? [`${marks.length} ${word}`] : []))];
}

/** With its number, as `/switch` takes it, where there are several. */
function numberedLabel(rooms: JoinedRooms, room: JoinedRoom): string {
  const label = shortLabel(room.title);
  return rooms.all.length > 1 ? `${rooms.all.indexOf(room) + 1}:${label}` : label;
}
