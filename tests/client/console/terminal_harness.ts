// A prompt on a real terminal emulator (xterm.js, headless), with keys and time in the test's hand.
import xterm from "@xterm/headless";
import unicode11 from "@xterm/addon-unicode11";
import type { ChatConsole, UserEvent } from "../../../client/console/console.ts";
import type { Stopping, Tty } from "../../../client/terminal/terminal.ts";
import { EventQueue } from "../../../client/console/event_queue.ts";
import type { Timers } from "../../../client/terminal/paint_scheduler.ts";
import { Prompt } from "../../../client/console/prompt.ts";
import { PlainPrompt, type PlainPromptOptions } from "../../../client/console/plain_prompt.ts";
import type { PromptOptions } from "../../../client/console/prompt_options.ts";

/** Timers that run when the test says so. */
export class ManualTimers implements Timers {
  #now = 0;
  readonly #waiting = new Set<{ readonly due: number; readonly run: () => void }>();

  after(milliseconds: number, callback: () => void): () => void {
    const entry = { due: this.#now + milliseconds, run: callback };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  /** Lets time pass and runs what became due, in order. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = [...this.#waiting].filter((entry) => entry.due <= this.#now);
    for (const entry of due.sort((a, b) => a.due - b.due)) {
      if (this.#waiting.delete(entry)) entry.run();
    }
  }
}

/** Size and ways of the emulated terminal. */
export interface EmulatorOptions {
  readonly columns: number;
  readonly rows: number;
  /** False: widths of Unicode 6, as in terminals that know few emoji. */
  readonly modernWidths?: boolean;
  /** True: a line feed also returns to the left, as the system's terminal driver has it. */
  readonly convertsLineFeeds?: boolean;
  /** True: it answers questions, as real ones do. */
  readonly answers?: boolean;
}

/** xterm.js behind the Tty interface. */
export class EmulatedTty implements Tty {
  readonly input = new EventQueue<Uint8Array>();
  readonly terminal: xterm.Terminal;
  /** Everything written, one entry a write. */
  readonly writes: string[] = [];
  closed = false;
  /** Whether another program has it. */
  lent = false;
  #resized: () => void = () => {};
  #isUnheard = false;
  #parsed: Promise<void> = Promise.resolve();

  constructor(options: EmulatorOptions) {
    this.terminal = new xterm.Terminal({
      cols: options.columns,
      rows: options.rows,
      scrollback: 10_000,
      allowProposedApi: true,
      convertEol: options.convertsLineFeeds ?? false,
    });
    if (options.answers) {
      this.terminal.onData((text) => this.input.push(new TextEncoder().encode(text)));
    }
    if (options.modernWidths !== false) {
      this.terminal.loadAddon(new unicode11.Unicode11Addon());
      this.terminal.unicode.activeVersion = "11";
    }
  }

  get columns(): number {
    return this.terminal.cols;
  }

  get rows(): number {
    return this.terminal.rows;
  }

  write(text: string): void {
    this.writes.push(text);
    this.#parsed = new Promise((resolve) => this.terminal.write(text, resolve));
  }

  flush(): Promise<void> {
    return this.#parsed;
  }

  onResize(handler: () => void): void {
    this.#resized = handler;
  }

  suspend(): void {
    this.lent = true;
  }

  resume(): void {
    this.lent = false;
  }

  /** Whether the program was stopped. */
  stopped = false;
  /** What the program does when it is stopped from outside, and when it goes on. */
  stopHandlers = { stop: () => {}, goOn: () => {} };

  stopping: Stopping = "job";

  stop(): void {
    this.stopped = true;
  }

  onStop(handlers: { readonly stop: () => void; readonly goOn: () => void }): void {
    this.stopHandlers = handlers;
  }

  close(): Promise<void> {
    this.closed = true;
    this.input.close();
    return Promise.resolve();
  }

  /** The user changes the window. */
  resize(columns: number, rows: number): void {
    this.resizeUnheard(columns, rows);
    this.measure();
  }

  /** The same, while the signal that tells of it is still on its way. */
  resizeUnheard(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.#isUnheard = true;
  }

  measure(): void {
    if (!this.#isUnheard) return;
    this.#isUnheard = false;
    this.#resized();
  }

  /** The visible rows without blanks at their ends, empty rows at the bottom left out. */
  get screen(): string[] {
    const { baseY } = this.terminal.buffer.active;
    return trimEnd(this.#lines(baseY, baseY + this.rows).map((line) => line.text.trimEnd()));
  }

  /** Scrollback and screen as the lines that were printed: what the terminal wrapped is joined again. */
  get logicalLines(): string[] {
    const joined: string[] = [];
    for (const line of this.#lines(0, this.terminal.buffer.active.length)) {
      if (line.wrapped && joined.length > 0) joined[joined.length - 1] += line.text;
      else joined.push(line.text);
    }
    return trimEnd(joined);
  }

  /** Cursor on the screen, from 0. */
  get cursor(): { readonly row: number; readonly column: number } {
    const { cursorX, cursorY } = this.terminal.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  #lines(from: number, to: number): { text: string; wrapped: boolean }[] {
    const buffer = this.terminal.buffer.active;
    return Array.from({ length: to - from }, (_, index) => {
      const line = buffer.getLine(from + index);
      const next = buffer.getLine(from + index + 1);
      // Blanks at the end of a row that goes on in the next one belong to the text.
      const text = line?.translateToString(next?.isWrapped !== true) ?? "";
      return { text: next?.isWrapped ? text : text.trimEnd(), wrapped: line?.isWrapped ?? false };
    });
  }
}

/** A console in an emulator. */
export interface PromptContext<Console extends ChatConsole = Prompt> extends AsyncDisposable {
  readonly tty: EmulatedTty;
  readonly prompt: Console;
  readonly timers: ManualTimers;
  /** What the user did so far, in order. */
  readonly events: readonly UserEvent[];
  /** Types: the bytes that a terminal sends for the text, with a pause after each Enter. */
  type(text: string): Promise<void>;
  /** Sends bytes in one piece, as a terminal passes on what is pasted. */
  send(text: string): void;
  /** Waits until everything asked for is on the screen. */
  settle(): Promise<void>;
}

/** Opens a prompt `alice> ` in an emulator of the given size. */
export async function openPrompt(
  options: EmulatorOptions & PromptOptions,
): Promise<PromptContext> {
  const tty = new EmulatedTty(options);
  const timers = new ManualTimers();
  const prompt = Prompt.open(tty, { prompt: "alice> ", timers, reflow: "xterm.js", ...options });
  return await drive(prompt, { tty, timers });
}

/** Opens the prompt of --plain in an emulator of the given size. */
export async function openPlain(
  options: EmulatorOptions & Partial<PlainPromptOptions>,
): Promise<PromptContext<PlainPrompt>> {
  const tty = new EmulatedTty({ ...options, convertsLineFeeds: true });
  const timers = new ManualTimers();
  const prompt = PlainPrompt.open(tty, { brackets: true, timers, ...options });
  return await drive(prompt, { tty, timers });
}

async function drive<Console extends ChatConsole>(
  prompt: Console,
  { tty, timers }: { readonly tty: EmulatedTty; readonly timers: ManualTimers },
): Promise<PromptContext<Console>> {
  const events: UserEvent[] = [];
  const reading = collect(prompt, events);
  const settle = async () => {
    for (let round = 0; round < 4; round++) {
      await macrotask();
      await tty.flush();
      timers.advance(20);
    }
    await tty.flush();
  };
  await settle();
  return {
    tty,
    prompt,
    timers,
    events,
    settle,
    async type(text) {
      for (const line of text.split(/(?<=\r)/)) {
        tty.input.push(new TextEncoder().encode(line));
        await settle();
      }
    },
    send: (text) => tty.input.push(new TextEncoder().encode(text)),
    async [Symbol.asyncDispose]() {
      const closing = prompt.close();
      await settle();
      // A question to the terminal may be open, and nobody answers it.
      timers.advance(1_000);
      await closing;
      await reading;
      tty.terminal.dispose();
    },
  };
}

async function collect(prompt: ChatConsole, events: UserEvent[]): Promise<void> {
  for await (const event of prompt.events) events.push(event);
}

function macrotask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function trimEnd(lines: string[]): string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
}
