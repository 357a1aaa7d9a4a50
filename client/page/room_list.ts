/// <reference lib="dom" />
// The rooms that the user is in.

import type { PageRoom } from "../web/page_view.ts";
import { element, iconButton } from "./element.ts";
import { icon } from "./icons.ts";
import { brand } from "./start_screen.ts";

/** What the list does. */
export interface RoomListActions {
  readonly goTo: (title: string) => void;
  /** The user wants to join another room. */
  readonly join: () => void;
}

/** The rooms that the user is in. */
export class RoomList {
  readonly element: HTMLElement;
  readonly #actions: RoomListActions;
  readonly #list = element("ul", { class: "rooms" });
  #rooms: readonly PageRoom[] = [];

  constructor(actions: RoomListActions) {
    this.#actions = actions;
    const add = iconButton(icon("plus"), "Join or create a room", { onClick: actions.join });
    this.element = element(
      "nav",
      { attributes: { "aria-label": "Rooms" } },
      brand("p"),
      element("div", { class: "side-head" }, element("h2", {}, "Rooms"), add),
      this.#list,
    );
  }

  /** Shows these rooms. */
  show(rooms: readonly PageRoom[]): void {
    const focused = this.#rooms.findIndex((_, n) => this.#button(n) === document.activeElement);
    this.#rooms = rooms;
    this.#list.replaceChildren(...rooms.map((room) => this.#item(room)));
    if (focused !== -1) this.#button(Math.min(focused, rooms.length - 1))?.focus();
  }

  /** Goes to the next room in this direction, around the end. */
  step(by: 1 | -1): void {
    const at = this.#rooms.findIndex(({ current }) => current);
    const next = this.#rooms[(at + by + this.#rooms.length) % this.#rooms.length];
    if (next !== undefined) this.#actions.goTo(next.title);
  }

  #button(n: number): HTMLButtonElement | undefined {
    return this.#list.children[n]?.querySelector("button") ?? undefined;
  }

  #item({ title, label, sealed, current, unread, mentions }: PageRoom): HTMLElement {
    const badge = unread === 0 ? undefined : element(
      "span",
      { class: mentions > 0 ? "badge mentions" : "badge" },
      String(unread),
      element(
        "span",
        { class: "hidden-text" },
        mentions > 0 ? " unread, with your name" : " unread",
      ),
    );
    const go = element(
      "button",
      {
        class: "room",
        attributes: { type: "button", "aria-current": current ? "true" : undefined },
        onClick: () => this.#actions.goTo(title),
      },
      sealed
        ? icon("lock")
        : element("span", { class: "hash", attributes: { "aria-hidden": "true" } }, "#"),
      element("bdi", { class: "label" }, label),
      sealed ? element("span", { class: "hidden-text" }, ", sealed") : undefined,
      badge,
    );
    return element("li", {}, go);
  }
}
