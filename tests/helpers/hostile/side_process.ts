// A program beside a test, in a process of its own: what floods or dies must not take the test with it.

import { within } from "../peers/v1_peer.ts";
import { kill } from "../programs/server_process.ts";

/** Starts the program `tests/helpers/NAME.ts` and waits for its first word. */
export async function startSide(
  name: string,
  ...args: readonly string[]
): Promise<Deno.ChildProcess> {
  const { child, reader } = await spawnSide(name, args);
  await reader.cancel();
  return child;
}

/** A program beside a test that ends by itself, and says what it came to. */
export interface SideWork extends AsyncDisposable {
  /** All that it said after its first word. */
  readonly result: Promise<string>;
}

/** The same for a program that ends. */
export async function startSideWork(name: string, ...args: readonly string[]): Promise<SideWork> {
  const { child, reader } = await spawnSide(name, args);
  reader.releaseLock();
  const words = Array.fromAsync(child.stdout.pipeThrough(new TextDecoderStream()));
  return {
    result: words.then((all) => all.join("")),
    [Symbol.asyncDispose]: () => killSide(child),
  };
}

async function spawnSide(name: string, args: readonly string[]) {
  const script = new URL(`../${name}.ts`, import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", script, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await within(reader.read(), `the first word of ${name}`, 15_000);
  if (done) throw new Error(`${name} ended without a word`);
  return { child, reader };
}

/** Ends it with SIGKILL. */
export async function killSide(child: Deno.ChildProcess): Promise<void> {
  kill(child, "SIGKILL");
  await child.status;
}
