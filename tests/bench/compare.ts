// deno task bench:compare ROUNDS LOAD CHECKOUT…: what a delivery costs the servers of several checkouts, in turn, so that
// whatever else the machine does meets all of them. Each runs with the load of its own checkout. The loads are those of
// `fanout-v2-tls` (tls) and `fanout-v2` (tcp), and messages that come one by one (lone-tls, lone-tcp).

import { median } from "./row.ts";
import type { Measurement, Size } from "./load/load.ts";
import type { LoneDeliveries } from "./rows/latency.ts";

const encoder = new TextEncoder();

interface Load {
  readonly size: Size;
  readonly overTls: boolean;
  readonly isLone: boolean;
}

const LOADS: Readonly<Record<string, Load>> = {
  "tls": { size: "full", overTls: true, isLone: false },
  "tcp": { size: "full", overTls: false, isLone: false },
  "tiny": { size: "tiny", overTls: false, isLone: false },
  "lone-tls": { size: "full", overTls: true, isLone: true },
  "lone-tcp": { size: "full", overTls: false, isLone: true },
  "lone-tiny": { size: "tiny", overTls: false, isLone: true },
};

const USAGE = `usage: deno task bench:compare ROUNDS ${Object.keys(LOADS).join("|")} CHECKOUT…`;

type Compared = Measurement | LoneDeliveries;

/** A program that runs a load in the checkout at `path` and prints what it measured. */
function programOf(path: string, { size, overTls, isLone }: Load): string {
  const module = (name: string) => JSON.stringify(new URL(name, `file://${path}/`).href);
  if (isLone) {
    return `
    import { loneDeliveries } from ${module("tests/bench/rows/latency.ts")};
    console.log(JSON.stringify(await loneDeliveries("${size}", ${overTls})));`;
  }
  return `
    import { throughServer } from ${module("tests/bench/rows/fanout_v2.ts")};
    import { FAN_OUT } from ${module("tests/bench/load/load.ts")};
    import { makeCertificate } from ${module("tests/helpers/system/certificates.ts")};
    await using certificate = ${overTls} ? await makeCertificate() : undefined;
    console.log(JSON.stringify(await throughServer(FAN_OUT["${size}"], certificate)));`;
}

/** One run of the load in the checkout at `path`. */
async function measureAt(path: string, load: Load): Promise<Compared> {
  const code = programOf(path, load);
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--config", `${path}/deno.json`, "--ext=ts", code],
    cwd: path,
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`the load does not run in ${path}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function describe(path: string, runs: readonly Compared[]): string {
  const micros = runs.map(({ cpuMs, deliveries }) => 1e3 * cpuMs / deliveries);
  return `${median(micros).toFixed(2)} µs of CPU time a delivery, least ${
    Math.min(...micros).toFixed(2)
  }; ${describeSpeed(runs)}: ${path}`;
}

function describeSpeed(runs: readonly Compared[]): string {
  const rates = runs.flatMap((run) => "seconds" in run ? [run.deliveries / run.seconds] : []);
  if (rates.length > 0) return `${Math.round(median(rates)).toLocaleString("en-US")} deliveries/s`;
  const lone = runs.filter((run) => "p99" in run);
  const medianOf = (valueOf: (run: LoneDeliveries) => number) =>
    median(lone.map(valueOf)).toFixed(2);
  return `of its main thread ${medianOf((run) => run.mainMicros)} µs; median ${
    medianOf((run) => run.median)
  } ms, p99 ${medianOf((run) => run.p99)} ms`;
}

async function main([rounds = "", load = "", ...paths]: readonly string[]): Promise<number> {
  const chosen = Object.hasOwn(LOADS, load) ? LOADS[load] : undefined;
  if (!/^[1-9]\d*$/.test(rounds) || chosen === undefined || paths.length === 0) {
    const text = `error: Cannot compare: the arguments are not as they must be\n\n${USAGE}\n`;
    Deno.stderr.writeSync(encoder.encode(text));
    return 2;
  }
  const checkouts = await Promise.all(paths.map((path) => Deno.realPath(path)));
  const measured = checkouts.map((path) => ({ path, runs: [] as Compared[] }));
  for (let round = 0; round < Number(rounds); round++) {
    // There and back: what comes later in a round is not always the same one.
    const order = round % 2 === 0 ? measured : measured.toReversed();
    for (const { path, runs } of order) runs.push(await measureAt(path, chosen));
  }
  for (const { path, runs } of measured) {
    Deno.stdout.writeSync(encoder.encode(`${describe(path, runs)}\n`));
  }
  return 0;
}

Deno.exit(await main(Deno.args));
