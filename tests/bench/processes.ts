// The processes that the benchmark measures or that make its load: their words, their memory, their time.

import { V8_ARGUMENT } from "../../scripts/build/v8_flags.ts";
import type { TestCertificate } from "../helpers/system/certificates.ts";

/** What a running process costs; NaN where the system does not tell (anything but Linux). */
export interface Costs {
  /** Resident memory now, in bytes. */
  memory(): number;
  /** Largest resident memory so far, in bytes. */
  peakMemory(): number;
  /** CPU time used so far, in ms. */
  cpuMs(): number;
  /** The same of its main thread alone, to the microsecond. */
  mainThreadMs(): number;
}

/** A running program that says something on standard output and ends when it is disposed. */
export interface Program extends Costs, AsyncDisposable {
  /** Waits for words that were not matched before. Throws where the program ends first. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Writes one line to its standard input. */
  say(line: string): Promise<void>;
}

/** A program that listens on 127.0.0.1. */
export interface Listening extends Program {
  readonly port: number;
}

/** Which module of the project, and how. */
export interface Start {
  /** Relative to the project. */
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of the runtime. */
  readonly runtime?: readonly string[];
  /** File handles it needs; the limit is raised as far as the system allows. */
  readonly handles?: number;
}

const ROOT = new URL("../../", import.meta.url);
const encoder = new TextEncoder();

/** Starts a module of the project as a process of its own. */
export function startProgram(
  { path, args = [], env = {}, runtime = [], handles = 1_024 }: Start,
): Program {
  const deno = ["run", "-A", "--no-check", ...runtime, new URL(path, ROOT).pathname, ...args];
  // The soft limit goes up where the hard one allows; where it does not, the count of connections will tell.
  const raise = `[ "$(ulimit -n)" -ge ${handles} ] || ulimit -n ${handles} || ulimit -n hard`;
  const command = new Deno.Command(Deno.build.os === "windows" ? Deno.execPath() : "bash", {
    args: Deno.build.os === "windows"
      ? deno
      : ["-c", `${raise}; exec "$0" "$@"`, Deno.execPath(), ...deno],
    cwd: ROOT,
    env: { CMDCHAT_LOG_LEVEL: "WARNING", DENO_NO_UPDATE_CHECK: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
  const child = command.spawn();
  const words = new Words(path, child.stdout);
  const input = child.stdin.getWriter();
  return {
    ...costsOf(child.pid),
    until: (pattern) => words.until(pattern),
    say: (line) => input.write(encoder.encode(`${line}\n`)),
    async [Symbol.asyncDispose]() {
      kill(child);
      await words.cancel();
      await input.close().catch(() => {}); // It reads no more, which is what was wanted.
      await child.status;
    },
  };
}

/** Starts a module that prints `… 127.0.0.1:PORT …` once it listens. */
export async function startListening(start: Start): Promise<Listening> {
  const program = startProgram(start);
  const [, port] = await program.until(/127\.0\.0\.1:(\d+)/);
  return { ...program, port: Number(port) };
}

/** Starts the server with its limits off, over TLS where there is a certificate. */
export function startRelay(
  certificate?: TestCertificate,
  { args = [], env = {}, handles }: Omit<Start, "path"> = {},
): Promise<Listening> {
  const tls = certificate === undefined
    ? []
    : ["--certfile", certificate.certFile, "--keyfile", certificate.keyFile];
  const open = ["--rate-limit", "off", "--max-per-address", "off", "--metrics-interval", "0"];
  return startListening({
    path: "server/main.ts",
    runtime: [V8_ARGUMENT],
    args: ["--port", "0", ...open, ...tls, ...args],
    env,
    ...(handles === undefined ? {} : { handles }),
  });
}

/** What the process `pid` costs. */
export function costsOf(pid: number): Costs {
  const field = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(procFile(pid, "status"))?.[1]) * 1_024;
  const threads = new ThreadTimes(pid);
  return {
    memory: () => field("VmRSS"),
    peakMemory: () => field("VmHWM"),
    cpuMs: () => threads.allMs(),
    mainThreadMs: () => threadMs(pid, pid),
  };
}

/** Ends a child, also one that has ended already. */
export function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

function procFile(pid: number, name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function threadMs(pid: number, thread: number): number {
  return Number.parseInt(procFile(pid, `task/${thread}/schedstat`)) / 1e6;
}

// What the system says of a whole process comes in steps of 10 ms, one of user and one of system time.
const STEPS_MS = 20;

/** CPU time of a process: of each thread exactly, and of those that nobody saw as the system has it. */
class ThreadTimes {
  readonly #pid: number;
  /** Of each thread that was ever seen: one that has ended counts. */
  readonly #ms = new Map<number, number>();
  /** Of all that began and ended unseen. */
  #unseen = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.allMs();
  }

  allMs(): number {
    for (const thread of threadsOf(this.#pid)) {
      const ms = threadMs(this.#pid, thread);
      if (!Number.isNaN(ms)) this.#ms.set(thread, ms);
    }
    const seen = this.#ms.values().reduce((sum, ms) => sum + ms, 0);
    const unseen = cpuOf(procFile(this.#pid, "stat")) - seen;
    if (unseen > this.#unseen + STEPS_MS) this.#unseen = unseen;
    return seen + this.#unseen;
  }
}

function threadsOf(pid: number): number[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => Number(name));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

// Fields 14 and 15 behind the command's closing bracket are user and system time in ticks of 10 ms.
function cpuOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

class Words {
  readonly #path: string;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(path: string, stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#path = path;
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match.index + match[0].length);
        return match;
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`${this.#path} ended before it said ${pattern}: ${this.#text}`);
      this.#text += value;
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}
