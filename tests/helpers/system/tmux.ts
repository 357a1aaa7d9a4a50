// Real terminals: tmux with a server of its own, a program in each pane, keys typed, the screen read.
//
// A pane runs the program under a small shell script that notes its process id, its exit code and the terminal's
// settings before and after it, so that every test can see whether the terminal was given back as it was.

import { CLIENT_RUNTIME } from "../programs/client_process.ts";

/** What runs in a pane. */
export interface PaneOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Variables beside PATH, HOME, DENO_DIR and what tmux sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Cells in a row; 100 unless told. */
  readonly columns?: number;
  /** Rows; 30 unless told. */
  readonly rows?: number;
}

/** A tmux server; disposing it ends it and all that runs in its panes. */
export interface Tmux extends AsyncDisposable {
  /** Starts a program in a terminal of its own. */
  open(options: PaneOptions): Promise<Pane>;
}

const ROOT = new URL("../../..", import.meta.url);
const PATIENCE_MS = 20_000;
const POLL_MS = 30;
const SETTINGS = `set-option -g status off
set-option -g history-limit 50000
set-option -s escape-time 0
`;
const KEPT = ["PATH", "HOME", "DENO_DIR"];
// `$0` is the folder for the notes; the program replaces the inner shell, so that the process id is its own.
const SCRIPT = `stty -a > "$0/before"
sh -c 'echo $$ > "$0/pid"; exec "$@"' "$0" "$@"
echo $? > "$0/code.new"
stty -a > "$0/after"
mv "$0/code.new" "$0/code"
exec sleep 3600`;

/** Starts a tmux server that reads nobody's settings. */
export async function startTmux(): Promise<Tmux> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-tmux-" });
  await Deno.writeTextFile(`${folder}/tmux.conf`, SETTINGS);
  const place = ["-S", `${folder}/socket`, "-f", `${folder}/tmux.conf`];
  const run = (args: readonly string[], input?: string) => runTmux([...place, ...args], input);
  const panes: Pane[] = [];
  let opened = 0;
  return {
    async open({ command, env = {}, columns = 100, rows = 30 }) {
      const name = `pane${opened++}`;
      const notes = `${folder}/${name}`;
      await Deno.mkdir(notes);
      const variables = Object.entries(env).flatMap(([key, value]) => ["-e", `${key}=${value}`]);
      const size = ["-x", String(columns), "-y", String(rows)];
      await run([
        "new-session",
        "-d",
        "-s",
        name,
        ...size,
        ...variables,
        "sh",
        "-c",
        SCRIPT,
        notes,
        ...command,
      ]);
      const pane = new Pane(name, { run, notes });
      panes.push(pane);
      return pane;
    },
    async [Symbol.asyncDispose]() {
      for (const pane of panes) await pane.kill();
      await run(["kill-server"]).catch(() => {}); // Without a pane there is none.
      await Deno.remove(folder, { recursive: true });
    },
  };
}

type Run = (args: readonly string[], input?: string) => Promise<string>;

/** Far above what a client takes for one burst of keys, below what a person needs. */
export const TYPING_PAUSE_MS = 60;

/** A terminal and the program in it. */
export class Pane {
  readonly #name: string;
  readonly #run: Run;
  readonly #notes: string;

  constructor(name: string, { run, notes }: { readonly run: Run; readonly notes: string }) {
    this.#name = name;
    this.#run = run;
    this.#notes = notes;
  }

  /** Types characters as they are. */
  async type(text: string): Promise<void> {
    await this.#run(["send-keys", "-t", this.#name, "-l", "--", text]);
  }

  /** Presses keys by tmux's names, such as `Enter`, `C-c`, `Up`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#run(["send-keys", "-t", this.#name, ...keys]);
  }

  /** Types a line and Enter, and rests as a person does: lines without a pause between them are a paste. */
  async enter(text: string): Promise<void> {
    await this.type(text);
    await this.press("Enter");
    await new Promise((resolve) => setTimeout(resolve, TYPING_PAUSE_MS));
  }

  /** Pastes, in brackets where the program has asked the terminal for them. */
  async paste(text: string): Promise<void> {
    await this.#run(["load-buffer", "-"], text);
    await this.#run(["paste-buffer", "-d", "-p", "-r", "-t", this.#name]);
  }

  /** Gives the terminal another size. */
  async resize(columns: number, rows: number): Promise<void> {
    const size = ["-x", String(columns), "-y", String(rows)];
    await this.#run(["resize-window", "-t", this.#name, ...size]);
  }

  /** The visible rows down to the last that is not blank; with escape sequences where `styled`. */
  async screen({ styled = false } = {}): Promise<string[]> {
    const how = styled ? ["-e"] : [];
    return rowsOf(await this.#run(["capture-pane", "-p", ...how, "-t", this.#name]));
  }

  /** The cell of the cursor on the screen, from 0. */
  async cursor(): Promise<{ readonly row: number; readonly column: number }> {
    const place = ["display-message", "-p", "-t", this.#name, "#{cursor_y} #{cursor_x}"];
    const [row = 0, column = 0] = (await this.#run(place)).trim().split(" ").map(Number);
    return { row, column };
  }

  /** The title that the program gave to its terminal. */
  async title(): Promise<string> {
    return (await this.#run(["display-message", "-p", "-t", this.#name, "#{pane_title}"]))
      .trimEnd();
  }

  /** Scrollback and screen, rows that the terminal itself wrapped joined. */
  async lines(): Promise<string[]> {
    return rowsOf(await this.#run(["capture-pane", "-p", "-J", "-S", "-", "-t", this.#name]))
      .map((line) => line.trimEnd());
  }

  /** What stands in the input line, from after the prompt to the status line, rows joined. */
  async typed(): Promise<string> {
    const rows = await this.screen();
    const first = rows.findLastIndex((row) => /^\S[^<>]*@[^<>]*>(?: |$)/.test(row));
    const text = rows.slice(first, -1).join("");
    return text.slice(text.indexOf(">") + 2);
  }

  /** The match once scrollback and screen, as one text, hold it. Rejects after `ms`. */
  async shows(pattern: RegExp, ms?: number): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null;
    const isThere = async () => (found = pattern.exec((await this.lines()).join("\n"))) !== null;
    await this.until(isThere, { what: String(pattern), ms });
    return found as unknown as RegExpExecArray;
  }

  /** Resolves when the input line holds exactly this. */
  holds(text: string): Promise<void> {
    return this.until(async () => await this.typed() === text, { what: `"${text}" typed` });
  }

  /** Resolves when something is so, asked again and again. Rejects after `ms` with what is on the screen. */
  async until(
    isSo: () => boolean | Promise<boolean>,
    { what, ms = PATIENCE_MS }: { readonly what: string; readonly ms?: number | undefined },
  ): Promise<void> {
    const end = performance.now() + ms;
    while (!await isSo()) {
      if (performance.now() > end) {
        throw new Error(
          `no ${what} within ${ms} ms; the screen:\n${(await this.screen()).join("\n")}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Sends the program a signal. */
  signal(signal: Deno.Signal): void {
    Deno.kill(this.#pid() as number, signal);
  }

  /** The program's exit code once it has ended. */
  async exit(ms?: number): Promise<number> {
    let code = "";
    const hasEnded = () => (code = this.#note("code")) !== "";
    await this.until(hasEnded, { what: "end of the program", ms });
    return Number(code);
  }

  /** The terminal's settings as `stty -a` tells them before the program began. */
  get settingsBefore(): string {
    return this.#note("before");
  }

  /** The same after it has ended. */
  get settingsAfter(): string {
    return this.#note("after");
  }

  /** Modes of the terminal that a program can leave behind: cursor, bracketed paste, wrapping and others. */
  modes(): Promise<string> {
    const flags = ["cursor_flag", "bracket_paste_flag", "wrap_flag", "insert_flag", "alternate_on"]
      .map((flag) => `${flag}=#{${flag}}`).join(" ");
    return this.#run(["display-message", "-p", "-t", this.#name, flags]);
  }

  /** Ends the program at once where it still runs. */
  async kill(): Promise<void> {
    const pid = this.#pid();
    if (pid === undefined || this.#note("code") !== "") return;
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.exit();
  }

  #pid(): number | undefined {
    const pid = Number(this.#note("pid"));
    return pid > 0 ? pid : undefined;
  }

  #note(name: string): string {
    try {
      return Deno.readTextFileSync(`${this.#notes}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }
}

function rowsOf(captured: string): string[] {
  const rows = captured.split("\n");
  return rows.slice(0, rows.findLastIndex((row) => row.trim() !== "") + 1);
}

async function runTmux(args: readonly string[], input = ""): Promise<string> {
  const kept = KEPT.map((name) => [name, Deno.env.get(name) ?? ""]);
  const child = new Deno.Command("tmux", {
    args: ["-u", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: {
      ...Object.fromEntries(kept.filter(([, value]) => value !== "")),
      LANG: "C.UTF-8",
      SHELL: "/bin/sh",
      DENO_NO_UPDATE_CHECK: "1",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // What reads no input closes it, which is not a fault.
  writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`tmux ${args[4]}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** The command line of the client from source; a chat without a name is anonymous, so that nobody is asked for one. */
export function clientCommand(...args: readonly string[]): string[] {
  const isChat = args.every((arg, at) => at > 0 || arg.startsWith("-"));
  const name = isChat && !args.includes("--name") ? ["--name", "anonymous"] : [];
  return [Deno.execPath(), ...CLIENT_RUNTIME, "client/main.ts", ...args, ...name];
}
