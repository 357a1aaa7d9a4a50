// deno-lint-ignore-file no-console

// The one test command: every *_test.ts under tests/, or the files whose path contains an argument.
// Files run beside each other, and more at a time than there are cores: they wait for processes, deadlines and each other
// half of the time. What measures time counts the work of a thread, or leaves out what other programs took. Each file of
// whole programs has a process of its own, since one process for all of them would begin them in an order of its own.
// Types are not checked here but once for the whole tree, by tests/repo_test.ts.

import { repeatFailed, type Result, runBatch } from "./helpers/repo/test_batch.ts";
import { type Batch, planOf } from "./helpers/repo/test_plan.ts";
import { cpuSeconds, spent } from "./helpers/system/cpu_time.ts";

const MINUTE = 60_000;
/** How long tests/e2e/outages/soak_test.ts takes where it was asked for more than its half minute. */
const SOAK_MINUTES = Number(Deno.env.get("SOAK_MINUTES") || 0);
/** Longest run of a batch in milliseconds; what still runs then is ended and counted as one failure. */
const DEADLINE_MS = (15 + SOAK_MINUTES) * MINUTE;
/** Batches at a time; each may start a browser, a cluster or a booted system, and waits for more than half of its time. */
const JOBS = Math.min(navigator.hardwareConcurrency + 3, 6);
/** What takes longest on two cores, what computes beside what waits. A run names at its end what is missing here. */
const LONGEST = [
  "tests/bench/bench_test.ts",
  "tests/e2e/cluster/cluster_faults_test.ts",
  "tests/server/handlers/growth_test.ts",
  "tests/e2e/release/systemd_test.ts",
  "tests/e2e/release/release_test.ts",
  "tests/e2e/cluster/server_list_test.ts",
  "tests/client/headless/script_commands_test.ts",
  "tests/e2e/outages/succession_test.ts",
  "tests/repo_test.ts",
  "tests/fuzz/sealed_group_test.ts",
  "tests/e2e/attacks/abuse_test.ts",
  "tests/client/events/growth_test.ts",
  "tests/e2e/attacks/sealed_attacks_test.ts",
  "tests/e2e/browser/page_attacks_test.ts",
  "tests/interop/interop_more_test.ts",
  "tests/e2e/browser/vectors_test.ts",
  "tests/e2e/web/proxies_test.ts",
  "tests/e2e/outages/file_outages_test.ts",
  "tests/fuzz/text_time_test.ts",
  "tests/e2e/process/server_process_test.ts",
  "tests/e2e/cluster/cluster_invites_test.ts",
  "tests/e2e/cluster/evil_nats_test.ts",
  "tests/e2e/browser/page_evil_relay_test.ts",
  "tests/e2e/cluster/nats_trouble_test.ts",
  "tests/e2e/web/web_socket_test.ts",
  "tests/e2e/attacks/paid_work_test.ts",
  "tests/e2e/outages/soak_test.ts",
  "tests/server/nats/nats_connection_test.ts",
  "tests/e2e/release/executables_test.ts",
  "tests/e2e/terminal/terminal_screen_test.ts",
  "tests/e2e/outages/quick_successions_test.ts",
];
/** A file that takes longer is to be in that list. */
const LONG_SECONDS = 60;
/** What many tests need, as the executables, is built once, and is here until the run ends. */
const builds = await Deno.makeTempDir({ prefix: "cmdchat-builds-" });
const stop = new AbortController();
const OPTIONS = { folder: builds, deadlineMs: DEADLINE_MS, signal: stop.signal };

async function findTests(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await findTests(path));
    else if (entry.name.endsWith("_test.ts")) found.push(path);
  }
  return found.sort();
}

/** Runs the batches in their order, so many at a time. */
async function runAll(batches: readonly Batch[]): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = batches.values();
  const work = async () => {
    for (const batch of waiting) results.push(await runBatch(batch, OPTIONS));
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  return results;
}

/** Runs the runtime with `args`; gives whether that succeeded, and what it printed on standard error. */
async function deno(...args: string[]): Promise<{ success: boolean; said: string }> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { success, said: new TextDecoder().decode(stderr) };
}

/**
 * Fetches what the lock file names, so that no program downloads in the middle of a test. Where `deno task` was the
 * first command of a machine, `install` finds all packages but not what the registry says of them, and every program
 * asks for that again and prints so: then all is fetched once more.
 */
async function fetchPackages(): Promise<boolean> {
  const install = ["install", "--quiet", "--frozen"];
  const first = await deno(...install);
  const isMissing = first.success &&
    /Download/.test((await deno("cache", "client/main.ts", "server/main.ts")).said);
  const { success, said } = isMissing ? await deno(...install, "--reload") : first;
  if (!success) console.log(said);
  return success;
}

function list(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`\n${title}:\n  ${lines.join("\n  ")}`);
}

async function main(filters: string[]): Promise<number> {
  Deno.chdir(new URL("..", import.meta.url));
  if (!await fetchPackages()) {
    console.log("cannot fetch the packages that deno.lock names\n\n0 passed, 1 failed");
    return 1;
  }
  const all = await findTests("tests");
  const files = filters.length === 0
    ? all
    : all.filter((path) => filters.some((filter) => path.includes(filter)));
  const gone = LONGEST.filter((path) => !all.includes(path));
  if (gone.length > 0) throw new Error(`LONGEST names what is not there: ${gone.join(", ")}`);
  console.log(`${files.length} files, ${JOBS} at a time`);
  const results = await runAll(planOf(files, LONGEST));
  const { total, mended } = await repeatFailed(
    results,
    (batch) => runBatch(batch, OPTIONS),
  );
  list("skipped", results.flatMap(({ skippedTests }) => skippedTests));
  list("passed only alone", mended);
  const isMissing = ({ title, seconds }: Result) =>
    title.endsWith(".ts") && seconds > LONG_SECONDS && !LONGEST.includes(title);
  list(
    `took more than ${LONG_SECONDS} s and is not in the list of tests/run.ts`,
    results.filter(isMissing).map(({ title, seconds }) => `${title}: ${seconds.toFixed(0)} s`),
  );
  if (total.passed + total.failed === 0) console.log("\nno test ran");
  console.log(`\n${spent(performance.now() / 1_000, cpuSeconds("self"))}`);
  const tail = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`\n${total.passed} passed, ${total.failed} failed${tail}`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/** Ends what runs, removes what was built and ends. A terminal's Ctrl-C reaches by itself what the tests have started. */
function endBy(exitCode: number): void {
  stop.abort();
  try {
    Deno.removeSync(builds, { recursive: true });
  } finally {
    Deno.exit(exitCode);
  }
}

Deno.addSignalListener("SIGINT", () => endBy(130));
if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => endBy(143));

let code: number;
try {
  code = await main(Deno.args);
} finally {
  await Deno.remove(builds, { recursive: true });
}
Deno.exit(code);
