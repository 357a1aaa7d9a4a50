// The status line and the prompt: where we are and as whom, who can read it, how the link is, and what waits.

import { safeName, shortLabel } from "./renderers/text.ts";
import type { Rooms, RoomState } from "./rooms.ts";
import type { Style } from "./terminal/style.ts";

// Above this, talking feels like waiting.
const SLOW_MS = 1_000;
// More would push all else off the row.
const UNREAD_SHOWN_MAX = 6;

/** What the status line tells. */
export interface Status {
  readonly rooms: Rooms;
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
export function statusLine(status: Status, style: Style): string {
  const { rooms, name, unsent, overdue } = status;
  const { current } = rooms;
  // Names come from the server, and none may push what follows off the row.
  const place = current === undefined
    ? ["no room", shortLabel(name)]
    : [numberedLabel(rooms, current), shortLabel(current.name)];
  const parts = [...place, privacy(current, style), linkPart(status, style)];
  parts.push(...unreadRooms(rooms, style));
  if (unsent > 0) parts.push(style.paint(`${unsent} not yet sent`, "warning"));
  if (overdue > 0) parts.push(style.paint(`${overdue} not confirmed`, "warning"));
  if (status.typing.length > 0) parts.push(typingText(status.typing));
  return parts.join(" · ");
}

/** Who can read what is said in a room. */
function privacy(room: RoomState | undefined, style: Style): string {
  if (!room?.isSealed) return "server can read";
  const { phase = "offline", confirmed = false, people = [] } = room.seal ?? {};
  switch (phase) {
    case "in":
      return confirmed || people.length === 1
        ? style.paint("sealed", "good")
        : style.paint("sealed, nobody has confirmed you", "warning");
    case "entering":
    case "catching up":
      return style.paint(`sealed, ${phase}`, "warning");
    case "offline":
      return "sealed";
    case "out":
      return style.paint("sealed, you are not in it", "error");
  }
}

/** The prompt, styled and safe. */
export function promptText({ rooms, name }: Pick<Status, "rooms" | "name">, style: Style): string {
  const { current } = rooms;
  const text = current === undefined
    ? `${safeName(name)}>`
    : `${safeName(current.name)}@${safeName(current.title)}>`;
  return `${style.paint(text, "bold")} `;
}

/** How the link is, and how slow. */
function linkPart({ connected, link, delayMs }: Status, style: Style): string {
  const delay = !connected || delayMs === undefined ? "" : ` ${delayText(delayMs)}`;
  const isSlow = (delayMs ?? 0) > SLOW_MS;
  return style.paint(link + delay, connected && !isSlow ? "good" : "warning");
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
function unreadRooms(rooms: Rooms, style: Style): string[] {
  const unread = rooms.all.filter((room) => room.unread > 0);
  const shown = unread.slice(0, UNREAD_SHOWN_MAX).map((room) => {
    const text = `${numberedLabel(rooms, room)} ${room.unread}`;
    return room.mentions > 0 ? style.paint(`${text}!`, "inverse") : style.paint(text, "bold");
  });
  const rest = unread.length - shown.length;
  return rest > 0 ? [...shown, `${rest} more`] : shown;
}

/** With its number, as `/switch` takes it, where there are several. */
function numberedLabel(rooms: Rooms, room: RoomState): string {
  const label = shortLabel(room.title);
  return rooms.all.length > 1 ? `${rooms.all.indexOf(room) + 1}:${label}` : label;
}
