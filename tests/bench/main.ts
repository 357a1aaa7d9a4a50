// deno task bench [--json] [ROW…]: every row beside its reference in the same run.

import { fanoutV1 } from "./fanout_v1.ts";
import { fanoutV2Tls } from "./fanout_v2.ts";
import { isMet, type Row, toJson, toText } from "./row.ts";

const ROWS: Readonly<Record<string, () => Promise<Row>>> = {
  "fanout-v2-tls": fanoutV2Tls,
  "fanout-v1": fanoutV1,
};

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function main(): Promise<number> {
  const json = Deno.args.includes("--json");
  const named = Deno.args.filter((arg) => arg !== "--json");
  const unknown = named.filter((name) => !Object.hasOwn(ROWS, name));
  if (unknown.length > 0) {
    print(
      `error: Cannot run the row "${unknown[0]}": the rows are ${Object.keys(ROWS).join(", ")}`,
    );
    return 2;
  }
  for (const name of named.length > 0 ? named : Object.keys(ROWS)) {
    const row = await (ROWS[name] as () => Promise<Row>)();
    print(json ? toJson(row) : toText(row));
    if (!isMet(row) && !json) print(`  the goal of ${name} was missed on this machine`);
  }
  return 0;
}

Deno.exit(await main());
