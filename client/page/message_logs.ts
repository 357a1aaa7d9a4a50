/// <reference lib="dom" />
// The logs of all rooms, of which one is seen. A log follows its end only while the user is there.

import type { RenderedLine } from "../render/shown.ts";
import type { PageReaction } from "../web/page_view.ts";
import { button, element } from "./element.ts";
import { icon } from "./icons.ts";
import { authorOf, lineElement, reactionChips } from "./line_element.ts";

/** Lines that a log keeps. */
const LOG_LINES_MAX = 2_000;

const NEAR_END_PX = 48;
const TOGETHER_MS = 300_000;
/** The log of what concerns no room, before there is one. */
const NO_ROOM = Symbol("no room");

interface RoomLog {
  readonly box: HTMLElement;
  readonly lines: HTMLElement;
  readonly live: HTMLElement;
  author: string | undefined;
  at: number;
  day: string | undefined;
  unreadLine: HTMLElement | undefined;
  /** Whether the user is at the end. */
  follows: boolean;
  /** Where it was scrolled to last. */
  top: number;
  /** Messages since the user left the end. */
  missed: number;
}

/** What the user does about a message of the room that is seen. */
export interface MessageActions {
  /** They chose an emoji that is under it. */
  readonly react: (sequence: number, emoji: string) => void;
  /** They pressed its number. */
  readonly choose: (sequence: number, isOwn: boolean) => void;
}

/** The logs of all rooms. */
export class MessageLogs {
  /** Where the seen log stands. */
  readonly element = element("div", { class: "logs" });
  readonly #logs = new Map<string | symbol, RoomLog>();
  readonly #jump = button("", { class: "jump", onClick: () => this.toEnd() });
  #current: RoomLog;
  #isWaiting = false;

  readonly #actions: MessageActions;

  constructor(actions: MessageActions) {
    this.#actions = actions;
    this.#current = this.#logOf(NO_ROOM);
    this.#current.box.hidden = false;
    this.#jump.hidden = true;
    this.element.append(this.#jump);
    this.element.addEventListener("click", ({ target }) => {
      if (target instanceof Element) this.#choose(target.closest(".number")?.closest("article"));
    });
    this.element.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) forgetUnread(this.#current);
      else this.#settle();
    });
    // The phone's keyboard takes half of the height.
    new ResizeObserver(() => this.#settle()).observe(this.element);
  }

  /** Shows the log of a room. */
  show(title: string, label: string): void {
    const log = this.#logOf(title);
    log.box.setAttribute("aria-label", `Messages of ${label}`);
    if (log === this.#current) return;
    const before = this.#current;
    before.box.hidden = true;
    forgetUnread(before);
    this.#current = log;
    log.box.hidden = false;
    log.box.scrollTop = log.top;
    if (before === this.#logs.get(NO_ROOM)) this.#moveInto(log, before);
    this.#settle();
  }

  /** Adds a line to the log of its room, or to the one that is seen. */
  print(line: RenderedLine): void {
    if (line.kind === "room switch") return;
    const log = line.room === undefined ? this.#current : this.#logOf(line.room);
    this.#addDay(log, line);
    this.#markUnread(log, line);
    const author = line.action ? undefined : authorOf(line);
    const at = Date.parse(line.time ?? "");
    const continues = author !== undefined && author === log.author && !line.direct &&
      at - log.at < TOGETHER_MS;
    log.lines.append(lineElement(line, continues));
    log.author = line.direct ? undefined : author;
    log.at = at;
    while (log.lines.childElementCount > LOG_LINES_MAX) this.#dropFirst(log);
    if (!log.follows && line.kind === "chat") log.missed++;
    if (log === this.#current) this.#settle();
  }

  /** Shows what is under a message; false where the room's log does not have it. */
  react(title: string, sequence: number, reactions: readonly PageReaction[]): boolean {
    const lines = this.#logs.get(title)?.lines;
    const line = lines?.querySelector(`[data-sequence="${Number(sequence)}"]`);
    if (!line) return false;
    const before = line.querySelector(".chips");
    const chips = before ?? element("div", {
      class: "chips",
      attributes: { role: "group", "aria-label": `Reactions to #${sequence}` },
    });
    const focused = before?.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-emoji")
      : undefined;
    chips.replaceChildren(
      ...reactionChips(reactions, (emoji) => this.#actions.react(sequence, emoji)),
    );
    if (reactions.length === 0) chips.remove();
    else if (before === null) line.append(chips);
    if (focused !== undefined) this.#focusAgain(chips, focused);
    this.#settle();
    return true;
  }

  /** The chip that had the keyboard was replaced; where it is gone, the log gets it. */
  #focusAgain(chips: Element, emoji: string | null | undefined): void {
    const again = [...chips.querySelectorAll("button")].find(({ dataset }) =>
      dataset["emoji"] === emoji
    );
    (again ?? this).focus();
  }

  /** The lines behind the last one that still change. */
  setLive(lines: readonly RenderedLine[]): void {
    this.#current.live.replaceChildren(...lines.map((line) => lineElement(line, false)));
    this.#settle();
  }

  /** Empties the log that is seen. */
  clear(): void {
    const log = this.#current;
    log.lines.replaceChildren();
    Object.assign(log, { author: undefined, day: undefined, unreadLine: undefined, missed: 0 });
    this.toEnd();
  }

  /** Forgets the logs of rooms that the user left. */
  keepOnly(titles: ReadonlySet<string>): void {
    for (const [title, log] of this.#logs) {
      if (typeof title === "symbol" || titles.has(title) || log === this.#current) continue;
      log.box.remove();
      this.#logs.delete(title);
    }
  }

  /** Gives the keyboard to the log that is seen. */
  focus(): void {
    this.#current.box.focus();
  }

  /** Gives the keyboard to the last message that is seen; the arrow keys go on from there. */
  focusMessage(): void {
    const { bottom } = this.#current.box.getBoundingClientRect();
    const seen = this.#messages().findLast((each) => each.getBoundingClientRect().top < bottom);
    if (seen === undefined) this.focus();
    else focusOn(seen);
  }

  /** Goes to the newest line. */
  toEnd(): void {
    follow(this.#current, true);
    this.#settle();
  }

  #messages(): HTMLElement[] {
    return [...this.#current.lines.querySelectorAll("article")];
  }

  #key(event: KeyboardEvent): void {
    const { key, target, altKey, ctrlKey, metaKey, shiftKey } = event;
    if (altKey || ctrlKey || metaKey || shiftKey || !(target instanceof Element)) return;
    const at = target.closest("article");
    if (key === "Enter" && target === at) this.#choose(at);
    else if (key !== "ArrowUp" && key !== "ArrowDown") return;
    else if (at === null) this.focusMessage();
    else {
      const all = this.#messages();
      const next = all[all.indexOf(at) + (key === "ArrowUp" ? -1 : 1)];
      if (next === undefined) return;
      focusOn(next);
    }
    event.preventDefault();
  }

  #choose(message: HTMLElement | null | undefined): void {
    const sequence = message?.dataset["sequence"];
    if (sequence === undefined) return;
    this.#actions.choose(Number(sequence), message?.classList.contains("own") ?? false);
  }

  #dropFirst({ lines }: RoomLog): void {
    const first = lines.firstElementChild;
    const hadKeyboard = first?.contains(document.activeElement);
    first?.remove();
    if (hadKeyboard) this.focus();
  }

  #logOf(title: string | symbol): RoomLog {
    const known = this.#logs.get(title);
    if (known !== undefined) return known;
    const lines = element("div", { class: "lines" });
    const live = element("div", { class: "live" });
    const attributes = { role: "log", tabindex: "0", "aria-label": "Messages" };
    const box = element("div", { class: "log", attributes }, lines, live);
    box.hidden = true;
    const log: RoomLog = {
      box,
      lines,
      live,
      author: undefined,
      at: 0,
      day: undefined,
      unreadLine: undefined,
      follows: true,
      top: 0,
      missed: 0,
    };
    box.addEventListener("scroll", () => this.#scrolled(log), { passive: true });
    this.#logs.set(title, log);
    this.element.append(box);
    return log;
  }

  /** What was said before there was a room belongs to the first one. */
  #moveInto(log: RoomLog, before: RoomLog): void {
    log.lines.prepend(...before.lines.children);
  }

  #addDay(log: RoomLog, { time = "" }: RenderedLine): void {
    const day = dayText(time);
    if (day === undefined || day === log.day) return;
    // The first lines of a log are today's, which needs no words.
    if (log.day !== undefined || day !== dayText(new Date().toISOString())) {
      log.lines.append(element("div", { class: "divider day" }, element("span", {}, day)));
      log.author = undefined;
    }
    log.day = day;
  }

  #markUnread(log: RoomLog, { kind, own = false }: RenderedLine): void {
    if (kind !== "chat") return;
    if (own) return forgetUnread(log);
    const isSeen = log === this.#current && !document.hidden;
    if (isSeen || log.unreadLine !== undefined) return;
    log.unreadLine = element("div", { class: "divider unread" }, element("span", {}, "new"));
    log.lines.append(log.unreadLine);
    log.author = undefined;
  }

  #scrolled(log: RoomLog): void {
    if (log !== this.#current) return;
    const { scrollHeight, scrollTop, clientHeight } = log.box;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    // Only whoever goes up leaves the end: lines that came, and a lower window, move it away as well.
    if (isAtEnd) follow(log, true);
    else if (scrollTop < log.top) follow(log, false);
    log.top = scrollTop;
    this.#showJump();
  }

  // Once a frame, however many lines came.
  #settle(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    requestAnimationFrame(() => {
      this.#isWaiting = false;
      const { box, follows } = this.#current;
      if (follows) box.scrollTop = box.scrollHeight;
      this.#showJump();
    });
  }

  #showJump(): void {
    const { follows, missed } = this.#current;
    this.#jump.hidden = follows;
    const words = missed === 0 ? "Newest" : `${missed} new`;
    if (this.#jump.textContent !== words) this.#jump.replaceChildren(words, icon("down"));
  }
}

function follow(log: RoomLog, isThere: boolean): void {
  log.follows = isThere;
  if (isThere) log.missed = 0;
  // While the end is followed, the browser must not hold the lines that are seen in their place.
  log.box.classList.toggle("left-end", !isThere);
}

/** Until then it needs neither: two thousand of them would be two thousand texts twice. */
function focusOn(message: HTMLElement): void {
  const parts = [...message.querySelectorAll("header > *, .body, .chip")];
  message.ariaLabel = parts.map(({ textContent }) => textContent).join(" ");
  message.tabIndex = -1;
  message.focus();
}

function forgetUnread(log: RoomLog): void {
  log.unreadLine?.remove();
  log.unreadLine = undefined;
}

function dayText(time: string): string | undefined {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return undefined;
  return at.toLocaleDateString(undefined, {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
}
