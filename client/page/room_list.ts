/// <reference lib="dom" />
// The rooms that the user is in.

import type { PageRoom } from "../web/page_view.ts";
import { ButtonList, type Child, element, iconButton, setAttribute } from "./element.ts";
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
  readonly #list: ButtonList<PageRoom>;
  #rooms: readonly PageRoom[] = [];

  constructor(actions: RoomListActions) {
    this.#actions = actions;
    this.#list = new ButtonList<PageRoom>({
      keyOf: ({ title }) => title,
      class: "room",
      childrenOf: roomChildren,
      dress: (button, { current }) =>
        setAttribute(button, "aria-current", current ? "true" : undefined),
      onChoose: ({ title }) => actions.goTo(title),
    });
    const add = iconButton(icon("plus"), "Join or create a room", { onClick: actions.join });
    this.element = element(
      "nav",
      { attributes: { "aria-label": "Rooms" } },
      brand("p"),
      element("div", { class: "side-head" }, element("h2", {}, "Rooms"), add),
      this.#list.element,
    );
  }

  /** Shows these rooms. */
  show(rooms: readonly PageRoom[]): void {
    this.#rooms = rooms;
    this.#list.show(rooms);
  }

  /** Goes to the next room in this direction, around the end. */
  step(by: 1 | -1): void {
    const at = this.#rooms.findIndex(({ current }) => current);
    const next = this.#rooms[(at + by + this.#rooms.length) % this.#rooms.length];
    if (next !== undefined) this.#actions.goTo(next.title);
  }
}

function roomChildren({ label, sealed, unread, mentions }: PageRoom): readonly Child[] {
  const words = mentions > 0 ? " unread, with your name" : " unread";
  return [
    sealed
      ? icon("lock")
      : element("span", { class: "hash", attributes: { "aria-hidden": "true" } }, "#"),
    element("bdi", { class: "label" }, label),
    sealed ? element("span", { class: "hidden-text" }, ", sealed") : undefined,
    unread === 0 ? undefined : element(
      "span",
      { class: mentions > 0 ? "badge mentions" : "badge" },
      String(unread),
      element("span", { class: "hidden-text" }, words),
    ),
  ];
}
