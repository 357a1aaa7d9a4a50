/// <reference lib="dom" />
// Elements of the page. Text becomes a text node and nothing else: no file of this room parses markup.

/** What an element gets: a class, attributes as they stand in HTML (true = without a value), what a click does. */
export interface ElementParts {
  readonly class?: string;
  readonly attributes?: Readonly<Record<string, string | boolean | undefined>>;
  readonly onClick?: () => void;
}

/** The content of an element; a string becomes a text node, undefined nothing. */
export type Child = Node | string | undefined;

/** Makes an element. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { class: name, attributes = {}, onClick }: ElementParts,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (name !== undefined) made.className = name;
  for (const [key, value] of Object.entries(attributes)) setAttribute(made, key, value);
  if (onClick !== undefined) made.addEventListener("click", onClick);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Sets an attribute, or takes it away where `value` is false or undefined. */
export function setAttribute(on: Element, key: string, value: string | boolean | undefined): void {
  if (value === undefined || value === false) on.removeAttribute(key);
  else on.setAttribute(key, value === true ? "" : value);
}

/** A button with words on it. */
export function button(label: string, parts: ElementParts): HTMLButtonElement {
  const { attributes, ...rest } = parts;
  return element("button", { ...rest, attributes: { type: "button", ...attributes } }, label);
}

/** A button that shows an icon and says `label` to a screen reader and on hovering. */
export function iconButton(
  icon: Element,
  label: string,
  { attributes, ...rest }: ElementParts,
): HTMLButtonElement {
  const names = { type: "button", "aria-label": label, title: label, ...attributes };
  return element("button", { ...rest, attributes: names }, icon);
}

/** The element of the page's own HTML with this id. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/** How one thing of a list is shown. */
export interface ButtonListOptions<T> {
  /** What tells it from the others. */
  readonly keyOf: (item: T) => string;
  readonly class: string;
  readonly childrenOf: (item: T) => readonly Child[];
  /** Further changes of its button. */
  readonly dress?: (button: HTMLButtonElement, item: T) => void;
  readonly onChoose: (item: T) => void;
}

interface ShownItem<T> {
  item: T;
  text: string;
  readonly row: HTMLLIElement;
  readonly button: HTMLButtonElement;
}

/** A list of buttons that stay while what they show changes: one that is being pressed, or has the keyboard, is not lost. */
export class ButtonList<T> {
  // To Safari a list without marks is none, unless it says so.
  readonly element = element("ul", { attributes: { role: "list" } });
  readonly #options: ButtonListOptions<T>;
  #shown = new Map<string, ShownItem<T>>();

  constructor(options: ButtonListOptions<T>) {
    this.#options = options;
  }

  /** Shows these things, in this order. */
  show(items: readonly T[]): void {
    const before = this.#shown;
    const focused = document.activeElement;
    const hadFocus = this.element.contains(focused);
    this.#shown = new Map();
    for (const item of items) {
      const key = this.#options.keyOf(item);
      const shown = before.get(key) ?? this.#add(item);
      this.#update(shown, item);
      this.#shown.set(key, shown);
    }
    for (const [key, { row }] of before) if (!this.#shown.has(key)) row.remove();
    this.#place([...this.#shown.values()].map(({ row }) => row));
    if (hadFocus) this.#focusAgain(focused);
  }

  /** What is shown where `node` is. */
  itemAt(node: Node): T | undefined {
    return [...this.#shown.values()].find(({ row }) => row.contains(node))?.item;
  }

  #add(item: T): ShownItem<T> {
    const button = element("button", { attributes: { type: "button" } });
    const shown = { item, text: "", row: element("li", {}, button), button };
    button.addEventListener("click", () => this.#options.onChoose(shown.item));
    return shown;
  }

  #update(shown: ShownItem<T>, item: T): void {
    if (item === shown.item && shown.text !== "") return;
    const text = JSON.stringify(item);
    shown.item = item;
    if (text === shown.text) return;
    shown.text = text;
    const { class: name, childrenOf, dress } = this.#options;
    shown.button.className = name;
    shown.button.replaceChildren(...childrenOf(item).filter((child) => child !== undefined));
    dress?.(shown.button, item);
  }

  /** Moves only what is not where it belongs: the browser lays out each row that moved. */
  #place(rows: readonly HTMLLIElement[]): void {
    let next = this.element.firstChild;
    for (const row of rows) {
      if (row === next) next = next.nextSibling;
      else this.element.insertBefore(row, next);
    }
  }

  /** What was moved or removed has lost the keyboard. */
  #focusAgain(focused: Element | null): void {
    if (document.activeElement === focused) return;
    const again = focused?.isConnected ? focused : this.element.querySelector("button");
    if (again instanceof HTMLElement) again.focus();
  }
}
