// Row start-up: from the call of the compiled client to its prompt in a terminal, beside an empty compiled program.

import { CLIENT } from "../../../scripts/build/compile.ts";
import { buildExecutables, findCompileBase } from "../../helpers/programs/executables.ts";
import { hasProgram } from "../../helpers/repo/system_needs.ts";
import type { Size } from "../load/load.ts";
import { kill, startRelay } from "../processes.ts";
import { median, type Row } from "../row.ts";

const STARTS = { full: 15, tiny: 1 } as const;
const PATIENCE_MS = 20_000;
const NAME = "startled";
// The prompt begins with the name that the server gave.
const PROMPT = new RegExp(NAME);

/** Measures the row; not where nothing can be compiled or there is no `script`. */
export async function startUp(size: Size): Promise<Row> {
  const base = hasProgram("script") ? await findCompileBase() : { missing: "needs `script`" };
  if ("missing" in base) return rowOf({ notes: [`cannot be measured here: ${base.missing}`] });
  const entry = "tests/bench/references/empty_program.ts";
  await using built = await buildExecutables(
    base,
    CLIENT,
    { name: "empty", entry, permissions: [] },
  );
  const [client = "", empty = ""] = built.paths;
  await using server = await startRelay();
  const args = [client, "--port", `${server.port}`, "--name", NAME];
  const ours: number[] = [];
  const theirs: number[] = [];
  while (ours.length < STARTS[size]) {
    theirs.push(await untilShown([empty], /ready/));
    ours.push(await untilShown(args, PROMPT));
  }
  return rowOf({
    value: median(ours),
    referenceValue: median(theirs),
    notes: [
      `built on ${base.name}, median of ${STARTS[size]} starts in a terminal, connected over TCP`,
    ],
  });
}

function rowOf(measured: Pick<Row, "notes"> & Partial<Row>): Row {
  return {
    row: "start-up",
    value: undefined,
    unit: "ms",
    referenceValue: undefined,
    reference: "an empty compiled program, to its first word",
    goal: { of: "value", limit: 150, better: "less" },
    ...measured,
  };
}

/** Milliseconds until a program on a pseudo-terminal shows something. */
async function untilShown(command: readonly string[], pattern: RegExp): Promise<number> {
  const start = performance.now();
  const child = new Deno.Command("script", {
    args: ["-qfec", command.map((word) => `'${word}'`).join(" "), "/dev/null"],
    env: { TERM: "xterm-256color", SHELL: "/bin/sh" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => kill(child), PATIENCE_MS);
  let text = "";
  let shown: number | undefined;
  for await (const bytes of child.stdout) {
    text += new TextDecoder().decode(bytes);
    if (shown !== undefined || !pattern.test(text)) continue;
    shown = performance.now() - start;
    kill(child);
  }
  clearTimeout(timer);
  await child.stdin.close().catch(() => {}); // It has ended.
  await child.status;
  if (shown === undefined) throw new Error(`${command[0]} never showed ${pattern}: ${text}`);
  return shown;
}
