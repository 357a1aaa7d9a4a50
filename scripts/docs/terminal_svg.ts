// Screens of a terminal emulator as one SVG: the frames stand side by side and a step animation shows one after the
// other. A reader who wants no motion, or whose viewer has none, sees the last one.

import type xterm from "@xterm/headless";
import { type Rgb, rgbOfIndex } from "../../client/terminal/contrast.ts";

/** What a screen showed, and for how long it stands. */
export interface Frame {
  readonly rows: readonly (readonly Run[])[];
  readonly cursor: { readonly row: number; readonly column: number };
  readonly text: string;
  readonly seconds: number;
}

/** Cells of one row that look the same. */
interface Run {
  readonly text: string;
  readonly column: number;
  readonly cells: number;
  readonly look: Look;
}

interface Look {
  readonly color: string;
  readonly background: string | undefined;
  readonly marks: string;
}

const CELL = { width: 8.4, height: 18 };
const MARGIN = 14;
const SCREEN = { background: "#1e222a", color: "#d8dee9" };
// The 16 colors that every terminal chooses for itself; these are xterm.js's.
// deno-fmt-ignore
const BASIC = [
  "#2e3436", "#cc0000", "#4e9a06", "#c4a000", "#3465a4", "#75507b", "#06989a", "#d3d7cf",
  "#555753", "#ef2929", "#8ae234", "#fce94f", "#729fcf", "#ad7fa8", "#34e2e2", "#eeeeec",
];

/** What the emulator shows now. */
export function frameOf(terminal: xterm.Terminal, seconds: number): Frame {
  const { active } = terminal.buffer;
  const lines = Array.from(
    { length: terminal.rows },
    (_, row) => active.getLine(active.baseY + row),
  );
  return {
    rows: lines.map((line) => line === undefined ? [] : runsOf(line)),
    cursor: { row: active.cursorY, column: active.cursorX },
    text: lines.map((line) => line?.translateToString(true) ?? "").join("\n").trimEnd(),
    seconds,
  };
}

/** The frames as a picture of `columns` by `rows` cells; `title` is what who cannot see it is told. */
export function svgOf(
  frames: readonly Frame[],
  { columns, rows, title }: {
    readonly columns: number;
    readonly rows: number;
    readonly title: string;
  },
): string {
  const [width, height] = [columns * CELL.width + 2 * MARGIN, rows * CELL.height + 2 * MARGIN];
  const whole = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  let passed = 0;
  const steps = frames.map(({ seconds }, index) => {
    const step = `${(100 * passed / whole).toFixed(2)}%{transform:translateX(${-index * width}px)}`;
    passed += seconds;
    return step;
  });
  const last = -(frames.length - 1) * width;
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<desc>${escaped(frames.at(-1)?.text ?? "")}</desc>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${SCREEN.color}}
.b{font-weight:bold}.i{font-style:italic}.u{text-decoration:underline}.d{opacity:.6}
@media (prefers-reduced-motion:no-preference){.play{animation:play ${
    whole.toFixed(1)
  }s infinite step-end}}
@keyframes play{${steps.join("")}}
</style>
<rect width="${width}" height="${height}" rx="8" fill="${SCREEN.background}"/>
<g class="play" transform="translate(${last} 0)">
${frames.map((frame, index) => frameText(frame, index * width)).join("\n")}
</g>
</svg>
`;
}

function frameText({ rows, cursor }: Frame, left: number): string {
  const place = (row: number, column: number) => ({
    x: round(left + MARGIN + column * CELL.width),
    y: round(MARGIN + row * CELL.height),
  });
  const { x, y } = place(cursor.row, cursor.column);
  const block =
    `<rect x="${x}" y="${y}" width="${CELL.width}" height="${CELL.height}" fill="${SCREEN.color}" opacity=".5"/>`;
  const texts = rows.flatMap((runs, row) =>
    runs.map((run) => runText(run, place(row, run.column)))
  );
  return [block, ...texts].join("\n");
}

function runText(
  { text, cells, look }: Run,
  { x, y }: { readonly x: number; readonly y: number },
): string {
  const width = round(cells * CELL.width);
  const box = look.background === undefined
    ? ""
    : `<rect x="${x}" y="${y}" width="${width}" height="${CELL.height}" fill="${look.background}"/>`;
  const color = look.color === SCREEN.color
    ? ""
    : ` fill="${look.color}" style="fill:${look.color}"`;
  const marks = look.marks === "" ? "" : ` class="${look.marks}"`;
  // The length of each run is set, so that no font moves what comes after it.
  return `${box}<text x="${x}" y="${round(y + 13.5)}" textLength="${width}"${marks}${color}>${
    escaped(text)
  }</text>`;
}

function runsOf(line: xterm.IBufferLine): Run[] {
  const runs: Run[] = [];
  for (let column = 0; column < line.length; column++) {
    const cell = line.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const [text, look] = [cell.getChars() || " ", lookOf(cell)];
    const before = runs.at(-1);
    const joins = before !== undefined && sameLook(before.look, look) && /^[ -~]+$/.test(text) &&
      /^[ -~]+$/.test(before.text) && before.column + before.cells === column;
    if (joins) {
      runs[runs.length - 1] = { ...before, text: before.text + text, cells: before.cells + 1 };
    } else runs.push({ text, column, cells: cell.getWidth(), look });
  }
  return runs.flatMap(trimmed);
}

/** Without trailing blanks; undefined if nothing is left. */
function trimmed(run: Run): Run[] {
  if (run.look.background !== undefined) return [run];
  const text = run.text.trimEnd();
  return text === "" ? [] : [{ ...run, text, cells: run.cells - (run.text.length - text.length) }];
}

function lookOf(cell: xterm.IBufferCell): Look {
  const front = colorOf(cell.isFgRGB(), cell.isFgDefault(), cell.getFgColor()) ?? SCREEN.color;
  const back = colorOf(cell.isBgRGB(), cell.isBgDefault(), cell.getBgColor());
  const isInverse = cell.isInverse() !== 0;
  const marks = [
    ...(cell.isBold() ? ["b"] : []),
    ...(cell.isItalic() ? ["i"] : []),
    ...(cell.isUnderline() ? ["u"] : []),
    ...(cell.isDim() ? ["d"] : []),
  ].join(" ");
  return isInverse
    ? { color: back ?? SCREEN.background, background: front, marks }
    : { color: front, background: back, marks };
}

function colorOf(isRgb: boolean, isDefault: boolean, color: number): string | undefined {
  if (isDefault) return undefined;
  if (isRgb) return `#${color.toString(16).padStart(6, "0")}`;
  return color < 16 ? BASIC[color] : hexOf(rgbOfIndex(color));
}

function hexOf(color: Rgb): string {
  return `#${color.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function sameLook(one: Look, other: Look): boolean {
  return one.color === other.color && one.background === other.background &&
    one.marks === other.marks;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
