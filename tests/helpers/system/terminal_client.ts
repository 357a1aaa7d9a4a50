// The client as a person runs it: `client/main.ts` on a pseudo-terminal (util-linux's `script`), its output shown by
// xterm.js, and what the emulator answers typed back, as a real terminal does.
import unicode11 from "@xterm/addon-unicode11";
import xterm from "@xterm/headless";
import { TYPING_PAUSE_MS } from "./tmux.ts";
import { within } from "../peers/v1_peer.ts";
import { CLIENT_RUNTIME } from "../programs/client_process.ts";

/**
 * What the client asks of a terminal beside styles and moves: the background's color, how wide some texts are, and
 * links, each to exactly the address that its text shows.
 */
export const OWN_QUESTIONS =
  // deno-lint-ignore no-control-regex -- escape sequences
  /\x1b\]11;\?\x1b\\\x1b\[c|\x1b\[\?2026h(?:\r[^\x00-\x7f]{2,5}\x1b\[6n){6}\r\x1b\[K\x1b\[\?2026l\x1b\[c|\x1b\]8;(?:id=1)?;(https?:\/\/[!-~]+)\x1b\\\x1b\[4m\1\x1b\[0m\x1b\]8;;\x1b\\/g;

/** What xterm.js answers to that, and nothing else: six widths, what it is, and (it tells no color) once more. */
// deno-lint-ignore no-control-regex -- escape sequences
export const OWN_REPLIES = /^(?:\x1b\[\d+;\d+R){6}(?:\x1b\[\?1;2c){2}$/;

/** How to start it. */
export interface TerminalClientOptions {
  /** Options of the client. */
  readonly args: readonly string[];
  /** Variables beside PATH, HOME and TERM; nothing else of the test's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
}

const ROOT = new URL("../../..", import.meta.url);
const PATIENCE_MS = 20_000;

/** A client in an emulated terminal. Disposing it kills it. */
export class TerminalClient implements AsyncDisposable {
  /** What the terminal itself sent to the program: answers to questions, reports. */
  readonly replies: string[] = [];
  /** Titles that were set, bells that rang. */
  readonly noises: string[] = [];
  /** What the program wrote, as far as the terminal has shown it. */
  raw = "";
  readonly terminal: xterm.Terminal;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #shown = Promise.withResolvers<void>();
  #ended = false;

  constructor({ args, env = {}, columns = 80, rows = 24 }: TerminalClientOptions) {
    this.terminal = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: 50_000,
      allowProposedApi: true,
    });
    this.terminal.loadAddon(new unicode11.Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
    this.#child = spawn(args, { env, columns, rows });
    this.#input = this.#child.stdin.getWriter();
    this.#listen();
    this.#reading = this.#read();
  }

  /** The process that the program runs under. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Scrollback and screen, rows that the terminal wrapped joined. */
  get lines(): string[] {
    const { active } = this.terminal.buffer;
    const lines: string[] = [];
    for (let row = 0; row < active.length; row++) {
      const line = active.getLine(row);
      const text = line?.translateToString(active.getLine(row + 1)?.isWrapped !== true) ?? "";
      if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
  }

  /** Types: the bytes that a terminal sends for the text. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
    if (text.endsWith("\r")) await new Promise((rest) => setTimeout(rest, TYPING_PAUSE_MS));
  }

  /** Resolves when a line of scrollback or screen matches, which it must in time. */
  shows(pattern: RegExp, ms = PATIENCE_MS): Promise<void> {
    const isShown = () => this.lines.some((line) => pattern.test(line));
    return this.until(isShown, { what: `a line that matches ${pattern}`, ms });
  }

  /** Resolves when something is so, asked after each output. */
  async until(
    isSo: () => boolean,
    { what, ms = PATIENCE_MS }: { readonly what: string; readonly ms?: number },
  ): Promise<void> {
    try {
      await within(this.#wait(isSo), what, ms);
    } catch (cause) {
      const last = this.lines.slice(-12).join("\n");
      throw new Error(`nothing of ${what}; the last lines are\n${last}`, { cause });
    }
  }

  /** Resolves when the program is not in the middle of a paint. */
  settled(): Promise<void> {
    const isWhole = () =>
      this.raw.lastIndexOf("\x1b[?7l") <= this.raw.lastIndexOf("\x1b[?7h") &&
      this.raw.lastIndexOf("\x1b[?2026h") <= this.raw.lastIndexOf("\x1b[?2026l");
    return this.until(isWhole, { what: "a whole paint" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.#child.status;
    await this.#reading;
    await this.#input.close().catch(() => {});
    this.terminal.dispose();
  }

  #listen(): void {
    const answer = (data: string) => {
      this.replies.push(data);
      this.type(data).catch(() => {});
    };
    this.terminal.onData(answer);
    this.terminal.onBinary(answer);
    this.terminal.onTitleChange((title) => this.noises.push(`title ${title}`));
    this.terminal.onBell(() => this.noises.push("bell"));
  }

  async #wait(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#ended) throw new Error("the client ended");
      await this.#shown.promise;
    }
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stdout) {
      const text = decoder.decode(bytes, { stream: true });
      await new Promise<void>((parsed) => this.terminal.write(text, parsed));
      this.raw += text;
      this.#tell();
    }
    this.#ended = true;
    this.#tell();
  }

  #tell(): void {
    this.#shown.resolve();
    this.#shown = Promise.withResolvers();
  }
}

function spawn(
  args: readonly string[],
  { env, columns, rows }: Required<Omit<TerminalClientOptions, "args">>,
): Deno.ChildProcess {
  const program = [Deno.execPath(), ...CLIENT_RUNTIME, "client/main.ts", ...args];
  const command = `stty rows ${rows} cols ${columns}; exec ${program.map(shellWord).join(" ")}`;
  const kept = ["PATH", "HOME", "DENO_DIR"].map((name) => [name, Deno.env.get(name) ?? ""]);
  return new Deno.Command("script", {
    args: ["-qfec", command, "/dev/null"],
    cwd: ROOT,
    clearEnv: true,
    env: {
      ...Object.fromEntries(kept.filter(([, value]) => value !== "")),
      TERM: "xterm-256color",
      SHELL: "/bin/sh",
      DENO_NO_UPDATE_CHECK: "1",
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

function shellWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
