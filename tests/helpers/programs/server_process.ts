// The server as it really runs: `server/main.ts` in a process of its own, on a free port, its output collected.

import { V8_ARGUMENT } from "../../../scripts/build/v8_flags.ts";
import { residentBytes } from "./process_memory.ts";
import { within } from "../peers/v1_peer.ts";

/** How to start it. */
export interface ServerOptions {
  /** Options after `--port 0`, which they may override. */
  readonly args?: readonly string[];
  /** Variables beside PATH and HOME; nothing else of the test's environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Another program than `deno run server/main.ts`, such as a compiled one. */
  readonly command?: { readonly path: string; readonly args: readonly string[] };
  /** What it runs under, such as `ip netns exec NAME`. */
  readonly under?: readonly string[];
  /** Leave `--port 0` out, for commands that take no such option. */
  readonly bare?: boolean;
  /** The folder it works in; the repository when absent. */
  readonly cwd?: string;
}

/** What a finished process left behind. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running server. Disposing it kills it where it still runs. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** The line it printed when it was ready. */
  readonly banner: string;
  /** Its log so far. */
  readonly log: string;
  /** Resolves when the log matches, which it must within `ms`. */
  logged(pattern: RegExp, ms?: number): Promise<void>;
  /** The match once standard output holds one, which it must within `ms`. */
  printed(pattern: RegExp, ms?: number): Promise<RegExpExecArray>;
  /** Resolves when it has ended by itself. */
  ended(ms?: number): Promise<Finished>;
  /** Sends a signal and does not wait. */
  signal(signal: Deno.Signal): void;
  /** Sends a signal, waits for the end (at most `ms`) and tells how it went. */
  stop(signal?: Deno.Signal, ms?: number): Promise<Finished>;
  /** Bytes of memory that the process occupies now (Linux: resident). */
  memory(): number;
  /** Number of open files and sockets (Linux). */
  handles(): number;
}

const ROOT = new URL("../../..", import.meta.url);
const START_MS = 20_000;
const STOP_MS = 10_000;
const BANNER = /^(.* listening on (?:\[.*\]|[^\s:]+):(\d+) .*)$/m;
const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read", "--allow-sys=hostname,uid"];

/** Starts a server and resolves when it listens. Throws an Error with its output where it does not. */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const child = spawn(options);
  const stdout = new Collected(child.stdout);
  const stderr = new Collected(child.stderr);
  let match: RegExpExecArray | null;
  try {
    match = await stdout.until(BANNER, START_MS);
  } catch (cause) {
    kill(child, "SIGKILL");
    await stderr.done;
    throw new Error(`the server did not start: ${stderr.text || stdout.text}`, { cause });
  }
  const finish = async (): Promise<Finished> => {
    const [{ code }] = await Promise.all([child.status, stdout.done, stderr.done]);
    return { code, stdout: stdout.text, stderr: stderr.text };
  };
  return {
    port: Number(match[2]),
    pid: child.pid,
    banner: match[1] as string,
    get log() {
      return stderr.text;
    },
    async logged(pattern, ms) {
      await stderr.until(pattern, ms);
    },
    printed: (pattern, ms) => stdout.until(pattern, ms),
    ended: (ms = STOP_MS) => within(finish(), "the end of the server", ms),
    signal: (signal) => kill(child, signal),
    stop(signal = "SIGTERM", ms = STOP_MS) {
      kill(child, signal);
      return within(finish(), "the end of the server", ms);
    },
    memory: () => residentBytes(child.pid),
    handles: () => [...Deno.readDirSync(`/proc/${child.pid}/fd`)].length,
    async [Symbol.asyncDispose]() {
      kill(child, "SIGKILL");
      await finish();
    },
  };
}

/** Runs the server where it is expected to end by itself, within a bound. */
export async function runServer(options: ServerOptions = {}): Promise<Finished> {
  const child = spawn(options);
  const stdout = new Collected(child.stdout);
  const stderr = new Collected(child.stderr);
  try {
    const ended = Promise.all([child.status, stdout.done, stderr.done]);
    const [{ code }] = await within(ended, "the end of the server", START_MS);
    return { code, stdout: stdout.text, stderr: stderr.text };
  } finally {
    kill(child, "SIGKILL");
    await Promise.allSettled([child.status, stdout.done, stderr.done]);
  }
}

function spawn(
  { args = [], env = {}, command, cwd, under = [], bare = false }: ServerOptions,
): Deno.ChildProcess {
  const [path = "", ...outer] = [...under, command?.path ?? Deno.execPath()];
  const before = command?.args ??
    ["run", "--no-check", V8_ARGUMENT, "--no-prompt", ...PERMISSIONS, "server/main.ts"];
  const kept = ["PATH", "HOME", "DENO_DIR"].map((name) => [name, Deno.env.get(name) ?? ""]);
  return new Deno.Command(path, {
    args: [...outer, ...before, ...(bare ? [] : ["--port", "0"]), ...args],
    cwd: cwd ?? ROOT,
    clearEnv: true,
    env: {
      ...Object.fromEntries(kept.filter(([, value]) => value !== "")),
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Sends a signal to a child, also to one that has ended already. */
export function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // Both are ways of the runtime to say that it has ended.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A stream's text so far, and waits for what it will contain. */
class Collected {
  text = "";
  readonly done: Promise<void>;
  #ended = false;
  #more = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.done = this.#collect(stream);
  }

  until(pattern: RegExp, ms = 20_000): Promise<RegExpExecArray> {
    return within(this.#find(pattern), `output that matches ${pattern}`, ms);
  }

  async #find(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      if (this.#ended) throw new Error(`the process ended without ${pattern}`);
      await this.#more.promise;
    }
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      this.text += decoder.decode(bytes, { stream: true });
      this.#tell();
    }
    this.#ended = true;
    this.#tell();
  }

  #tell(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
