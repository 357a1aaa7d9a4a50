// The console without a terminal: plain lines in and out, for pipes, scripts and --plain.
import { LimitError } from "../../shared/base/errors.ts";
import type { LineIo } from "../terminal/terminal.ts";
import type { AskOptions, ChatConsole, UserEvent } from "./console.ts";
import { LineReader } from "./line_reader.ts";
import { LineWriter } from "./line_writer.ts";
import { type StatusText, wholeStatus } from "./status_fit.ts";

// A terminal in its line mode keeps no more of a line and drops the rest: 4,096 with the line break on Linux
// (N_TTY_BUF_SIZE), 1,024 on macOS (MAX_CANON).
const TERMINAL_LINE_BYTES = Deno.build.os === "darwin" ? 1_023 : 4_095;

const encoder = new TextEncoder();

function cutLine(): LimitError {
  return new LimitError(
    `Not sent: the terminal takes at most ${
      TERMINAL_LINE_BYTES - 1
    } bytes in a line and cut this one`,
    { hint: "`cmdchat-client send < FILE` sends a long text" },
  );
}

/** A chat console on streams. Reads only when a line is requested, so that a large input does not pile up. */
export class LineConsole implements ChatConsole {
  readonly events: AsyncIterable<UserEvent>;
  status = "";
  readonly #io: LineIo;
  readonly #reader: LineReader;
  readonly #writer: LineWriter;

  constructor(io: LineIo) {
    this.#io = io;
    this.#reader = new LineReader(io.input);
    this.#writer = new LineWriter((text) => io.write(text), () => this.#reader.end());
    this.events = { [Symbol.asyncIterator]: () => this.#readEvents() };
  }

  print(text: string): void {
    this.#writer.add(`${text}\n`);
  }

  /** Kept for `/status`: a stream has no status line. */
  setStatus(status: StatusText): void {
    this.status = wholeStatus(status);
  }

  /** Does nothing: written text does not change. */
  setLive(): void {}

  /** Does nothing: the reader of a stream is not called. */
  alert(): void {}

  /** Does nothing: a stream has no prompt. */
  setPrompt(): void {}

  /** Does nothing: a line that was read cannot be put back. */
  setInput(): void {}

  /** Does nothing: written text stays. */
  clear(): void {}

  async ask(question: string, options: AskOptions = {}): Promise<string | undefined> {
    const raw = options.hidden === true && this.#io.setEcho !== undefined;
    await this.#io.writeError(question.endsWith(" ") ? question : `${question} `);
    if (!raw) return await this.#reader.next({ first: true });
    this.#io.setEcho?.(false);
    try {
      return await this.#reader.next({ first: true, secret: true });
    } finally {
      this.#io.setEcho?.(true);
      await this.#io.writeError("\n");
    }
  }

  /** Closes the streams. Throws ConfigError, once, if output was lost. */
  async close(): Promise<void> {
    const written = this.#writer.close();
    await written.catch(() => {});
    this.#reader.end();
    await this.#io.close();
    await written;
  }

  async *#readEvents(): AsyncGenerator<UserEvent, void, undefined> {
    while (true) {
      const text = await this.#reader.next();
      if (text === undefined) break;
      yield this.#isCut(text) ? { kind: "cut", fault: cutLine() } : { kind: "line", text };
    }
    yield { kind: "end" };
  }

  /** Whether a terminal that edits lines itself has dropped the end of the line. */
  #isCut(text: string): boolean {
    return this.#io.setEcho !== undefined && encoder.encode(text).length >= TERMINAL_LINE_BYTES;
  }
}
