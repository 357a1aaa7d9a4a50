// Our programs as a user starts them: processes with pipes, and bounded waits for what they print.

/** How a program is started. */
export interface ProgramOptions {
  readonly args?: readonly string[];
  /** The whole environment but for PATH; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** How a program ended and all it printed. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longest wait for one line: far above what anything needs, below a test run's patience. */
const PATIENCE_MS = 20_000;

/** Runs a program to its end, with nothing on its standard input. */
export async function runProgram(path: string, options: ProgramOptions = {}): Promise<Ended> {
  const { code, stdout, stderr } = await commandFor(path, options, "null").output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program of tests/helpers under `under`, with `told` as JSON on its input; gives what it printed. */
export async function runHelper(
  name: string,
  told: unknown,
  { under, ms }: { readonly under: readonly string[]; readonly ms: number },
): Promise<string> {
  const [path = "", ...before] = [...under, Deno.execPath(), "run", "-A", "--no-check"];
  const child = new Deno.Command(path, {
    args: [...before, `tests/helpers/${name}`],
    cwd: new URL("../../..", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(JSON.stringify(told)));
  await input.close();
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trimEnd();
}

/** A running program; disposing it kills what still runs. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  readonly #texts = { stdout: "", stderr: "" };
  #onText: () => void = () => {};
  #ended = false;

  constructor(path: string, options: ProgramOptions = {}) {
    this.#child = commandFor(path, options, "piped").spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = Promise.all([this.#read("stdout"), this.#read("stderr")]).then(() => {
      this.#ended = true;
      this.#onText();
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it has printed on standard output so far. */
  get stdout(): string {
    return this.#texts.stdout;
  }

  /** What it has printed on standard error so far. */
  get stderr(): string {
    return this.#texts.stderr;
  }

  /** Types one line. */
  async type(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Gives it bytes on its standard input. */
  async typeBytes(bytes: Uint8Array): Promise<void> {
    await this.#input.write(bytes);
  }

  /** Closes its standard input. */
  async endInput(): Promise<void> {
    await this.#input.close();
  }

  /** The match once standard output holds one; rejects when it ends or time runs out before. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#sees("stdout", pattern);
  }

  /** The same for standard error. */
  async complains(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#sees("stderr", pattern);
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Its exit code once it has ended by itself. */
  async end(patienceMs: number = PATIENCE_MS): Promise<number> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // It has ended.
    }
    await this.#child.status;
    await this.#reading;
    await this.#input.close().catch(() => {});
  }

  async #sees(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#onText();
    }, PATIENCE_MS);
    try {
      for (;;) {
        const match = pattern.exec(this.#texts[stream]);
        if (match) return match;
        if (late || this.#ended) {
          const why = late ? `within ${PATIENCE_MS / 1_000} s` : "before it ended";
          throw new Error(
            `nothing on ${stream} matched ${pattern} ${why}:\n${this.stdout}\n--- stderr\n${this.stderr}`,
          );
        }
        await new Promise<void>((resolve) => this.#onText = resolve);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(stream: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child[stream]) {
      this.#texts[stream] += decoder.decode(bytes, { stream: true });
      this.#onText();
    }
  }
}

function commandFor(
  path: string,
  options: ProgramOptions,
  stdin: "null" | "piped",
): Deno.Command {
  return new Deno.Command(path, {
    args: [...options.args ?? []],
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH") ?? "", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}
