// The status line and the prompt: where we are and as whom, who can read it, how the link is, and what waits.

import type { Rooms } from "./rooms.ts";
import { safeName, shortLabel } from "./renderers/text.ts";
import type { Style } from "./terminal/style.ts";

/** What the status line tells. */
export interface Status {
  readonly rooms: Rooms;
  /** Our name where there is no room. */
  readonly name: string;
  readonly connected: boolean;
  /** The link in words. */
  readonly link: string;
  readonly unsent: number;
  readonly unanswered: number;
}

/** The status line, styled and safe. */
export function statusLine(status: Status, style: Style): string {
  const { rooms, name, connected, link, unsent, unanswered } = status;
  const { current } = rooms;
  // Names come from the server, and none may push what follows off the row.
  const place = current === undefined
    ? ["no room", shortLabel(name)]
    : [shortLabel(current.title), shortLabel(current.name)];
  const parts = [...place, "server can read", style.paint(link, connected ? "good" : "warning")];
  if (unsent > 0) parts.push(style.paint(`${unsent} not yet sent`, "warning"));
  if (unanswered > 0 && !connected) {
    parts.push(style.paint(`${unanswered} not confirmed`, "warning"));
  }
  return parts.join(" · ");
}

/** The prompt, styled and safe. */
export function promptText({ rooms, name }: Pick<Status, "rooms" | "name">, style: Style): string {
  const { current } = rooms;
  const text = current === undefined
    ? `${safeName(name)}>`
    : `${safeName(current.name)}@${safeName(current.title)}>`;
  return `${style.paint(text, "bold")} `;
}
