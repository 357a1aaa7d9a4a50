// deno task bench:compare ROUNDS tls|tcp|tiny CHECKOUT…: what a delivery costs the servers of several checkouts, in turn, so
// that whatever else the machine does meets all of them. Each runs with the load of its own checkout.

import { median } from "./row.ts";
import type { Measurement } from "./load/load.ts";

const USAGE = "usage: deno task bench:compare ROUNDS tls|tcp|tiny CHECKOUT…";

const encoder = new TextEncoder();

const LOADS: Readonly<Record<string, { readonly size: string; readonly overTls: boolean }>> = {
  tls: { size: "full", overTls: true },
  tcp: { size: "full", overTls: false },
  tiny: { size: "tiny", overTls: false },
};

/** One run of the load of `fanout-v2-tls` or `fanout-v2` in the checkout at `path`. */
async function measureAt(path: string, load: string): Promise<Measurement> {
  const { size, overTls } = LOADS[load] as { size: string; overTls: boolean };
  const module = (name: string) => JSON.stringify(new URL(name, `file://${path}/`).href);
  const code = `
    import { throughServer } from ${module("tests/bench/rows/fanout_v2.ts")};
    import { FAN_OUT } from ${module("tests/bench/load/load.ts")};
    import { makeCertificate } from ${module("tests/helpers/system/certificates.ts")};
    await using certificate = ${overTls} ? await makeCertificate() : undefined;
    console.log(JSON.stringify(await throughServer(FAN_OUT[${
    JSON.stringify(size)
  }], certificate)));`;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--config", `${path}/deno.json`, "--ext=ts", code],
    cwd: path,
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`the load does not run in ${path}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function describe(path: string, runs: readonly Measurement[]): string {
  const micros = runs.map(({ cpuMs, deliveries }) => 1e3 * cpuMs / deliveries);
  const rates = runs.map(({ seconds, deliveries }) => deliveries / seconds);
  return `${median(micros).toFixed(2)} µs of CPU time a delivery, least ${
    Math.min(...micros).toFixed(2)
  }; ${Math.round(median(rates)).toLocaleString("en-US")} deliveries/s: ${path}`;
}

async function main([rounds = "", load = "", ...paths]: readonly string[]): Promise<number> {
  if (!/^[1-9]\d*$/.test(rounds) || !Object.hasOwn(LOADS, load) || paths.length === 0) {
    const text = `error: Cannot compare: the arguments are not as they must be\n\n${USAGE}\n`;
    Deno.stderr.writeSync(encoder.encode(text));
    return 2;
  }
  const checkouts = await Promise.all(paths.map((path) => Deno.realPath(path)));
  const measured = checkouts.map((path) => ({ path, runs: [] as Measurement[] }));
  for (let round = 0; round < Number(rounds); round++) {
    // There and back: what comes later in a round is not always the same one.
    const order = round % 2 === 0 ? measured : measured.toReversed();
    for (const { path, runs } of order) runs.push(await measureAt(path, load));
  }
  for (const { path, runs } of measured) {
    Deno.stdout.writeSync(encoder.encode(`${describe(path, runs)}\n`));
  }
  return 0;
}

Deno.exit(await main(Deno.args));
