// Looking back: what was shown, in the alternate screen, page by page and by search. The conversation goes on meanwhile;
// its lines wait, and are painted where the user was when the view closes.

import { stripVTControlCharacters } from "node:util";
import type { UserKey } from "../terminal/key_reader.ts";
import { parseStyled, rowWidth, shortenEnd, usableColumns } from "../terminal/layout.ts";
import type { Tty } from "../terminal/terminal.ts";

/** One line that was shown: its styled rows for the present width, separated by line breaks. */
export type DrawLine = () => string;

/** What can be looked back at. */
export interface LookBackSource {
  /** What is in memory, oldest first. */
  readonly kept: readonly DrawLine[];
  /** Earlier lines; the view opens at once, and grows when they have come. */
  readonly earlier?: (() => Promise<readonly DrawLine[]>) | undefined;
}

const CSI = "\x1b[";
const ENTER = `${CSI}?1049h`;
const LEAVE = `${CSI}?1049l`;
const [SYNC_ON, SYNC_OFF] = [`${CSI}?2026h`, `${CSI}?2026l`];
const [WRAP_OFF, WRAP_ON] = [`${CSI}?7l`, `${CSI}?7h`];
const [INVERSE, RESET] = [`${CSI}7m`, `${CSI}m`];

const CLOSING = new Set(["escape", "enter", "ctrl-c", "ctrl-d", "ctrl-g"]);

interface ViewRow {
  readonly text: string;
  /** Index of its line. */
  readonly line: number;
}

/** A view that is open, from `open` to `close`. */
export class LookBack {
  readonly #tty: Tty;
  readonly #closed: () => void;
  #lines: readonly DrawLine[];
  #rows: readonly ViewRow[] = [];
  /** Plain texts of the lines, for the search. */
  #texts: readonly string[] = [];
  /** Rows below the window. */
  #below = 0;
  #newLines = 0;
  /** What is being typed after `/`; undefined while nothing is. */
  #typing: string | undefined;
  #query = "";
  /** Index of the line that was found last. */
  #found: number | undefined;
  #isOpen = true;

  private constructor(tty: Tty, source: LookBackSource, closed: () => void) {
    this.#tty = tty;
    this.#closed = closed;
    this.#lines = source.kept;
    this.#draw();
  }

  /** Shows the view; `closed` is called once when the user leaves it. A query is searched for at once. */
  static open(
    tty: Tty,
    source: LookBackSource,
    { query, closed }: { readonly query?: string | undefined; readonly closed: () => void },
  ): LookBack {
    const view = new LookBack(tty, source, closed);
    tty.write(ENTER);
    if (query === undefined) view.#scroll(view.#height);
    else view.#search(query);
    view.#paint();
    void source.earlier?.().then((lines) => view.#prepend(lines), () => {});
    return view;
  }

  /** Handles keys. */
  take(keys: readonly UserKey[]): void {
    for (const key of keys) {
      if (key.kind === "key") this.#key(key.key);
      else if (key.kind === "text") { for (const letter of key.text) this.#letter(letter); }
      if (!this.#isOpen) return;
    }
    this.#paint();
  }

  /** Something was said meanwhile. */
  note(): void {
    this.#newLines++;
    this.#paint();
  }

  /** The terminal has another size. */
  resized(): void {
    this.#draw();
    this.#paint();
  }

  /** Gives the screen back as it was. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#tty.write(LEAVE);
    this.#closed();
  }

  get #height(): number {
    return Math.max(1, this.#tty.rows - 1);
  }

  get #most(): number {
    return Math.max(0, this.#rows.length - this.#height);
  }

  #draw(): void {
    const rows: ViewRow[] = [];
    const texts: string[] = [];
    for (const [line, draw] of this.#lines.entries()) {
      const styled = draw();
      for (const text of styled.split("\n")) rows.push({ text, line });
      texts.push(folded(stripVTControlCharacters(styled).replace(/\s+/g, " ")));
    }
    [this.#rows, this.#texts] = [rows, texts];
    this.#below = Math.min(this.#below, this.#most);
  }

  #prepend(lines: readonly DrawLine[]): void {
    if (!this.#isOpen || lines.length === 0) return;
    if (this.#found !== undefined) this.#found += lines.length;
    this.#lines = [...lines, ...this.#lines];
    this.#draw();
    if (this.#query !== "" && this.#found === undefined) this.#search(this.#query);
    this.#paint();
  }

  #key(key: string): void {
    if (this.#typing !== undefined) return this.#queryKey(key);
    if (CLOSING.has(key)) return this.close();
    switch (key) {
      case "up":
      case "ctrl-p":
        return this.#scroll(1);
      case "down":
      case "ctrl-n":
        return this.#scroll(-1);
      case "page-up":
      case "ctrl-b":
        return this.#scroll(this.#height);
      case "page-down":
      case "ctrl-f":
        return this.#below === 0 ? this.close() : this.#scroll(-this.#height);
      case "home":
        return this.#scroll(this.#rows.length);
      case "end":
        return this.#scroll(-this.#rows.length);
    }
  }

  #letter(letter: string): void {
    if (this.#typing !== undefined) {
      this.#typing += letter;
      return;
    }
    switch (letter) {
      case "/":
        this.#typing = "";
        return;
      case "n":
        return this.#step(-1);
      case "N":
        return this.#step(1);
      case " ":
        return this.#key("page-down");
      case "g":
        return this.#key("home");
      case "G":
        return this.#key("end");
      case "k":
        return this.#scroll(1);
      case "j":
        return this.#scroll(-1);
      case "q":
        return this.close();
    }
  }

  #queryKey(key: string): void {
    const typed = this.#typing ?? "";
    if (key === "enter") {
      this.#typing = undefined;
      if (typed !== "") this.#search(typed);
    } else if (key === "backspace") this.#typing = [...typed].slice(0, -1).join("");
    else if (CLOSING.has(key)) this.#typing = undefined;
  }

  #scroll(by: number): void {
    this.#below = Math.max(0, Math.min(this.#below + by, this.#most));
  }

  /** Goes to the newest line with this text. */
  #search(query: string): void {
    this.#query = folded(query.replace(/\s+/g, " "));
    this.#found = undefined;
    this.#step(-1);
  }

  /** Goes to the next line with the text that is searched for; past the last one, the one that was found stays. */
  #step(by: 1 | -1): void {
    if (this.#query === "") return;
    const from = this.#found ?? this.#lines.length;
    for (let line = from + by; line >= 0 && line < this.#lines.length; line += by) {
      if (!this.#texts[line]?.includes(this.#query)) continue;
      this.#found = line;
      return this.#show(line);
    }
  }

  /** Moves as far as it takes for a line to be on the screen, with a few rows around it. */
  #show(line: number): void {
    const first = this.#rows.findIndex((row) => row.line === line);
    const top = this.#rows.length - this.#below - this.#height;
    const margin = Math.floor(this.#height / 3);
    if (first >= top && first < top + this.#height - 1) return;
    this.#below = this.#rows.length - this.#height - (first - margin);
    this.#scroll(0);
  }

  #paint(): void {
    if (!this.#isOpen) return;
    const end = this.#rows.length - this.#below;
    const shown = this.#rows.slice(Math.max(0, end - this.#height), end);
    // Erased first: behind a row that fills the terminal the cursor is still on its last letter.
    const rows = shown.map((row) => `${CSI}K${this.#painted(row)}${RESET}`);
    while (rows.length < this.#height) rows.push(`${CSI}K`);
    const status = shortenEnd(parseStyled(this.#status()), usableColumns(this.#tty.columns));
    const blanks = " ".repeat(Math.max(0, usableColumns(this.#tty.columns) - rowWidth(status)));
    const last = `${INVERSE}${status.map(({ text }) => text).join("")}${blanks}${RESET}${CSI}K`;
    this.#tty.write(
      `${SYNC_ON}${WRAP_OFF}${CSI}H${[...rows, last].join("\r\n")}${WRAP_ON}${SYNC_OFF}`,
    );
  }

  /** A row, with what was searched for in inverse. */
  #painted({ text, line }: ViewRow): string {
    if (line !== this.#found || this.#query === "") return text;
    const plain = stripVTControlCharacters(text);
    const at = plain.toLowerCase().indexOf(this.#query);
    if (at < 0) return text;
    const end = at + this.#query.length;
    return plain.slice(0, at) + INVERSE + plain.slice(at, end) + RESET + plain.slice(end);
  }

  #status(): string {
    if (this.#typing !== undefined) return `/${this.#typing}`;
    const parts = [this.#below === 0 ? "the end" : `${this.#below} rows back`];
    if (this.#newLines > 0) parts.push(`${this.#newLines} new`);
    if (this.#query !== "") parts.push(this.#searchText());
    return [...parts, "/ searches, n and N go to other hits, q returns"].join(" · ");
  }

  #searchText(): string {
    const lines = [...this.#texts.keys()].filter((line) =>
      this.#texts[line]?.includes(this.#query)
    );
    const at = lines.indexOf(this.#found ?? -1);
    return at < 0
      ? `not found: "${this.#query}"`
      : `"${this.#query}" ${lines.length - at} of ${lines.length}`;
  }
}

function folded(text: string): string {
  return text.toLowerCase();
}
