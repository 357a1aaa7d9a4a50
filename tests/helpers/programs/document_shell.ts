// A shell that types what the documents show users, with the client and the user's own programs in PATH.

import { temporaryHome } from "./client_process.ts";
import { type Ended, Program } from "./programs.ts";

/** How a block is typed. */
export interface Typing {
  readonly shell?: "sh" | "bash";
  readonly env?: Readonly<Record<string, string>>;
}

/** A home in which documents' commands run. */
export class DocumentShell implements Disposable {
  /** The home, which is the working folder too. */
  readonly home: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #groups: number[] = [];

  private constructor(home: string, env: Readonly<Record<string, string>>) {
    this.home = home;
    this.#env = env;
  }

  /** A home with `cmdchat-client` from source, whose variables lead to `server`. */
  static async open(server: { readonly port: number }): Promise<DocumentShell> {
    const home = temporaryHome();
    const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
    const path = `${home}/bin:${Deno.env.get("PATH")}`;
    const shell = new DocumentShell(home, {
      HOME: home,
      PATH: path,
      DENO_DIR: denoDir,
      NO_COLOR: "1",
      CMDCHAT_PORT: String(server.port),
    });
    await Deno.mkdir(`${home}/bin`);
    const entry = new URL("../../../client/main.ts", import.meta.url).pathname;
    await shell.program(
      "cmdchat-client",
      `echo $$ >> "$HOME/client.pids"\nexec '${Deno.execPath()}' run --no-check -A '${entry}' "$@"`,
    );
    return shell;
  }

  /** Makes an `npx` that knows this Deno alone and works in the checkout: tests download nothing. */
  async provideNpx(): Promise<void> {
    const root = new URL("../../../", import.meta.url).pathname;
    const version = `deno@${Deno.version.deno}`;
    await this.program(
      "npx",
      `[ "$1 $2" = "-y ${version}" ] || exit 64\nshift 2\ncd '${root}'\nexec '${Deno.execPath()}' "$@"`,
    );
  }

  /** Makes a program of the user's own, which a document takes for granted. */
  async program(name: string, script: string): Promise<void> {
    await Deno.writeTextFile(`${this.home}/bin/${name}`, `#!/bin/sh\n${script}\n`);
    await Deno.chmod(`${this.home}/bin/${name}`, 0o755);
  }

  /** Starts typing `script`; `name` is what the client is called, unless the script says otherwise. */
  start(script: string, name: string, { shell = "sh", env = {} }: Typing = {}): Program {
    // A group of its own: a pipe such as `tail -F … |` ends with its shell.
    const program = new Program("setsid", {
      args: [shell, "-c", script],
      env: { ...this.#env, CMDCHAT_NAME: name, ...env },
      cwd: this.home,
    });
    this.#groups.push(program.pid);
    return program;
  }

  /** Types `script` to its end, with nothing on its standard input. */
  async run(script: string, name: string, typing?: Typing): Promise<Ended> {
    await using program = this.start(script, name, typing);
    await program.endInput();
    const code = await program.end();
    return { code, stdout: program.stdout, stderr: program.stderr };
  }

  /** Ends the clients that were started here, as Ctrl-C does, and so the pipes behind them. */
  async endClients(): Promise<void> {
    const pids = (await Deno.readTextFile(`${this.home}/client.pids`)).trim().split("\n");
    for (const pid of pids) end(Number(pid), "SIGINT");
  }

  /** Ends everything that was typed. */
  [Symbol.dispose](): void {
    for (const group of this.#groups) end(-group, "SIGKILL");
  }
}

function end(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** A line of a block without its comment, by its first words. Throws an Error where there is none. */
export function lineOf(block: string, start: string): string {
  const line = block.split("\n").find((line) => line.startsWith(start));
  if (line === undefined) throw new Error(`no line begins with ${start}`);
  return line.replace(/ +#.*$/, "");
}
