// What of the status line is shown where not all of it has room: the worthiest parts, each as long as it can be.

import { stripVTControlCharacters } from "node:util";
import { textWidth } from "../terminal/width.ts";

/** A part of the status line. */
export interface StatusPart {
  /** The same with less and less of it, styled; where not even the last one fits, the part is left out. */
  readonly forms: readonly string[];
  /** The greater, the sooner it gets its place. */
  readonly worth: number;
  /** Whether its shortest form has a place before any part is longer than it must be. */
  readonly must?: boolean;
}

/** A status line: parts that give way to each other, or one text that is only cut. */
export type StatusText = string | readonly StatusPart[];

const SEPARATOR = " · ";
const SEPARATOR_CELLS = SEPARATOR.length;

/** All of it, as long as it is. */
export function wholeStatus(status: StatusText): string {
  return typeof status === "string"
    ? status
    : status.map(({ forms: [first = ""] }) => first).join(SEPARATOR);
}

/** As much of it as has room in `columns` cells, in its order; at least the worthiest part, however long it is. */
export function fitStatus(status: StatusText, columns: number): string {
  if (typeof status === "string") return status;
  const byWorth = status.toSorted((a, b) => b.worth - a.worth);
  const shown = new Map<StatusPart, string>();
  const fits = (part: StatusPart, form: string) => {
    const forms = [...new Map(shown).set(part, form).values()];
    return forms.reduce((sum, one) => sum + cellsOf(one) + SEPARATOR_CELLS, 0) <=
      columns + SEPARATOR_CELLS;
  };
  for (const part of byWorth.filter(({ must }, index) => must || index === 0)) {
    const shortest = part.forms.at(-1) ?? "";
    if (shown.size === 0 || fits(part, shortest)) shown.set(part, shortest);
  }
  for (const part of byWorth) {
    const longest = part.forms.find((form) => fits(part, form));
    if (longest !== undefined) shown.set(part, longest);
  }
  return status.flatMap((part) => shown.get(part) ?? []).join(SEPARATOR);
}

function cellsOf(styled: string): number {
  return textWidth(stripVTControlCharacters(styled));
}
