// deno-lint-ignore-file no-console
// Run in the network of a booted system, by tests/e2e/release/systemd_test.ts: members talk through its service while that is
// replaced again and again. Standard input has what to do.

import { type Fault, resultLines, talkThrough } from "../hostile/fault_talk.ts";
import { runProgram } from "./programs.ts";

/** What it is told. */
export interface Restarts {
  readonly members: number;
  readonly port: number;
  readonly token: string;
  /** Commands that replace the server, one after another. */
  readonly commands: readonly (readonly string[])[];
}

const REST_MS = 1_000;

async function talk({ members, port, token, commands }: Restarts): Promise<void> {
  const faults = commands.map(([path = "", ...args], n): Fault => ({
    what: `replaced for the ${n + 1}. time`,
    async begin() {
      const { code, stderr } = await runProgram(path, { args });
      if (code !== 0) throw new Error(stderr);
    },
    lastsMs: 0,
    end: () => {},
    restMs: REST_MS,
  }));
  const endpoints = () => [{ host: "127.0.0.1", port }];
  console.log(
    resultLines(await talkThrough({ members, endpoints, faults, token, unnoticed: true })),
  );
}

if (import.meta.main) {
  await talk(JSON.parse(await new Response(Deno.stdin.readable).text()));
  Deno.exit(0);
}
