// A program beside a test, in a process of its own: what floods or dies must not take the test with it.

import { within } from "../peers/v1_peer.ts";
import { kill } from "../programs/server_process.ts";

/** Starts the program `tests/helpers/NAME.ts` and waits for its first word. */
export async function startSide(
  name: string,
  ...args: readonly string[]
): Promise<Deno.ChildProcess> {
  const script = new URL(`../${name}.ts`, import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-net", script, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await within(reader.read(), `the first word of ${name}`, 15_000);
  await reader.cancel();
  return child;
}

/** Ends it with SIGKILL. */
export async function killSide(child: Deno.ChildProcess): Promise<void> {
  kill(child, "SIGKILL");
  await child.status;
}
