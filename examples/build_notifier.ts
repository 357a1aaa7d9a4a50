// Runs a command and tells a room how it went:  deno run -A examples/build_notifier.ts [OPTIONS or a link] -- make test
// The exit code is the command's, so it can stand in a pipeline; 100 where nobody was told.

import { JsonClient } from "./json_client.ts";

const NOT_TOLD = 100;
const LAST_ROWS = 5;
const MESSAGE_MAX = 2_000;

/** What the room is told: one row, and the last rows of what went wrong as a block of code. */
export function report(
  { command, code, seconds, output }: {
    readonly command: string;
    readonly code: number;
    readonly seconds: number;
    readonly output: string;
  },
): string {
  const took = `${seconds.toFixed(1)} s`;
  if (code === 0) return `${command}: passed in ${took}`;
  const rows = output.trimEnd().split("\n").slice(-LAST_ROWS).join("\n").slice(-MESSAGE_MAX);
  const head = `${command}: FAILED with ${code} after ${took}`;
  // A line of the output must not end the block.
  return rows === "" ? head : `${head}\n\`\`\`\n${rows.replaceAll("```", "'''")}\n\`\`\``;
}

async function run(words: readonly string[]): Promise<{ code: number; output: string }> {
  const [program = "", ...args] = words;
  const command = new Deno.Command(program, { args, stdout: "piped", stderr: "piped" });
  const { code, stdout, stderr } = await command.output();
  await Deno.stdout.write(stdout);
  await Deno.stderr.write(stderr);
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Says it, and waits until the server has it. */
async function tell(options: readonly string[], say: string): Promise<boolean> {
  const client = new JsonClient(options);
  await client.ask({ id: "report", say });
  await client.leave();
  let isTold = false;
  for await (const { kind, id, ok } of client.lines()) {
    if (kind === "result" && id === "report") isTold = ok === true;
  }
  return await client.code === 0 && isTold;
}

function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`error: ${text}\n`));
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--");
  const words = at < 0 ? [] : Deno.args.slice(at + 1);
  if (words.length === 0) {
    complain("Cannot run: the form is build_notifier.ts [OPTIONS] -- COMMAND …");
    Deno.exit(2);
  }
  const start = performance.now();
  const { code, output } = await run(words);
  const seconds = (performance.now() - start) / 1_000;
  const isTold = await tell(
    Deno.args.slice(0, at),
    report({ command: words.join(" "), code, seconds, output }),
  );
  if (!isTold) complain("Nobody was told: the message did not reach the server");
  Deno.exit(code === 0 && !isTold ? NOT_TOLD : code);
}
