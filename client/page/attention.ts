/// <reference lib="dom" />
// How the page calls a user who looks elsewhere: the tab's title and icon, and notices of the browser.

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

/** The tab of the page, and notices of the browser. */
export class TabAttention {
  readonly #icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  #count: UnreadCount = { unread: 0, mentions: 0 };
  #room: string | undefined;
  /** What came into the current room while the page was not seen. */
  #hidden = { unread: 0, mentions: 0 };

  constructor() {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#hidden = { unread: 0, mentions: 0 };
      this.#show();
    });
    this.#show();
  }

  /** What the rooms have, and the current one's name. */
  setUnread(count: UnreadCount, room: string | undefined): void {
    this.#count = count;
    this.#room = room;
    this.#show();
  }

  /** A message came into the room that would be seen, if the page were. */
  came(isMention: boolean): void {
    if (!document.hidden) return;
    this.#hidden.unread++;
    if (isMention) this.#hidden.mentions++;
    this.#show();
  }

  /** Tells the browser's user. */
  notify(text: string): void {
    if (!document.hidden || !("Notification" in globalThis)) return;
    if (Notification.permission !== "granted") return;
    const notice = makeNotice({ body: text });
    if (notice === undefined) return;
    notice.onclick = () => {
      globalThis.focus();
      notice.close();
    };
  }

  /** Asks the browser for notices, where it has not decided yet; false where it refuses them. */
  async askPermission(): Promise<boolean> {
    if (!("Notification" in globalThis)) return false;
    const { permission } = Notification;
    const answer = permission === "default" ? await Notification.requestPermission() : permission;
    if (answer !== "granted") return false;
    const notice = makeNotice({ silent: true });
    notice?.close();
    return notice !== undefined;
  }

  #show(): void {
    const count = {
      unread: this.#count.unread + this.#hidden.unread,
      mentions: this.#count.mentions + this.#hidden.mentions,
    };
    const title = tabTitle(count, this.#room);
    if (document.title !== title) document.title = title;
    const icon = tabIcon(count);
    if (this.#icon !== null && this.#icon.href !== icon) this.#icon.href = icon;
  }
}

// Chrome on Android has notices, grants them, and throws: it leaves them to service workers, of which a page has none.
function makeNotice(options: NotificationOptions): Notification | undefined {
  try {
    return new Notification(NAME, { tag: NAME, ...options });
  } catch {
    return undefined;
  }
}
