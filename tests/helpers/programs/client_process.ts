// The client as a process, from source, with a home of its own and an environment that holds nothing else.

import { V8_ARGUMENT } from "../../../scripts/build/v8_flags.ts";
import { type Ended, Program } from "./programs.ts";
import type { RunningServer } from "./server_process.ts";

/** How a client is started. */
export interface ClientStart {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Options of the runtime for a client, which need not make a key pair of its own. */
export const CLIENT_RUNTIME: readonly string[] = [
  "run",
  "--no-check",
  "-A",
  `--preload=${new URL("../fakes/ready_key_pair.ts", import.meta.url).href}`,
];

/** A folder for one test file, removed when its tests are over. */
export function temporaryHome(): string {
  const path = Deno.makeTempDirSync({ prefix: "cmdchat-home-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(path, { recursive: true }));
  return path;
}

/** Starts a client whose home is `home`. */
export function startClient(home: string, { args = [], env = {}, cwd }: ClientStart): Program {
  const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const entry = new URL("../../../client/main.ts", import.meta.url).href;
  return new Program(Deno.execPath(), {
    args: [...CLIENT_RUNTIME, V8_ARGUMENT, entry, ...args],
    env: { HOME: home, DENO_DIR: denoDir, NO_COLOR: "1", ...env },
    cwd: cwd ?? home,
  });
}

/** Runs a client to its end with this text on its standard input. */
export async function runClient(home: string, start: ClientStart, input = ""): Promise<Ended> {
  await using client = startClient(home, start);
  if (input !== "") await client.type(input.replace(/\n$/, ""));
  await client.endInput();
  const code = await client.end();
  return { code, stdout: client.stdout, stderr: client.stderr };
}

/** Options that lead to this server. */
export function at(server: RunningServer, ...more: readonly string[]): string[] {
  return ["--port", String(server.port), ...more];
}
