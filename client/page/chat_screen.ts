/// <reference lib="dom" />
// The conversation: rooms, log, people, and where the user writes.

import type { PageActions } from "../web/page_actions.ts";
import type { PagePerson, PageRoom, PageStatus, PageTransfer } from "../web/page_view.ts";
import { Composer } from "./composer.ts";
import {
  askMessage,
  askNotices,
  askPerson,
  askRoom,
  type Notices,
  privacyIcon,
  showInvite,
  showPrivacy,
} from "./dialogs.ts";
import { element, iconButton, setAttribute } from "./element.ts";
import { icon } from "./icons.ts";
import { MessageLogs } from "./message_logs.ts";
import { PeopleList } from "./people_list.ts";
import { RoomList } from "./room_list.ts";
import { hintText } from "./start_screen.ts";
import { TransferCards } from "./transfer_cards.ts";

/** Which of the two drawers. */
type Side = "rooms" | "people";

/** What the screen needs from the page around it. */
export interface ChatScreenHost {
  readonly actions: PageActions;
  /** Whether a server sent the page, and not a file. */
  readonly isServed: boolean;
  /** Asks the browser for notices; false where it refuses them. */
  readonly askPermission: () => Promise<boolean>;
}

/** The conversation. */
export class ChatScreen {
  readonly element: HTMLElement;
  readonly logs: MessageLogs;
  readonly composer: Composer;
  readonly transfers: TransferCards;
  readonly #host: ChatScreenHost;
  readonly #rooms: RoomList;
  readonly #people: PeopleList;
  readonly #sides: Readonly<
    Record<Side, { readonly box: HTMLElement; readonly toggle: HTMLButtonElement }>
  >;
  readonly #title = element("bdi", {});
  readonly #topic = element("p", { class: "topic", attributes: { dir: "auto" } });
  readonly #privacy: HTMLButtonElement;
  readonly #bell: HTMLButtonElement;
  readonly #connection = element("span", { class: "connection" });
  readonly #origin = element("span", { class: "origin" });
  readonly #notes = element("span", { class: "notes" });
  readonly #notices = new Map<string, Notices>();
  readonly #alarms = element("div", { class: "alarms" });
  #room: PageRoom | undefined;
  #present: readonly PagePerson[] = [];
  #isSending = false;
  #status: PageStatus | undefined;

  constructor(host: ChatScreenHost) {
    const { actions } = host;
    this.#host = host;
    this.composer = new Composer(actions);
    this.logs = new MessageLogs({
      react: (sequence, emoji) => actions.entered(`/react #${sequence} ${emoji}`),
      choose: (sequence, isOwn) => void this.#chooseMessage(sequence, isOwn),
    });
    this.transfers = new TransferCards(
      (line) => actions.entered(line),
      () => this.logs.focus(),
    );
    this.#rooms = new RoomList({
      goTo: (title) => this.#goTo(title),
      join: () => void this.#join(),
    });
    this.#people = new PeopleList((person) => void this.#choose(person));
    this.#privacy = element("button", {
      class: "privacy",
      attributes: { type: "button" },
      onClick: () => this.#status !== undefined && showPrivacy(this.#status, host.isServed),
    });
    this.#bell = iconButton(icon("bell"), "Notices", { onClick: () => void this.#askNotices() });
    this.#sides = {
      rooms: this.#side("rooms", [this.#rooms.element]),
      people: this.#side("people", [this.#people.element]),
    };
    this.element = element(
      "div",
      { class: "conversation" },
      this.#sides.rooms.box,
      element(
        "main",
        { class: "room-view" },
        this.#header(),
        this.#alarms,
        this.logs.element,
        this.#footer(),
      ),
      this.#sides.people.box,
      element("div", { class: "backdrop", onClick: () => this.#closeSides() }),
    );
    this.#listen();
  }

  /** Shows the rooms, and what the current one is called. */
  setRooms(rooms: readonly PageRoom[]): void {
    this.#rooms.show(rooms);
    const titles = new Set(rooms.map(({ title }) => title));
    this.logs.keepOnly(titles);
    this.composer.keepOnly(titles);
    const room = rooms.find(({ current }) => current);
    this.#room = room;
    this.#title.textContent = room?.label ?? "";
    this.#topic.textContent = room?.topic ?? "";
    if (room === undefined) return;
    this.logs.show(room.title, room.label);
    this.composer.switchTo(room.title, room.label);
    this.#showBell();
  }

  /** Shows who is there. */
  setPeople(people: readonly PagePerson[]): void {
    this.#present = people;
    this.#people.show(people);
    this.#sides.people.toggle.dataset["count"] = String(people.length);
  }

  /** Shows what is on its way. */
  setTransfers(transfers: readonly PageTransfer[]): void {
    this.transfers.show(transfers);
    this.#isSending = transfers.some(({ state }) => state !== "offered");
  }

  /** Shows how room and connection are. */
  setStatus(status: PageStatus): void {
    this.#status = status;
    const { privacy, privacyLevel, connected, connection, typing, waiting } = status;
    this.#privacy.className = `privacy ${privacyLevel}`;
    this.#privacy.setAttribute("aria-label", `Who can read: ${privacy}`);
    this.#privacy.title = privacy;
    this.#privacy.replaceChildren(
      icon(privacyIcon(privacyLevel)),
      element("span", {}, privacy),
    );
    this.#connection.className = connected ? "connection" : "connection lost";
    setText(this.#connection, connection);
    // Sealed by a page that the server sent: the weakest step of the ladder, which must not go unsaid.
    const isWeak = this.#host.isServed && privacyLevel !== "open";
    setText(this.#origin, isWeak ? "sealed by a page that this server sent" : "");
    setText(this.#notes, [...waiting, ...(typing === "" ? [] : [typing])].join(" · "));
  }

  /** Whether something would be lost with the page: written, or on its way. */
  get hasUnsent(): boolean {
    return this.composer.hasText || this.#isSending || (this.#status?.waiting.length ?? 0) > 0;
  }

  /** Says what must not be overlooked, until the user closes it. */
  alarm(text: string, hint: string | undefined): void {
    // A peer that can cause one can cause a thousand.
    if ([...this.#alarms.children].some((box) => box.querySelector("p")?.textContent === text)) {
      return;
    }
    const box = element(
      "div",
      { class: "alarm", attributes: { role: "alert" } },
      icon("shield"),
      element(
        "div",
        {},
        element("p", { attributes: { dir: "auto" } }, text),
        hint === undefined ? undefined : hintText(hint),
      ),
      iconButton(icon("close"), "I have read it", {
        onClick: () => {
          box.remove();
          this.composer.focus();
        },
      }),
    );
    this.#alarms.append(box);
  }

  #header(): HTMLElement {
    const { actions } = this.#host;
    return element(
      "header",
      { class: "room-head" },
      this.#sides.rooms.toggle,
      element("div", { class: "room-name" }, element("h1", {}, this.#title), this.#topic),
      this.#privacy,
      iconButton(icon("invite"), "Invite", {
        onClick: () => {
          const invite = actions.invite();
          if (invite !== undefined) showInvite(invite);
        },
      }),
      this.#bell,
      this.#sides.people.toggle,
    );
  }

  #footer(): HTMLElement {
    return element(
      "footer",
      {},
      this.transfers.element,
      this.composer.element,
      element("div", { class: "status" }, this.#connection, this.#origin, this.#notes),
    );
  }

  #side(side: Side, content: readonly HTMLElement[]) {
    const id = `side-${side}`;
    // A touch screen has no Escape, and a screen reader does not meet the backdrop.
    const close = iconButton(icon("close"), `Close ${side}`, {
      class: "close-side",
      onClick: () => this.#closeSides(),
    });
    const box = element("div", { class: `side ${side}`, attributes: { id } }, ...content, close);
    const toggle = iconButton(icon(side), side === "rooms" ? "Rooms" : "People", {
      class: `toggle ${side}`,
      attributes: { "aria-expanded": "false", "aria-controls": id },
      onClick: () =>
        this.#openSide(toggle.getAttribute("aria-expanded") === "true" ? undefined : side),
    });
    return { box, toggle };
  }

  #openSide(open: Side | undefined): void {
    for (const side of ["rooms", "people"] as const) {
      this.#sides[side].toggle.setAttribute("aria-expanded", String(side === open));
    }
    setAttribute(this.element, "data-open", open);
    if (open !== undefined) this.#sides[open].box.querySelector("button")?.focus();
  }

  #closeSides(): void {
    const open = this.element.dataset["open"];
    this.#openSide(undefined);
    if (open === "rooms" || open === "people") this.#sides[open].toggle.focus();
  }

  #goTo(title: string): void {
    this.#openSide(undefined);
    this.#host.actions.goTo(title);
    this.composer.focus();
  }

  async #join(): Promise<void> {
    const line = await askRoom();
    if (line === undefined) return;
    this.#openSide(undefined);
    this.#host.actions.entered(line);
    this.composer.focus();
  }

  async #chooseMessage(sequence: number, isOwn: boolean): Promise<void> {
    const wish = await askMessage(sequence, isOwn);
    if (wish === undefined) return;
    if (wish.kind === "react") this.#host.actions.entered(`/react #${sequence} ${wish.emoji}`);
    else this.composer.begin(`${wish.command} `);
  }

  async #choose(person: PagePerson): Promise<void> {
    const wish = await askPerson(person);
    if (wish === undefined) return;
    this.#openSide(undefined);
    const { actions } = this.#host;
    if (wish.kind === "write") return this.composer.begin(`/msg ${person.typed} `);
    // The view asks which one.
    if (wish.kind === "file") actions.entered(`/send @${person.typed}`);
    else if (wish.kind === "folder") actions.entered(`/send @${person.typed} /`);
    else if (wish.kind === "compare") actions.entered(`/verify ${person.typed}`);
    else if (wish.kind === "profile") actions.entered(`/whois ${person.typed}`);
    else if (!this.#hasKeyOf(person)) {
      this.alarm(
        `Not verified: the key of ${person.name} is no longer the one that you were shown.`,
        "Somebody else may have come in under that name. Compare again.",
      );
    } else {
      // What was compared stands in the log as well.
      actions.entered(`/verify ${person.typed}`);
      actions.entered(`/verify ${person.typed} yes`);
    }
    this.composer.focus();
  }

  /** Whether who has that name now has the key that was shown: to compare two takes longer than to take a name. */
  #hasKeyOf({ name, code }: PagePerson): boolean {
    return this.#present.some((each) => each.name === name && each.code === code);
  }

  async #askNotices(): Promise<void> {
    const room = this.#room;
    if (room === undefined) return;
    const chosen = await askNotices(this.#notices.get(room.title) ?? "mention");
    if (chosen === undefined) return;
    this.#notices.set(room.title, chosen);
    this.#host.actions.setNotices(chosen);
    this.#showBell();
    if (chosen !== "off" && !await this.#host.askPermission()) {
      this.alarm(
        "The browser does not allow notices for this page.",
        "The tab still counts what you have not read.",
      );
    }
  }

  #showBell(): void {
    const isOff = this.#room !== undefined && this.#notices.get(this.#room.title) === "off";
    this.#bell.replaceChildren(icon(isOff ? "muted" : "bell"));
  }

  #key(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    const isHere = this.element.isConnected && document.querySelector("dialog") === null;
    // An input method has pages of candidates.
    if (!isHere || ctrlKey || metaKey || event.isComposing) return;
    if (key === "Escape") {
      if (this.element.dataset["open"] !== undefined) return this.#closeSides();
      return this.composer.focus();
    }
    if (altKey) {
      if (key !== "ArrowUp" && key !== "ArrowDown") return;
      event.preventDefault();
      this.#rooms.step(key === "ArrowUp" ? -1 : 1);
    } else if (target instanceof HTMLTextAreaElement) {
      if (key !== "PageUp" || target.value.includes("\n")) return;
      event.preventDefault();
      this.logs.focusMessage();
    } else if ([...key].length === 1 && key !== " ") {
      // A key that begins a text goes to the message, wherever the focus is.
      this.composer.focus();
    }
  }

  #listen(): void {
    // Also where nothing has the keyboard, since what had it may be gone.
    document.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setAttribute(this.element, "data-drop", true);
    });
    this.element.addEventListener("dragleave", (event) => {
      const to = event.relatedTarget;
      if (!(to instanceof Node && this.element.contains(to))) {
        setAttribute(this.element, "data-drop", false);
      }
    });
    this.element.addEventListener("drop", (event) => {
      setAttribute(this.element, "data-drop", false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      const person = this.#people.personAt(event.target);
      if (person === undefined) this.composer.sendFiles(dropped(event));
      else this.#host.actions.sendFiles(dropped(event), `/send @${person.typed}`);
      this.composer.focus();
    });
  }
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") ?? false;
}

/** The files, and the folders as such: as files they could not be read. */
function dropped({ dataTransfer }: DragEvent): readonly (File | FileSystemDirectoryEntry)[] {
  return [...dataTransfer?.items ?? []].flatMap((item): (File | FileSystemDirectoryEntry)[] => {
    const entry = item.webkitGetAsEntry();
    if (entry?.isDirectory === true) return [entry as FileSystemDirectoryEntry];
    const file = item.getAsFile();
    return file === null ? [] : [file];
  });
}

// A text that stays is not said again.
function setText(on: HTMLElement, text: string): void {
  if (on.textContent !== text) on.textContent = text;
}
