/// <reference lib="dom" />
// Files on their way, each with what the user can do about it.

import { formatBytes } from "../../shared/text/byte_size.ts";
import type { PageTransfer } from "../web/page_view.ts";
import { button, element } from "./element.ts";
import { icon } from "./icons.ts";

interface Card {
  readonly element: HTMLElement;
  readonly words: HTMLElement;
  readonly bar: HTMLProgressElement;
  readonly buttons: HTMLElement;
  state: PageTransfer["state"] | undefined;
}

/** Files on their way. */
export class TransferCards {
  readonly element = element("div", {
    class: "transfers",
    attributes: { "aria-label": "Files", role: "group" },
  });
  readonly #cards = new Map<number, Card>();
  readonly #command: (line: string) => void;
  readonly #done: () => void;

  /** `command` enters a command; `done`: the one that had the keyboard is gone. */
  constructor(command: (line: string) => void, done: () => void) {
    this.#command = command;
    this.#done = done;
    this.element.hidden = true;
  }

  /** Shows these transfers. */
  show(transfers: readonly PageTransfer[]): void {
    const kept = new Set(transfers.map(({ n }) => n));
    for (const [n, card] of this.#cards) {
      if (kept.has(n)) continue;
      const hadKeyboard = card.element.contains(document.activeElement);
      card.element.remove();
      if (hadKeyboard) this.#done();
      this.#cards.delete(n);
    }
    for (const transfer of transfers) this.#update(transfer);
    this.element.hidden = transfers.length === 0;
  }

  #update(transfer: PageTransfer): void {
    const { n, size, done, state } = transfer;
    const card = this.#cards.get(n) ?? this.#add(transfer);
    card.words.textContent = describe(transfer);
    card.bar.hidden = state === "offered";
    card.bar.max = Math.max(size, 1);
    card.bar.value = size === 0 ? 1 : done;
    // Left alone while nothing changes: a button must not vanish under a finger or lose its focus.
    if (card.state === state) return;
    card.state = state;
    const hadKeyboard = card.buttons.contains(document.activeElement);
    card.buttons.replaceChildren(...this.#buttons(transfer));
    // Not to the button that took its place: a second press would cancel what the first one accepted.
    if (hadKeyboard) card.element.focus();
  }

  #add({ n, name }: PageTransfer): Card {
    const words = element("span", { class: "words" });
    const bar = element("progress", { attributes: { "aria-label": `Progress of ${name}` } });
    const buttons = element("div", { class: "buttons" });
    const text = element(
      "div",
      { class: "text" },
      element("bdi", { class: "file-name" }, name),
      words,
    );
    const attributes = { role: "group", tabindex: "-1", "aria-label": name };
    const made = element(
      "div",
      { class: "transfer", attributes },
      icon("file"),
      text,
      buttons,
      bar,
    );
    const card: Card = { element: made, words, bar, buttons, state: undefined };
    this.#cards.set(n, card);
    this.element.append(made);
    return card;
  }

  #buttons({ n, name, direction, state }: PageTransfer): HTMLElement[] {
    const labelled = (word: string, command: string, kind: string) =>
      button(word, {
        class: kind,
        attributes: { "aria-label": `${word} ${name}` },
        onClick: () => this.#command(`/${command} ${n}`),
      });
    if (direction === "in" && state === "offered") {
      return [labelled("Reject", "reject", "quiet"), labelled("Accept", "accept", "primary")];
    }
    return [labelled("Cancel", "cancel", "quiet")];
  }
}

function describe({ direction, size, done, state, sender, waiting }: PageTransfer): string {
  const from = sender === undefined ? "" : ` from ${sender}`;
  const amount = state === "offered" || size === 0
    ? formatBytes(size)
    : `${Math.floor(100 * done / size)}% of ${formatBytes(size)}`;
  const doing = direction === "out" && state === "offered" ? ", waits for somebody to accept" : "";
  return `${amount}${from}${waiting === undefined ? doing : `, ${waiting}`}`;
}
