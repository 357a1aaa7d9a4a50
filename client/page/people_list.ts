/// <reference lib="dom" />
// Who is in the current room.

import type { PagePerson } from "../web/page_view.ts";
import { element } from "./element.ts";
import { icon } from "./icons.ts";
import { coloredName } from "./line_element.ts";

/** Who is in the current room. */
export class PeopleList {
  readonly element: HTMLElement;
  readonly #onChoose: (person: PagePerson) => void;
  readonly #count = element("span", { class: "count" });
  readonly #list = element("ul", { class: "people" });

  /** `onChoose`: the user wants to know or do something about somebody. */
  constructor(onChoose: (person: PagePerson) => void) {
    this.#onChoose = onChoose;
    this.element = element(
      "section",
      { attributes: { "aria-label": "People" } },
      element("div", { class: "side-head" }, element("h2", {}, "People"), this.#count),
      this.#list,
    );
  }

  /** Shows these people. */
  show(people: readonly PagePerson[]): void {
    const buttons = [...this.#list.querySelectorAll("button")];
    const focused = buttons.findIndex((button) => button === document.activeElement);
    this.#count.textContent = String(people.length);
    this.#list.replaceChildren(...people.map((person) => this.#item(person)));
    this.#list.querySelectorAll("button")[Math.min(focused, people.length - 1)]?.focus();
  }

  #item(person: PagePerson): HTMLElement {
    const { name, own, color, here, note, seal } = person;
    const go = element(
      "button",
      {
        class: here ? "person" : "person away",
        attributes: { type: "button" },
        onClick: () => this.#onChoose(person),
      },
      coloredName(name, color),
      own ? element("span", { class: "you" }, "you") : undefined,
      ...(seal === undefined || own ? [] : [sealMark(seal)]),
      here ? undefined : element("span", { class: "hidden-text" }, ", connection lost"),
      note === undefined ? undefined : element("bdi", { class: "note" }, note),
    );
    return element("li", {}, go);
  }
}

function sealMark({ verified, suspect }: NonNullable<PagePerson["seal"]>): HTMLElement {
  const [name, words] = suspect
    ? ["suspect", "another key than before"] as const
    : verified
    ? ["verified", "verified"] as const
    : ["unverified", "not verified"] as const;
  return element(
    "span",
    { class: `seal ${name}`, attributes: { title: words } },
    icon("shield"),
    element("span", { class: "hidden-text" }, `, ${words}`),
  );
}
