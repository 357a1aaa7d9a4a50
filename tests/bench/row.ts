// What a benchmark row gives, and how it is printed.

/** What is to be reached: by the ratio to the reference, or by the value itself. */
export interface Goal {
  readonly of: "ratio" | "value";
  readonly limit: number;
  readonly better: "more" | "less";
}

/** Something else that must hold for the row's goal to be reached. */
export interface Condition {
  readonly text: string;
  readonly met: boolean;
}

/** One measured row beside its reference from the same run. */
export interface Row {
  readonly row: string;
  /** Undefined where it cannot be measured here; `notes` then say why. */
  readonly value: number | undefined;
  readonly unit: string;
  /** What it is compared with, in words. */
  readonly reference: string;
  /** The reference's value in the same unit. */
  readonly referenceValue: number | undefined;
  readonly goal: Goal;
  readonly conditions?: readonly Condition[];
  /** Further facts of the same run, in words. */
  readonly notes: readonly string[];
}

/** Value over reference; undefined where one of them was not measured. */
export function ratioOf({ value, referenceValue }: Row): number | undefined {
  return value === undefined || referenceValue === undefined ? undefined : value / referenceValue;
}

/** Whether the goal is reached; undefined where it was not measured. */
export function isMet(row: Row): boolean | undefined {
  const { goal, conditions = [] } = row;
  const measured = goal.of === "ratio" ? ratioOf(row) : row.value;
  if (measured === undefined) return undefined;
  const reached = goal.better === "more" ? measured >= goal.limit : measured <= goal.limit;
  return reached && conditions.every(({ met }) => met);
}

/** The run with the median ratio, or the median value where there is no ratio; one of `rows`, at least one. */
export function medianRow(rows: readonly Row[]): Row {
  const keyOf = (row: Row) => ratioOf(row) ?? row.value ?? Infinity;
  const sorted = [...rows].sort((a, b) => keyOf(a) - keyOf(b));
  return sorted[(sorted.length - 1) >> 1] as Row;
}

/** One line of JSON, as `--json` prints it; null is what was not measured. */
export function toJson(row: Row): string {
  const { goal } = row;
  return JSON.stringify({
    row: row.row,
    value: row.value ?? null,
    unit: row.unit,
    reference: row.referenceValue ?? null,
    ratio: ratioOf(row) ?? null,
    goal: goal.limit,
    met: isMet(row) ?? null,
    goalOf: goal.of,
    better: goal.better,
    against: row.reference,
    conditions: row.conditions ?? [],
    notes: row.notes,
  });
}

/** A few aligned lines for people. */
export function toText(row: Row): string {
  const { value, referenceValue, conditions = [] } = row;
  if (value === undefined) return [`${row.row}: not measured`, ...row.notes.map(indent)].join("\n");
  return [
    `${row.row}: ${format(value)} ${row.unit}`,
    ...(referenceValue === undefined
      ? []
      : [`reference: ${format(referenceValue)} ${row.unit} (${row.reference})`].map(indent)),
    indent(`${ratioText(row)}goal ${goalText(row)}: ${verdict(isMet(row))}`),
    ...conditions.map(({ text, met }) => indent(`${text}: ${verdict(met)}`)),
    ...row.notes.map(indent),
  ].join("\n");
}

/** A bar for each value, the largest `width` characters long. */
export function bars(
  values: readonly (readonly [label: string, value: number])[],
  width = 40,
): string[] {
  const most = Math.max(...values.map(([, value]) => value));
  const labelWidth = Math.max(...values.map(([label]) => label.length));
  return values.map(([label, value]) =>
    `${label.padStart(labelWidth)} ${"█".repeat(Math.round(width * value / most))} ${format(value)}`
  );
}

/** A title and a bar for each size of a thing, smallest first. */
export function drawCurve(
  title: string,
  points: readonly (readonly [size: number, value: number])[],
): string[] {
  const sorted = [...points].sort(([a], [b]) => a - b);
  return [title, ...bars(sorted.map(([size, value]) => [size.toLocaleString("en-US"), value]))];
}

/** The middle one of an odd number of values. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** The value that a share of all, from 0 to 1, does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

function indent(line: string): string {
  return `  ${line}`;
}

function ratioText(row: Row): string {
  const ratio = ratioOf(row);
  return ratio === undefined ? "" : `ratio ${ratio.toFixed(2)}, `;
}

function goalText({ goal, unit }: Row): string {
  const sign = goal.better === "more" ? "at least" : "at most";
  return goal.of === "ratio"
    ? `${sign} ${Number(goal.limit.toFixed(3))} of the reference`
    : `${sign} ${format(goal.limit)} ${unit}`;
}

function verdict(met: boolean | undefined): string {
  return met === true ? "reached" : "NOT reached";
}

function format(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}
