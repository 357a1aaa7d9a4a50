/// <reference lib="dom" />
// Who is in the current room.

import type { PagePerson } from "../web/page_view.ts";
import { ButtonList, type Child, element } from "./element.ts";
import { icon } from "./icons.ts";
import { coloredName } from "./line_element.ts";

/** Who is in the current room. */
export class PeopleList {
  readonly element: HTMLElement;
  readonly #count = element("span", { class: "count" });
  readonly #list: ButtonList<PagePerson>;

  /** `onChoose`: the user wants to know or do something about somebody. */
  constructor(onChoose: (person: PagePerson) => void) {
    this.#list = new ButtonList<PagePerson>({
      keyOf: ({ name }) => name,
      class: "person",
      childrenOf: personChildren,
      dress: (button, { here }) => button.classList.toggle("away", !here),
      onChoose,
    });
    this.element = element(
      "section",
      { attributes: { "aria-label": "People" } },
      element("div", { class: "side-head" }, element("h2", {}, "People"), this.#count),
      this.#list.element,
    );
  }

  /** Shows these people. */
  show(people: readonly PagePerson[]): void {
    this.#count.textContent = String(people.length);
    this.#list.show(people);
  }

  /** Whose place in the list this is, or lies in. */
  personAt(target: EventTarget | null): PagePerson | undefined {
    return target instanceof Node ? this.#list.itemAt(target) : undefined;
  }
}

function personChildren(
  { name, own, color, here, note, rank, key, knownAs }: PagePerson,
): readonly Child[] {
  return [
    coloredName(name, color),
    own ? element("span", { class: "you" }, "you") : undefined,
    rank === undefined ? undefined : element("span", { class: "you" }, rank),
    key === undefined ? undefined : keyMark(key),
    here ? undefined : element("span", { class: "hidden-text" }, ", connection lost"),
    knownAs === undefined
      ? undefined
      : element("span", { class: "note" }, "known to you as ", element("bdi", {}, knownAs)),
    note === undefined ? undefined : element("bdi", { class: "note" }, note),
  ];
}

/** What the user knows of somebody's key, as the mark's class and in words. */
const KEY_MARKS = {
  unknown: ["unverified", "not verified"],
  verified: ["verified", "verified"],
  questioned: ["suspect", "another key now"],
} as const;

function keyMark(key: NonNullable<PagePerson["key"]>): HTMLElement {
  const [name, words] = KEY_MARKS[key];
  return element(
    "span",
    { class: `seal ${name}`, attributes: { title: words } },
    icon("shield"),
    element("span", { class: "hidden-text" }, `, ${words}`),
  );
}
