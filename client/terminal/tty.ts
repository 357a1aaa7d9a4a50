// The real terminal. Only this file uses Deno.stdin, Deno.stdout, the terminal's size and raw mode.
import process from "node:process";
import { retried, STDOUT, tryWrite, writeAll } from "../../shared/cli/write_all.ts";
import type { LineIo, Stopping, Tty } from "./terminal.ts";
import { PASTE_BRACKETS_OFF, TERMINAL_MODES_OFF } from "./terminal_modes.ts";
import type { Reflow } from "./screen.ts";

const FALLBACK_SIZE = { columns: 80, rows: 24 };
const READ_BYTES = 65_536;
/** Signals that end the program, and its exit code then: 128 and the signal's number. */
const EXIT_BY_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;

/** A signal that ends the program. */
export type ExitSignal = keyof typeof EXIT_BY_SIGNAL;

const EXIT_SIGNALS = Object.keys(EXIT_BY_SIGNAL) as ExitSignal[];

/** Whether input and output are a terminal that understands cursor movement. */
export function isInteractive(getEnv: (name: string) => string | undefined): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal() && getEnv("TERM") !== "dumb";
}

/** Whether input and output are a terminal of which nothing is known but lines. */
export function isDumbTerminal(getEnv: (name: string) => string | undefined): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal() && getEnv("TERM") === "dumb";
}

/** Whether a person may type: the input is a terminal. */
export function hasKeyboard(): boolean {
  return Deno.stdin.isTerminal();
}

/** Width of the terminal behind a stream in cells; undefined if the stream is no terminal. */
export function columnsOf(stream: "stdout" | "stderr"): number | undefined {
  if (!Deno[stream].isTerminal()) return undefined;
  try {
    return Deno.consoleSize().columns || FALLBACK_SIZE.columns;
  } catch {
    return FALLBACK_SIZE.columns;
  }
}

/** How the terminal treats long rows at a resize, guessed from the environment. */
export function detectReflow(getEnv: (name: string) => string | undefined): Reflow {
  if (getEnv("TMUX")) return "follow-cursor";
  const term = getEnv("TERM") ?? "";
  if (getEnv("XTERM_VERSION") || getEnv("STY") || /^(linux|rxvt|st-|screen|putty)/.test(term)) {
    return "cut";
  }
  return getEnv("TERM_PROGRAM") === "vscode" ? "xterm.js" : "follow-cursor";
}

/** What the owner of the terminal is told. */
export interface OpenTtyOptions {
  /** Called for a signal that ends the program, with the terminal restored; by default the program exits. */
  readonly onTerminate?: (signal: ExitSignal) => void;
}

/** Takes the terminal in raw mode; it is restored by `close`, at exit, by a signal and by an uncaught error. */
export function openTty(options: OpenTtyOptions = {}): Tty {
  return new DenoTty({ ...options, sink: STDOUT, modesOff: TERMINAL_MODES_OFF });
}

/** A terminal for typed lines that sends no sequence but the brackets around a paste, where `brackets` is set. */
export function openPlainTty(options: OpenTtyOptions & { readonly brackets: boolean }): PlainTty {
  const isShown = Deno.stdout.isTerminal();
  const sink = isShown ? STDOUT : Deno.stderr.isTerminal() ? Deno.stderr : NOWHERE;
  const modesOff = options.brackets ? PASTE_BRACKETS_OFF : "";
  const tty = new DenoTty({ ...options, sink, modesOff });
  const encoder = new TextEncoder();
  return {
    tty,
    redirected: isShown ? undefined : (text) => writeAll(STDOUT, encoder.encode(text)),
  };
}

/** A terminal for typed lines. */
export interface PlainTty {
  readonly tty: Tty;
  /** Writes to standard output where that is another place than the terminal. */
  readonly redirected: ((text: string) => Promise<void>) | undefined;
}

/** Where typed text is shown. */
interface TtySink {
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
}

/** For a terminal that only the input is of. */
const NOWHERE: TtySink = {
  write: (bytes) => Promise.resolve(bytes.length),
  writeSync: (bytes) => bytes.length,
};

interface DenoTtyOptions extends OpenTtyOptions {
  readonly sink: TtySink;
  /** Written when the terminal is given back at any end. */
  readonly modesOff: string;
}

/** Standard input and output as lines for LineConsole. */
export function openLineIo(): LineIo {
  const stdin = openStdin();
  const encoder = new TextEncoder();
  return {
    input: stdin.input,
    write: (text) => writeAll(STDOUT, encoder.encode(text)),
    writeError: (text) => writeAll(Deno.stderr, encoder.encode(text)),
    ...(Deno.stdin.isTerminal() ? { setEcho: createEchoSwitch() } : {}),
    close: stdin.close,
  };
}

/** Switches echo off and on. While it is off, a signal ends the program at once, with echo on again. */
function createEchoSwitch(): (on: boolean) => void {
  const removers: (() => void)[] = [];
  return (on) => {
    for (const remove of removers.splice(0)) remove();
    Deno.stdin.setRaw(!on);
    if (on) return;
    const restore = () => Deno.stdin.setRaw(false);
    globalThis.addEventListener("unload", restore);
    removers.push(() => globalThis.removeEventListener("unload", restore));
    if (Deno.build.os === "windows") return;
    for (const signal of EXIT_SIGNALS) {
      const exit = () => {
        restore();
        Deno.exit(EXIT_BY_SIGNAL[signal]);
      };
      Deno.addSignalListener(signal, exit);
      removers.push(() => Deno.removeSignalListener(signal, exit));
    }
  };
}

class DenoTty implements Tty {
  columns = FALLBACK_SIZE.columns;
  rows = FALLBACK_SIZE.rows;
  readonly input: AsyncIterable<Uint8Array>;
  readonly #stdin = openStdin();
  readonly #encoder = new TextEncoder();
  readonly #removers: (() => void)[] = [];
  readonly #options: DenoTtyOptions;
  #queue = "";
  #pump: Promise<void> | undefined;
  #resized: () => void = () => {};
  #restored = false;
  #isLent = false;
  #atEnd = "";
  #stopHandlers = { stop: () => {}, goOn: () => {} };

  readonly stopping = stoppingHere();

  constructor(options: DenoTtyOptions) {
    this.#options = options;
    Deno.stdin.setRaw(true);
    this.input = this.#stdin.input;
    this.#measure();
    this.#guardExits();
  }

  write(text: string): void {
    this.#queue += text;
    this.#pump ??= this.#drain();
  }

  flush(): Promise<void> {
    return this.#pump ?? Promise.resolve();
  }

  onResize(handler: () => void): void {
    this.#resized = handler;
  }

  measure(): void {
    const { columns, rows } = this;
    this.#measure();
    if (columns !== this.columns || rows !== this.rows) this.#resized();
  }

  suspend(): void {
    this.#isLent = true;
    Deno.stdin.setRaw(false);
  }

  resume(): void {
    this.#isLent = false;
    if (!this.#restored) Deno.stdin.setRaw(true);
    this.#measure();
  }

  atEnd(text: string): void {
    this.#atEnd = text;
  }

  onStop(handlers: { readonly stop: () => void; readonly goOn: () => void }): void {
    this.#stopHandlers = handlers;
  }

  stop(): void {
    Deno.stdin.setRaw(false);
    // The whole job: a program that started this one would otherwise keep the terminal.
    if (this.stopping === "job") process.kill(0, "SIGSTOP");
    if (this.stopping === "self") Deno.kill(Deno.pid, "SIGSTOP");
  }

  async close(): Promise<void> {
    await this.flush().catch(() => {});
    this.#restore();
    await this.#stdin.close();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue !== "") {
        const bytes = this.#encoder.encode(this.#queue);
        this.#queue = "";
        await writeAll(this.#options.sink, bytes);
      }
    } finally {
      this.#pump = undefined;
    }
  }

  #measure(): void {
    try {
      const { columns, rows } = Deno.consoleSize();
      // A terminal that does not know its size says 0.
      this.columns = columns || FALLBACK_SIZE.columns;
      this.rows = rows || FALLBACK_SIZE.rows;
    } catch {
      // Output without a size: the last known one stays.
    }
  }

  #guardExits(): void {
    const { onTerminate } = this.#options;
    const restore = () => this.#restore();
    for (const event of ["unload", "error", "unhandledrejection"]) {
      globalThis.addEventListener(event, restore);
      this.#removers.push(() => globalThis.removeEventListener(event, restore));
    }
    this.#onSignal("SIGWINCH", () => {
      this.#measure();
      this.#resized();
    });
    if (Deno.build.os === "windows") return;
    this.#onSignal("SIGCONT", () => this.#goOn());
    if (this.stopping !== "keyboard") {
      this.#onSignal("SIGTSTP", () => this.#isLent || this.#stopHandlers.stop());
    }
    for (const signal of EXIT_SIGNALS) {
      this.#onSignal(signal, () => {
        // Ctrl-C and Ctrl-\ in another program are meant for that program.
        if (this.#isLent && (signal === "SIGINT" || signal === "SIGQUIT")) return;
        this.#restore();
        if (onTerminate === undefined) Deno.exit(EXIT_BY_SIGNAL[signal]);
        onTerminate(signal);
      });
    }
  }

  /** The shell has given the terminal back, in its own mode. */
  #goOn(): void {
    if (this.#restored || this.#isLent) return;
    Deno.stdin.setRaw(true);
    this.#measure();
    this.#stopHandlers.goOn();
  }

  #onSignal(signal: Deno.Signal, handler: () => void): void {
    Deno.addSignalListener(signal, handler);
    this.#removers.push(() => Deno.removeSignalListener(signal, handler));
  }

  /** Synchronous, since it also runs when the event loop has stopped. */
  #restore(): void {
    if (this.#restored) return;
    this.#restored = true;
    for (const remove of this.#removers.splice(0)) remove();
    tryWrite(this.#options.sink, this.#options.modesOff + this.#atEnd);
    try {
      Deno.stdin.setRaw(false);
    } catch {
      // The terminal is gone; there is nothing to put back.
    }
  }
}

/** What of itself the program may stop: signals to others need the right to start programs. */
function stoppingHere(): Stopping {
  if (Deno.build.os === "windows") return "keyboard";
  if (Deno.permissions.querySync({ name: "run" }).state === "granted") return "job";
  try {
    // A program that runs takes no notice of this signal.
    Deno.kill(Deno.pid, "SIGCONT");
    return "self";
  } catch {
    return "keyboard";
  }
}

/** Standard input as chunks. A stream that another program left non-blocking is read again until it has bytes. */
function openStdin(): { readonly input: AsyncIterable<Uint8Array>; close(): Promise<void> } {
  let isClosed = false;
  /** The read that is waited for: a promise for the end of all reads would keep something of each. */
  let reading: PromiseWithResolvers<number | null> | undefined;
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    while (!isClosed) {
      const buffer = new Uint8Array(READ_BYTES);
      const { promise, resolve, reject } = reading = Promise.withResolvers<number | null>();
      // After `close` nobody waits for it any more.
      retried(() => Deno.stdin.read(buffer)).then(resolve, reject);
      const count = await promise;
      if (count === null) return;
      yield buffer.subarray(0, count);
    }
  }
  return {
    input: read(),
    close() {
      isClosed = true;
      reading?.resolve(null);
      return Promise.resolve();
    },
  };
}

/**
 * Reads the first line of standard input and not a byte more: the rest is left for the chat. Somebody at a terminal is
 * asked for it.
 */
export function readFirstLine(maxBytes: number, question: string): string {
  if (Deno.stdin.isTerminal()) tryWrite(Deno.stderr, question);
  const bytes: number[] = [];
  const byte = new Uint8Array(1);
  while (bytes.length < maxBytes && Deno.stdin.readSync(byte) === 1 && byte[0] !== 0x0a) {
    bytes.push(byte[0] as number);
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
