/// <reference lib="dom" />
// What the browser's tab shows: how many messages wait, and whether one of them names the user.

/** What waits to be read. */
export interface UnreadCount {
  readonly unread: number;
  readonly mentions: number;
}

const UNREAD_MAX = 99;
const NAME = "cmdchat";

/** The title of the tab. */
export function tabTitle({ unread, mentions }: UnreadCount, room: string | undefined): string {
  const place = room === undefined ? NAME : `${room} · ${NAME}`;
  if (unread === 0) return place;
  const count = unread > UNREAD_MAX ? `${UNREAD_MAX}+` : String(unread);
  return `(${count}${mentions > 0 ? "!" : ""}) ${place}`;
}

/** The icon of the tab as a `data:` address: a prompt, with a dot where something waits. */
export function tabIcon({ unread, mentions }: UnreadCount): string {
  const dot = mentions > 0 ? "%23e5484d" : "%2330a46c";
  const mark = unread > 0 ? `<circle cx='25' cy='7' r='7' fill='${dot}'/>` : "";
  return "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>" +
    "<rect width='32' height='32' rx='8' fill='%23202427'/>" +
    "<path d='M9 11l6 5-6 5M17 22h7' fill='none' stroke='%23f3f5f4' stroke-width='3' " +
    `stroke-linecap='round' stroke-linejoin='round'/>${mark}</svg>`;
}
