// deno task bench [--json] [--tiny] [--runs N] [--write] [ROW…]: every row beside its reference in the same run.

import { parseArgs } from "node:util";
import type { Size } from "./load/load.ts";
import { withResults } from "./results_table.ts";
import { medianRow, type Row, toJson, toText } from "./row.ts";
import { ROWS } from "./rows.ts";

const USAGE = `usage: deno task bench [--json] [--tiny] [--runs N] [--write] [ROW…]

  --json    one line of JSON a row
  --tiny    so little of each row that it only shows that it works
  --runs N  each row N times, and the run with the median ratio (default 1)
  --write   each row also into the table of docs/BENCHMARKS.md, as soon as it is measured

rows: ${Object.keys(ROWS).join(", ")}`;

const DOCUMENT = new URL("../../docs/BENCHMARKS.md", import.meta.url);

/** A command line that cannot be followed. */
class BadArguments extends Error {
  override readonly name = "BadArguments";
}

interface Options {
  readonly json: boolean;
  readonly help: boolean;
  readonly size: Size;
  readonly runs: number;
  readonly write: boolean;
  readonly rows: readonly string[];
}

function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const unknown = positionals.find((name) => !Object.hasOwn(ROWS, name));
  if (unknown !== undefined) {
    const known = Object.keys(ROWS).join(", ");
    throw new BadArguments(`Cannot run the row "${unknown}": the rows are ${known}`);
  }
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) {
    throw new BadArguments(`Cannot run each row "${values.runs}" times: expected a number from 1`);
  }
  if (values.write && values.tiny) {
    throw new BadArguments("Cannot write tiny rows into the table: their figures say nothing");
  }
  return {
    json: values.json,
    help: values.help,
    size: values.tiny ? "tiny" : "full",
    runs,
    write: values.write,
    rows: positionals.length > 0 ? positionals : Object.keys(ROWS),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        tiny: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        runs: { type: "string", default: "1" },
      },
    });
  } catch (error) {
    throw new BadArguments((error as Error).message);
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function measure(name: string, { size, runs }: Options): Promise<Row> {
  const measured: Row[] = [];
  while (measured.length < runs) {
    measured.push(await (ROWS[name] as (size: Size) => Promise<Row>)(size));
  }
  return medianRow(measured);
}

async function writeResult(row: Row): Promise<void> {
  const document = await Deno.readTextFile(DOCUMENT);
  await Deno.writeTextFile(DOCUMENT, withResults(document, [row], Object.keys(ROWS)));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", DOCUMENT.pathname] }).output();
}

async function main(): Promise<number> {
  const options = readOptions(Deno.args);
  if (options.help) {
    print(USAGE);
    return 0;
  }
  for (const name of options.rows) {
    const row = await measure(name, options);
    print(options.json ? toJson(row) : toText(row));
    if (options.write) await writeResult(row);
  }
  return 0;
}

try {
  Deno.exit(await main());
} catch (error) {
  if (!(error instanceof BadArguments)) throw error;
  Deno.stderr.writeSync(new TextEncoder().encode(`error: ${error.message}\n\n${USAGE}\n`));
  Deno.exit(2);
}
