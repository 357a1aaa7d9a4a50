// The processes that the benchmark measures, each with its address and its memory.

/** A running process that prints `… 127.0.0.1:PORT …` when it listens. */
export interface Measured extends AsyncDisposable {
  readonly port: number;
  /** Largest resident memory so far, in bytes (Linux: VmHWM; elsewhere NaN). */
  peakMemory(): number;
  /** CPU time used so far, in ms (Linux; elsewhere NaN). */
  cpuMs(): number;
}

const ROOT = new URL("../../", import.meta.url);

/** Starts a module of the project as a process of its own and waits until it listens. */
export async function startModule(path: string, args: readonly string[]): Promise<Measured> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL(path, ROOT).pathname, ...args],
    cwd: ROOT,
    env: { CMDCHAT_LOG_LEVEL: "ERROR" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const child = command.spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let port: number | undefined;
  while (port === undefined) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`${path} ended before it listened: ${text}`);
    text += value;
    port = Number(/127\.0\.0\.1:(\d+)/.exec(text)?.[1]) || undefined;
  }
  return {
    port,
    peakMemory: () => Number(/VmHWM:\s+(\d+) kB/.exec(procFile(child.pid, "status"))?.[1]) * 1_024,
    cpuMs: () => cpuOf(procFile(child.pid, "stat")),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await lines.cancel();
      await child.status;
    },
  };
}

function procFile(pid: number, name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

// Fields 14 and 15 behind the command's closing bracket are user and system time in ticks of 10 ms.
function cpuOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
