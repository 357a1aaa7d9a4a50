/// <reference lib="dom" />
// One line of a log as an element. Rows arrive as spans whose text is safe to show as text.

import { NOTE_WORDS, type NoteLevel } from "../base/note_level.ts";
import type { PageReaction } from "../web/page_view.ts";
import type { RenderedLine, Span, SpanRole, SpanRow } from "../render/shown.ts";
import { languageOf } from "../render/spans.ts";
import { button, type Child, element } from "./element.ts";
import { icon } from "./icons.ts";

const HEAD_ROLES: ReadonlySet<SpanRole> = new Set([
  "gap",
  "time",
  "number",
  "room",
  "mark",
  "name",
  "about",
]);
/** Rows and spans of one message that become elements; a peer can send thousands, and a log keeps two thousand messages. */
const PARTS_MAX = 200;
const MARKED = /^([*_])([^]*)\1$/;
const BACKTICKS = /^(`{1,3})([^]*)\1$/;
/** A row of a QR code in characters. */
const QR_ROW = /^[█▀▄ ]{20,}$/;
// The golden angle puts numbers that are close to each other far apart on the circle of colors.
const HUE_STEP = 137.508;

const KIND_CLASSES: Readonly<Record<RenderedLine["kind"], string>> = {
  chat: "chat",
  system: "system",
  file: "file",
  progress: "progress",
  note: "note",
  connection: "link-state",
  day: "day-line",
  "room switch": "room-switch",
};

/** A name in its color. */
export function coloredName(text: string, color: number): HTMLElement {
  const name = element("bdi", { class: "name" }, text);
  name.style.setProperty("--hue", String(Math.round(color * HUE_STEP) % 360));
  return name;
}

/** The name that a message begins with; undefined for every other line. */
export function authorOf({ kind, rows }: RenderedLine): string | undefined {
  if (kind !== "chat") return undefined;
  return rows[0]?.find(({ role }) => role === "name")?.text;
}

/** A line as an element. `continues`: the line before is the same member's, whose name need not be seen again. */
export function lineElement(line: RenderedLine, continues: boolean): HTMLElement {
  const { kind, level = "info", rows } = line;
  const head = headOf(rows[0] ?? []);
  const classes = ["line", KIND_CLASSES[kind], `level-${level}`, ...traits(line)];
  if (continues) classes.push("continues");
  if (kind !== "chat" && rows.length > 1 && rows.some(hasColumns)) classes.push("columns");
  const time = timeElement(line, head);
  const bodies = bodiesOf(line.action ? withoutStar(rows) : rows);
  const shown = kind === "chat" ? withoutEndlessParts(bodies) : bodies;
  const body = element("div", { class: "body" }, ...blocks(shown));
  if (kind !== "chat") {
    // Not by color alone.
    if (level !== "info") body.firstElementChild?.prepend(...levelMark(level));
    return element("div", { class: classes.join(" ") }, time, body);
  }
  const { sequence } = line;
  return element(
    "article",
    {
      class: classes.join(" "),
      attributes: {
        "data-sequence": sequence === undefined ? undefined : String(sequence),
        // A screen reader says what is new, and not all that was said before the user came.
        "aria-live": line.backlog ? "off" : undefined,
      },
    },
    element(
      "header",
      {},
      ...head.filter(({ role }) => role === "name").map(({ text, color = 0 }) =>
        coloredName(text, color)
      ),
      ...textOf(head, "about", "about"),
      time,
      ...textOf(head, "number", "number").map((number) =>
        sequence === undefined ? number : numberButton(number)
      ),
    ),
    body,
  );
}

/** The chips under a message: what some reacted with. A click puts the user's own, or takes it back. */
export function reactionChips(
  reactions: readonly PageReaction[],
  onChoose: (emoji: string) => void,
): HTMLElement[] {
  return reactions.map(({ emoji, count, names, own }) => {
    const attributes = {
      "aria-label": `${emoji} ${count}: ${names}`,
      "aria-pressed": String(own),
      title: names,
      "data-emoji": emoji,
    };
    const chip = button("", { class: "chip", attributes, onClick: () => onChoose(emoji) });
    chip.append(element("span", {}, `${emoji} ${count}`));
    return chip;
  });
}

function levelMark(level: NoteLevel): readonly Node[] {
  return [icon("alert"), element("span", { class: "hidden-text" }, NOTE_WORDS[level])];
}

/** Whether blanks put something below something. */
function hasColumns(row: SpanRow): boolean {
  return row.some(({ role, text }) => role === "text" && /\S {2,}\S/.test(text));
}

/** The rows of an action: the page shows one by its letters, and needs no mark. */
function withoutStar(rows: readonly SpanRow[]): readonly SpanRow[] {
  const [first = [], ...rest] = rows;
  const at = first.findIndex(({ role }) => !HEAD_ROLES.has(role));
  const span = first[at];
  if (span === undefined || !span.text.startsWith("* ")) return rows;
  return [
    [...first.slice(0, at), { ...span, text: span.text.slice(2) }, ...first.slice(at + 1)],
    ...rest,
  ];
}

function traits(line: RenderedLine): string[] {
  const names = ["own", "mention", "direct", "action", "backlog"] as const;
  return names.filter((name) => line[name]);
}

function headOf(row: SpanRow): SpanRow {
  const end = row.findIndex(({ role }) => !HEAD_ROLES.has(role));
  return end === -1 ? row : row.slice(0, end);
}

function textOf(head: SpanRow, role: SpanRole, name: string): HTMLElement[] {
  const text = head.filter((span) => span.role === role).map((span) => span.text).join("").trim();
  return text === "" ? [] : [element("span", { class: name }, text)];
}

/** What to do with a message. Tab passes it by: the arrow keys go from message to message. */
function numberButton({ textContent }: HTMLElement): HTMLElement {
  const attributes = { tabindex: "-1", "aria-haspopup": "dialog", title: "React, answer, change" };
  return button(textContent, { class: "number", attributes });
}

function timeElement({ time = "" }: RenderedLine, head: SpanRow): HTMLElement | undefined {
  const shown = head.find(({ role }) => role === "time")?.text.trim();
  if (!shown) return undefined;
  const at = new Date(time);
  const attributes = Number.isNaN(at.getTime())
    ? {}
    : { datetime: at.toISOString(), title: at.toLocaleString() };
  return element("time", { attributes }, shown);
}

function bodiesOf(rows: readonly SpanRow[]): readonly SpanRow[] {
  return rows.map((row, n) => n === 0 ? row.slice(headOf(row).length) : row);
}

/** The same text, what is beyond PARTS_MAX in one piece. */
function withoutEndlessParts(bodies: readonly SpanRow[]): readonly SpanRow[] {
  let parts = 0;
  const end = bodies.findIndex((row) => (parts += 1 + row.length) > PARTS_MAX);
  if (end === -1) return bodies;
  const rest = bodies.slice(end).map((row) => row.map(({ text }) => text).join(""));
  return [...bodies.slice(0, end), [{ role: "text", text: rest.join("\n") }]];
}

/** Paragraphs and blocks of code. */
function blocks(bodies: readonly SpanRow[]): HTMLElement[] {
  const made: HTMLElement[] = [];
  let code: { readonly fence: string; readonly rows: SpanRow[] } | undefined;
  bodies.forEach((body) => {
    if (body[0]?.role === "fence") {
      if (code !== undefined) made.push(codeBlock(code.rows, languageOf(code.fence)));
      code = code === undefined ? { fence: body[0].text, rows: [] } : undefined;
    } else if (code !== undefined) code.rows.push(body);
    else if (body.length > 0 || bodies.length === 1) made.push(paragraph(body));
  });
  if (code !== undefined) made.push(codeBlock(code.rows, languageOf(code.fence)));
  return made;
}

/** The language is not a part of the text, so that nobody copies it. */
function codeBlock(rows: readonly SpanRow[], language: string): HTMLElement {
  const attributes = { "data-language": language === "" ? undefined : language, tabindex: "0" };
  const lines = rows.flatMap((row, n): Child[] => [
    ...(n === 0 ? [] : ["\n"]),
    ...row.map(({ role, text }): Child =>
      role === "code" ? text : element("span", { class: role }, text)
    ),
  ]);
  return element("pre", { attributes }, element("code", {}, ...lines));
}

function paragraph(row: SpanRow): HTMLElement {
  const isHint = row.length > 0 && row.every(({ role }) => role === "hint");
  const isCode = QR_ROW.test(row.map(({ text }) => text).join(""));
  return element(
    "p",
    {
      ...(isHint ? { class: "hint" } : isCode ? { class: "qr-row" } : {}),
      attributes: { dir: "auto" },
    },
    ...row.map(spanChild),
  );
}

function spanChild({ role, text, color, target }: Span): Child {
  switch (role) {
    case "name":
      return coloredName(text, color ?? 0);
    case "strong":
      return element("strong", {}, MARKED.exec(text)?.[2] ?? text);
    case "emphasis":
      return element("em", {}, MARKED.exec(text)?.[2] ?? text);
    case "code":
      return element("code", {}, BACKTICKS.exec(text)?.[2] ?? text);
    case "link":
      return link(text, target);
    case "text":
    case "gap":
      return text;
    case "time":
    case "number":
    case "room":
    case "mark":
    case "about":
    case "hint":
    case "more":
    case "fence":
    case "bar":
    case "language":
    case "added":
    case "removed":
    case "hunk":
      return element("span", { class: role }, text);
  }
}

function link(text: string, target: string | undefined): Child {
  // A second look: an address of another scheme could run as a script.
  if (target === undefined || !/^https?:\/\/[!-~]+$/i.test(target)) return text;
  const attributes = {
    href: target,
    target: "_blank",
    rel: "noopener noreferrer nofollow",
    referrerpolicy: "no-referrer",
  };
  return element("a", { attributes }, text);
}
