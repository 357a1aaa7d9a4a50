// Who talks here: the client in Python beside this file, which was written from docs/PROTOCOL.md alone, and ours.

import {
  at,
  type ClientStart,
  startClient,
  temporaryHome,
} from "../helpers/programs/client_process.ts";
import { Program, runProgram } from "../helpers/programs/programs.ts";
import type { Ended } from "../helpers/programs/programs.ts";
import type { RunningServer } from "../helpers/programs/server_process.ts";

/** The Python that it needs, with Debian's python3-cryptography. */
export const PYTHON = "/usr/bin/python3";
/** Its library of primitives. */
export const PYTHON_CRYPTOGRAPHY = "/usr/lib/python3/dist-packages/cryptography/__init__.py";

const HERE = new URL(".", import.meta.url).pathname;

function argsOf(script: string, args: readonly string[]): string[] {
  return ["-B", `${HERE}${script}`, ...args];
}

/** Starts one of its programs. */
export function startPython(script: string, ...args: readonly string[]): Program {
  return new Program(PYTHON, { args: argsOf(script, args), cwd: temporaryHome() });
}

/** Starts its chat at a port of this machine: its name, the room, and options. */
export function startChat(
  { port }: { readonly port: number },
  ...args: readonly string[]
): Program {
  return startPython("chat.py", "127.0.0.1", String(port), ...args);
}

/** Starts our client as `deno` in the room `interop`. */
export function startDeno(
  server: RunningServer,
  { home = temporaryHome(), args = [], env = {} }: ClientStart & { readonly home?: string } = {},
): Program {
  const options = at(server, "--name=deno", "--room=interop", "--renderer=json", ...args);
  return startClient(home, { args: options, env });
}

/** Runs one of its programs to its end. */
export async function runPython(script: string, ...args: readonly string[]): Promise<Ended> {
  return await runProgram(PYTHON, { args: argsOf(script, args) });
}

/** Ends a chat: it leaves, and its process ends without an error. */
export async function endPython(python: Program): Promise<void> {
  await python.endInput();
  const code = await python.end();
  if (code !== 0) throw new Error(`it ended with ${code}: ${python.stderr}`);
}
