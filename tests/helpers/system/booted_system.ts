// A systemd that really runs: this system's files under an overlay in memory, booted by systemd-nspawn with a
// network of its own. What happens in it leaves nothing behind.

import { type Ended, runProgram } from "../programs/programs.ts";
import { whyMissing } from "../repo/system_needs.ts";

/** A booted system. */
export interface BootedSystem extends AsyncDisposable {
  /** What a command is put behind to run in it, or in its network alone. */
  readonly inside: readonly string[];
  readonly insideNetwork: readonly string[];
  /** Runs a shell script in it, in the folder that was handed in. */
  run(script: string, env?: Readonly<Record<string, string>>): Promise<Ended>;
}

const PATIENCE_MS = 60_000;
const POLL_MS = 100;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Where the folder that was handed in is in it. */
export const INSIDE = "/srv/handed-in";
const SPACES = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"];
const BOOT = `set -e
mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs /run/systemd/nspawn
mount -t tmpfs tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
exec systemd-nspawn --directory="$0/root" --boot --register=no --keep-unit --console=pipe --quiet \\
  --private-network --bind="$1:${INSIDE}" --machine="cmdchat-$2" -- --unit=basic.target`;

/** Why no system can be booted here; undefined where one can. */
export function whyNoBoot(): string | undefined {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "only root can boot a system";
  return whyMissing("systemd-nspawn", "nsenter", "unshare");
}

/** Boots a system that sees `folder`. Throws an Error with what it said where it does not come up. */
export async function bootSystem(folder: string): Promise<BootedSystem> {
  const memory = await Deno.makeTempDir({ prefix: "cmdchat-boot-" });
  const nspawn = new Deno.Command("unshare", {
    args: ["--mount", "sh", "-c", BOOT, memory, folder, crypto.randomUUID().slice(0, 8)],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(nspawn.stderr).text();
  let ended = false;
  void nspawn.status.then(() => ended = true);
  const run = async (script: string, env: Readonly<Record<string, string>> = {}) => {
    const init = await firstChild(nspawn.pid);
    if (init === undefined) throw new Error("the system has no first process");
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return await runProgram("nsenter", {
      args: [
        "--target",
        String(init),
        ...SPACES,
        "env",
        "-i",
        `PATH=${PATH}`,
        ...variables,
        "sh",
        "-c",
        `cd ${INSIDE}\n${script}`,
      ],
    });
  };
  const end = async () => {
    const init = await firstChild(nspawn.pid).catch(() => undefined);
    for (const pid of [init, nspawn.pid]) {
      if (pid === undefined || ended) continue;
      try {
        Deno.kill(pid, "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await nspawn.status;
    await Deno.remove(memory, { recursive: true });
    return await said;
  };
  const late = performance.now() + PATIENCE_MS;
  for (;;) {
    const up = await run("systemctl is-active basic.target").catch(() => undefined);
    if (up?.stdout === "active\n") break;
    if (ended || performance.now() > late) throw new Error(`no system came up: ${await end()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const target = ["nsenter", "--target", String(await firstChild(nspawn.pid))];
  return {
    inside: [...target, ...SPACES],
    insideNetwork: [...target, "--net"],
    run,
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}

async function firstChild(pid: number): Promise<number | undefined> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return Number(text.split(" ")[0]) || undefined;
}
