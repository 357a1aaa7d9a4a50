// The table of results in docs/BENCHMARKS.md, written from what was measured.

import { isMet, ratioOf, type Row } from "./row.ts";

const PLACE = /(<!-- results -->\n)[^]*?(\n<!-- end of results -->)/;
const HEAD = ["row", "value", "reference", "ratio", "goal", "reached"];

/** `document` with the lines of `rows` in its table; those of other rows stay. `order`: the names of all rows. */
export function withResults(
  document: string,
  rows: readonly Row[],
  order: readonly string[],
): string {
  const [whole, start, end] = PLACE.exec(document) ?? [];
  if (whole === undefined) throw new Error("the document has no place for results");
  const lines = new Map<string, string>();
  for (const [line, name] of whole.matchAll(/^\| `([^`]+)` .*$/gm)) lines.set(name ?? "", line);
  for (const row of rows) lines.set(row.row, lineOf(row));
  const known = order.filter((name) => lines.has(name)).map((name) => lines.get(name));
  const table = [HEAD, HEAD.map(() => "---")].map(cells);
  return document.replace(PLACE, () => `${start}\n${[...table, ...known].join("\n")}\n${end}`);
}

function lineOf(row: Row): string {
  const { goal, unit, value, referenceValue } = row;
  const ratio = ratioOf(row);
  const sign = goal.better === "more" ? ">=" : "<=";
  const limit = goal.of === "ratio" ? format(goal.limit) : `${format(goal.limit)} ${unit}`;
  const verdict = { true: "yes", false: "**no**", undefined: "not measured" }[`${isMet(row)}`];
  return cells([
    `\`${row.row}\``,
    value === undefined ? "" : `${format(value)} ${unit}`,
    referenceValue === undefined ? "" : `${format(referenceValue)} ${unit}`,
    ratio === undefined ? "" : ratio.toFixed(2),
    `${sign} ${limit}`,
    verdict ?? "",
  ]);
}

function cells(texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}

function format(value: number): string {
  return value >= 1_000
    ? Number(value.toPrecision(3)).toLocaleString("en-US")
    : `${Number(value.toPrecision(3))}`;
}
