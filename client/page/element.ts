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
