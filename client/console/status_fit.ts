// Fits the status line into a width: parts of the highest priority first, each in its longest form that fits.

import { withoutLooks } from "../terminal/style.ts";
import { textWidth } from "../terminal/width.ts";

/** A part of the status line. */
export interface StatusPart {
  /** The part in ever shorter forms, styled; if not even the last one fits, the part is left out. */
  readonly forms: readonly string[];
  /** Parts with a greater priority get their cells first. */
  readonly priority: number;
  /** Whether its shortest form gets its cells before any part gets a longer form. */
  readonly isRequired?: boolean;
}

/** A status line: parts with priorities, or one text that is only cut. */
export type StatusText = string | readonly StatusPart[];

const SEPARATOR = " · ";
const SEPARATOR_CELLS = SEPARATOR.length;

/** The whole status line, however long. */
export function wholeStatus(status: StatusText): string {
  return typeof status === "string"
    ? status
    : status.map(({ forms: [first = ""] }) => first).join(SEPARATOR);
}

/** The status line with a mark before it, which is never left out. */
export function withMark(mark: string, status: StatusText): StatusText {
  if (mark === "") return status;
  if (typeof status === "string") return status === "" ? mark : mark + SEPARATOR + status;
  return [{ forms: [mark], priority: Infinity }, ...status];
}

/** The parts that fit into `columns` cells, in their order; at least the one of the highest priority. */
export function fitStatus(status: StatusText, columns: number): string {
  if (typeof status === "string") return status;
  const byPriority = status.toSorted((a, b) => b.priority - a.priority);
  const shown = new Map<StatusPart, string>();
  const fits = (part: StatusPart, form: string) => {
    const forms = [...new Map(shown).set(part, form).values()];
    return forms.reduce((sum, one) => sum + cellsOf(one) + SEPARATOR_CELLS, 0) <=
      columns + SEPARATOR_CELLS;
  };
  for (const part of byPriority.filter(({ isRequired }, index) => isRequired || index === 0)) {
    const shortest = part.forms.at(-1) ?? "";
    if (shown.size === 0 || fits(part, shortest)) shown.set(part, shortest);
  }
  for (const part of byPriority) {
    const longest = part.forms.find((form) => fits(part, form));
    if (longest !== undefined) shown.set(part, longest);
  }
  return status.flatMap((part) => shown.get(part) ?? []).join(SEPARATOR);
}

function cellsOf(styled: string): number {
  return textWidth(withoutLooks(styled));
}
