// A terminal emulator between two marker rows: says what a text did to it beside showing characters.
import unicode11 from "@xterm/addon-unicode11";
import xterm from "@xterm/headless";

const COLUMNS = 80;
const ROWS = 24;
const TOP = "top";
const BOTTOM = "bottom";

/** What text did to a terminal; `faults` is empty where it only filled cells of its own rows. */
export interface Witnessed {
  readonly faults: readonly string[];
  /** The text's lines as the terminal shows them, wrapped rows joined. */
  readonly lines: readonly string[];
}

/** Prints `text` (its lines ended by `\n`) between two rows in a fresh terminal of 80 × 24 cells. */
export async function witness(text: string): Promise<Witnessed> {
  const terminal = openTerminal({ columns: COLUMNS, unicode: "11" });
  try {
    return await watch(terminal, text);
  } finally {
    terminal.dispose();
  }
}

/** Widths of characters as terminals have them: of old ones or of new ones. */
export type WidthTable = "6" | "11";

/** A row of a terminal; `isWrapped`: whether the terminal made it because the row before was full. */
export interface WitnessedRow {
  readonly text: string;
  readonly isWrapped: boolean;
}

/** Prints `text` in a fresh terminal and gives its rows. */
export async function rowsIn(
  text: string,
  options: { readonly columns: number; readonly unicode: WidthTable },
): Promise<readonly WitnessedRow[]> {
  const terminal = openTerminal(options);
  try {
    await new Promise<void>((parsed) => terminal.write(text.replaceAll("\n", "\r\n"), parsed));
    const { active } = terminal.buffer;
    return Array.from({ length: active.baseY + active.cursorY + 1 }, (_, row) => {
      const line = active.getLine(row);
      return { text: line?.translateToString(true) ?? "", isWrapped: line?.isWrapped ?? false };
    });
  } finally {
    terminal.dispose();
  }
}

function openTerminal(
  { columns, unicode }: { readonly columns: number; readonly unicode: WidthTable },
): xterm.Terminal {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows: ROWS,
    scrollback: 20_000,
    allowProposedApi: true,
  });
  if (unicode === "11") {
    terminal.loadAddon(new unicode11.Unicode11Addon());
    terminal.unicode.activeVersion = "11";
  }
  return terminal;
}

async function watch(terminal: xterm.Terminal, text: string): Promise<Witnessed> {
  const faults: string[] = [];
  terminal.onData((data) => faults.push(`types ${JSON.stringify(data)}`));
  terminal.onBinary((data) => faults.push(`types ${JSON.stringify(data)}`));
  terminal.onTitleChange((title) => faults.push(`sets the title ${JSON.stringify(title)}`));
  terminal.onBell(() => faults.push("rings"));
  const modes = JSON.stringify(terminal.modes);
  const rows = `${TOP}\n${text}\n${BOTTOM}`.replaceAll("\n", "\r\n");
  await new Promise<void>((parsed) => terminal.write(rows, parsed));
  if (JSON.stringify(terminal.modes) !== modes) faults.push("changes a mode");
  if (terminal.buffer.active.type !== "normal") faults.push("leaves the screen");
  const lines = logicalLines(terminal);
  const wanted = text.split("\n").length;
  if (lines[0] !== TOP) faults.push("writes into the row above");
  if (lines.length !== wanted + 2) faults.push(`takes ${lines.length - 2} lines, not ${wanted}`);
  if (lines.at(-1) !== BOTTOM) faults.push("writes into the row below");
  if (terminal.buffer.active.cursorX !== BOTTOM.length) faults.push("moves the cursor");
  if (isPainted(terminal)) faults.push("paints what comes after it");
  return { faults, lines: lines.slice(1, -1) };
}

/** All rows down to the cursor's, wrapped ones joined. */
function logicalLines(terminal: xterm.Terminal): string[] {
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let row = 0; row <= active.baseY + active.cursorY; row++) {
    const line = active.getLine(row);
    const goesOn = active.getLine(row + 1)?.isWrapped === true;
    const text = line?.translateToString(!goesOn) ?? "";
    if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
    else lines.push(text);
  }
  return lines;
}

function isPainted(terminal: xterm.Terminal): boolean {
  const { active } = terminal.buffer;
  const cell = active.getLine(active.baseY + active.cursorY)?.getCell(0);
  return cell === undefined || !cell.isAttributeDefault();
}
