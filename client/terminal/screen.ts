// Paints the last rows: the input and the status line. Knows what is painted and where the cursor is, and writes
// only what changes. Its rules:
// 1. Printed text goes where the area begins, the terminal alone wraps it, and the area follows it.
// 2. Nothing above the area is ever changed: after a resize too little is erased rather than too much.
// 3. Every row of the area is one row of the terminal: auto-wrap is off while they are painted, and the cursor is
//    set by column after glyphs about whose width terminals disagree.
import { type Position, rewrap, type Row, rowWidth } from "./layout.ts";

/** What to show on the last rows. */
export interface Area {
  /** From top to bottom, each at most columns - 1 cells wide. */
  readonly rows: readonly Row[];
  readonly cursor: Position;
}

/**
 * What the terminal does when its width changes: wraps every row and keeps the cursor on its cell (most do);
 * moves the cursor down once for every new row, wherever it is, and mostly leaves its own alone (xterm.js);
 * or cuts.
 */
export type Reflow = "follow-cursor" | "xterm.js" | "cut";

/** The terminal's size and its behavior at a resize. */
export interface ScreenOptions {
  readonly columns: number;
  readonly rows: number;
  readonly reflow: Reflow;
}

const CSI = "\x1b[";
// Synchronized output (DEC mode 2026): the terminal shows the whole update at once. Unknown modes are ignored.
const SYNC_ON = `${CSI}?2026h`;
const SYNC_OFF = `${CSI}?2026l`;
const WRAP_OFF = `${CSI}?7l`;
const WRAP_ON = `${CSI}?7h`;
const ERASE_BELOW = `${CSI}J`;
const ERASE_RIGHT = `${CSI}K`;
const RESET = `${CSI}m`;
// Erases from the start of a row to the end of the screen, but not in one piece from the first cell: tmux takes that for
// the wish to clear the screen, and keeps what was erased in its scrollback.
const ERASE_AREA = `${ERASE_RIGHT}${CSI}C${ERASE_BELOW}\r`;

/** Keeps the painted area; every method returns the text to write. */
export class Screen {
  #columns: number;
  #rows: number;
  readonly #reflow: Reflow;
  #painted: readonly Row[] = [];
  #cursor: Position = { row: 0, column: 0 };
  /** Terminal rows from the area's first row to the cursor; differs from the cursor's row after a resize. */
  #offset = 0;
  /** Fewest rows of the terminal since the last paint, and how many it had then. */
  #fewestRows: number;
  #paintedRows: number;
  #stale = true;
  #prefix = "";
  /** Most rows of the screen that may have something above the area. */
  #above = Infinity;

  constructor(options: ScreenOptions) {
    this.#columns = options.columns;
    this.#rows = options.rows;
    this.#fewestRows = options.rows;
    this.#paintedRows = options.rows;
    this.#reflow = options.reflow;
  }

  /** Shows text above the area (already sanitized, `\n` between lines) and then the area. */
  paint(area: Area, above: readonly string[] = []): string {
    const whole = this.#stale || above.length > 0;
    const output = whole ? this.#paintAll(area, above) : this.#paintChanges(area);
    this.#painted = area.rows;
    this.#cursor = area.cursor;
    this.#offset = area.cursor.row;
    this.#fewestRows = this.#rows;
    this.#paintedRows = this.#rows;
    this.#stale = false;
    this.#prefix = "";
    return output;
  }

  /** Takes the terminal's new size; the next paint starts where the area's first row probably is. */
  resize(columns: number, rows: number): void {
    if (columns !== this.#columns || rows !== this.#rows) this.#above = Infinity;
    this.#columns = columns;
    this.#rows = rows;
    this.#fewestRows = Math.min(this.#fewestRows, rows);
    this.#offset = Math.min(this.#offsetAfterReflow(), rows - 1);
    this.#stale = true;
  }

  /** Makes the next paint begin with an empty screen; "all" also empties the scrollback. */
  clear(what: "screen" | "all"): void {
    // What is on the screen goes into the scrollback by line feeds: an erased message would be a lost one.
    const above = Math.min(this.#above, this.#rows);
    const scrolled = `${this.#start()}${CSI}${this.#rows}B${"\n".repeat(above)}${CSI}H`;
    this.#prefix = what === "all" ? `${CSI}H${ERASE_AREA}${CSI}3J` : scrolled;
    this.#offset = 0;
    this.#above = 0;
    this.#stale = true;
  }

  /** Shows a last text, wipes the area and leaves the cursor at the start of an empty row. */
  leave(above: readonly string[] = []): string {
    const output = this.#start() + lines(above);
    this.#above = Infinity;
    this.#painted = [];
    this.#offset = 0;
    this.#stale = true;
    return output;
  }

  /** Another program wrote to the terminal: the next paint starts at the cursor and erases nothing above it. */
  forget(): void {
    this.#painted = [];
    this.#cursor = { row: 0, column: 0 };
    this.#offset = 0;
    this.#above = Infinity;
    this.#stale = true;
  }

  #start(): string {
    const up = this.#offset > 0 ? `${CSI}${this.#offset}A` : "";
    return `${this.#prefix}\r${up}${ERASE_AREA}`;
  }

  #paintAll(area: Area, above: readonly string[]): string {
    this.#above += above.reduce((rows, text) => rows + mostRows(text, this.#columns), 0);
    const pen = new Pen({ row: 0, column: 0 }, 0);
    area.rows.forEach((row, index) => {
      pen.moveTo({ row: index, column: 0 });
      pen.write(row);
    });
    pen.moveTo(area.cursor);
    return SYNC_ON + this.#start() + lines(above) + WRAP_OFF + pen.output + WRAP_ON + SYNC_OFF;
  }

  #paintChanges(area: Area): string {
    const pen = new Pen(this.#cursor, this.#painted.length - 1);
    let changed = 0;
    area.rows.forEach((row, index) => {
      if (this.#paintRow(pen, row, index)) changed++;
    });
    if (area.rows.length < this.#painted.length) {
      pen.moveTo({ row: area.rows.length, column: 0 });
      pen.emit(ERASE_BELOW);
      changed++;
    }
    pen.moveTo(area.cursor);
    const guarded = pen.exact ? pen.output : WRAP_OFF + pen.output + WRAP_ON;
    return changed > 1 ? SYNC_ON + guarded + SYNC_OFF : guarded;
  }

  #paintRow(pen: Pen, row: Row, index: number): boolean {
    const old = this.#painted[index];
    const same = old === undefined ? 0 : sharedGlyphs(old, row);
    if (old !== undefined && same === row.length && same === old.length) return false;
    const column = rowWidth(row.slice(0, same));
    const fresh = row.slice(same);
    pen.moveTo({ row: index, column });
    const longer = old !== undefined && rowWidth(old) > rowWidth(row);
    // A glyph that is narrower in the terminal would leave a cell of the old row: erase before, not after.
    const risky = fresh.some((glyph) => !glyph.exact);
    if (old !== undefined && risky) pen.emit(ERASE_RIGHT);
    pen.write(fresh);
    if (longer && !risky) pen.emit(ERASE_RIGHT);
    return true;
  }

  #offsetAfterReflow(): number {
    const { row: cursorRow, column } = this.#cursor;
    if (this.#reflow === "cut" || this.#painted.length === 0) return this.#offset;
    const columns = this.#columns;
    const wrapped = this.#painted.map((row) => rewrap(row, { columns, column: 0 }).rows);
    const above = wrapped.slice(0, cursorRow).reduce((sum, rows) => sum + rows, 0);
    if (this.#reflow === "follow-cursor") {
      return above + rewrap(this.#painted[cursorRow] ?? [], { columns, column }).cursorRow;
    }
    // A terminal made lower drops rows from the bottom first; those were not wrapped.
    const dropped = this.#paintedRows - this.#fewestRows;
    const below = wrapped.slice(cursorRow + 1, Math.max(cursorRow + 1, wrapped.length - dropped));
    const added = below.reduce((sum, rows) => sum + rows - 1, 0);
    // It looks for the cursor's row from the bottom; a row added below makes it miss and wrap that one, too.
    return above + added + (added > 0 ? (wrapped[cursorRow] ?? 1) - 1 : 0);
  }
}

/** Most rows that a printed text takes: no character has more than two cells. */
function mostRows(text: string, columns: number): number {
  return text.split("\n").reduce(
    (rows, line) => rows + 1 + Math.floor(2 * line.length / columns),
    0,
  );
}

/** Printed texts for the terminal: each ends its line and its styles. */
function lines(texts: readonly string[]): string {
  return texts.map((text) => {
    const reset = text.includes("\x1b") && !/\[0?m$/.test(text) ? RESET : "";
    return `${text.replaceAll("\n", "\r\n")}${reset}\r\n`;
  }).join("");
}

function sharedGlyphs(left: Row, right: Row): number {
  let count = 0;
  for (; count < left.length && count < right.length; count++) {
    const [a, b] = [left[count], right[count]];
    if (a?.text !== b?.text || a?.style !== b?.style) break;
  }
  return count;
}

/** Collects output and tracks the cursor, in cells of the area. */
class Pen {
  output = "";
  /** False once a glyph was written about whose width terminals disagree. */
  exact = true;
  #row: number;
  #column: number;
  #lastRow: number;

  constructor(at: Position, lastRow: number) {
    this.#row = at.row;
    this.#column = at.column;
    this.#lastRow = lastRow;
  }

  emit(sequence: string): void {
    this.output += sequence;
  }

  moveTo(to: Position): void {
    const down = to.row - this.#row;
    if (down < 0) this.emit(`${CSI}${-down === 1 ? "" : -down}A`);
    if (down > 0) this.#moveDown(down, to);
    this.#row = to.row;
    this.#moveToColumn(to.column);
  }

  write(row: Row): void {
    let style = "";
    for (const glyph of row) {
      if (glyph.style !== style) this.emit((style === "" ? "" : RESET) + glyph.style);
      style = glyph.style;
      this.emit(glyph.text);
      this.#column += glyph.width;
      if (!glyph.exact) {
        this.exact = false;
        this.emit(`${CSI}${this.#column + 1}G`);
      }
    }
    if (style !== "") this.emit(RESET);
    // Cells that a wide emoji took beyond its two.
    if (row.at(-1)?.exact === false) this.emit(ERASE_RIGHT);
  }

  #moveDown(by: number, to: Position): void {
    // A line feed makes the row where there is none yet; a cursor movement would stop at the last one.
    if (to.row > this.#lastRow || to.column === 0) {
      this.emit(`\r${"\n".repeat(by)}`);
      this.#column = 0;
    } else {
      this.emit(`${CSI}${by === 1 ? "" : by}B`);
    }
    this.#lastRow = Math.max(this.#lastRow, to.row);
  }

  #moveToColumn(column: number): void {
    if (column === this.#column) return;
    if (column === 0) this.emit("\r");
    else if (column === this.#column - 1) this.emit("\b");
    else this.emit(`${CSI}${column + 1}G`);
    this.#column = column;
  }
}
