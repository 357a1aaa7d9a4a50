// deno-lint-ignore-file no-console

// One run of test files in a process of its own, and what came of it.

import { resolve } from "node:path";
import { cpuSeconds, spent } from "../system/cpu_time.ts";
import { endTree } from "../system/process_tree.ts";
import { type Batch, filesToRepeat } from "./test_plan.ts";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export interface Result extends Counts {
  readonly title: string;
  readonly seconds: number;
  /** One line for each skipped test. */
  readonly skippedTests: readonly string[];
  /** Files to run once more. */
  readonly again: readonly string[];
  /** What the other files of the batch came to: those that run once more count by their second run alone. */
  readonly kept: Counts;
}

export interface BatchOptions {
  /** Where the tests of a run keep what they built, for each other. */
  readonly folder: string;
  /** Longest run; what still runs then is ended and counted as one failure. */
  readonly deadlineMs: number;
  /** Ends the process. */
  readonly signal?: AbortSignal;
}

/** How long what a process said is waited for once it has ended: something that it started may have its pipes for ever. */
const LAST_WORDS_MS = 2_000;
/** How often the processor time of a batch is looked at: what it has last, before it ends, is missing. */
const LOOK_MS = 250;
/** Names its batch in the environment of whatever a test starts. */
const MARK = "TEST_BATCH";
const SKIP_REASON = / \[skipped: (.+)\]$/;
/** A file that failed outside its tests: no report has it. */
const UNCAUGHT = /^(\S+\.ts) \(uncaught error\)$/gm;
/** A file whose process ended itself outside its tests: the summary is good without those that were still to come. */
const EXITED = /^note (?:\.{1,2}\/)*(\S+\.ts) called `Deno\.exit\(/gm;
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed(?:.*?\| (\d+) ignored)?/gm;

function unescapeXml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'").replaceAll("&amp;", "&");
}

/** One line for each skipped test of a JUnit report: name, and the reason that skipUnless() put there. */
function skippedTests(report: string): string[] {
  const cases = report.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g);
  return [...cases].map(([, name]) => {
    const full = unescapeXml(name ?? "");
    const reason = SKIP_REASON.exec(full)?.[1] ?? "no reason given";
    return `${full.replace(SKIP_REASON, "")}: ${reason}`;
  });
}

/** Files of a JUnit report in which something failed. */
function failedFiles(report: string): string[] {
  const suites = report.matchAll(/<testsuite name="([^"]+\.ts)"[^>]*?>/g);
  return [...suites].filter(([tag]) => /(?:failures|errors)="[1-9]/.test(tag))
    .map(([, path]) => path ?? "");
}

/** The tests of those files in a JUnit report; it has a step of a test as a case behind it, `TEST > STEP`. */
function countsIn(report: string, files: readonly string[]): Counts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const suites = report.matchAll(/<testsuite name="([^"]+)".*?<\/testsuite>/gs);
  for (const [suite, path = ""] of suites) {
    if (!files.some((file) => resolve(file) === resolve(path))) continue;
    const tests: string[] = [];
    const cases = suite.matchAll(/<testcase name="([^"]*)"[^>]*>\s*(<skipped|<failure|<error)?/g);
    for (const [, name = "", what] of cases) {
      if (tests.some((test) => name.startsWith(`${test} &gt; `))) continue;
      tests.push(name);
      counts[what === undefined ? "passed" : what === "<skipped" ? "skipped" : "failed"]++;
    }
  }
  return counts;
}

/** The sum of them. */
export function sumOf(all: readonly Counts[]): Counts {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

/**
 * Files that failed run once more, alone, since a machine that is busy with something else breaks what measures time;
 * what they come to then is what counts. Whatever passes only then is named at the end: it is a fault of the test, or a
 * rare one of the program.
 */
export async function repeatFailed(
  results: readonly Result[],
  run: (batch: Batch) => Promise<Counts>,
): Promise<{ total: Counts; mended: string[] }> {
  const counts: Counts[] = results.map((result) => result.again.length > 0 ? result.kept : result);
  const mended: string[] = [];
  for (const path of results.flatMap(({ again }) => again)) {
    const repeated = await run({ title: `once more: ${path}`, files: [path] });
    counts.push(repeated);
    if (repeated.failed === 0) mended.push(path);
  }
  return { total: sumOf(counts), mended };
}

/** What comes until the stream ends, or until `signal`. */
async function textOf(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const write = (bytes: Uint8Array) => void (text += decoder.decode(bytes, { stream: true }));
  await stream.pipeTo(new WritableStream({ write }), { signal }).catch(() => {});
  return text;
}

/** Runs a batch in a process of its own, and prints what that says once it has ended. */
export async function runBatch(
  { title, files }: Batch,
  { folder, deadlineMs, signal }: BatchOptions,
): Promise<Result> {
  const report = await Deno.makeTempFile({ dir: folder, suffix: ".xml" });
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", `--junit-path=${report}`, ...files],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", BUILT_FOR_TESTS: folder, [MARK]: report },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...signal && { signal },
  }).spawn();
  const isOver = new AbortController();
  const texts = [child.stdout, child.stderr].map((stream) => textOf(stream, isOver.signal));
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    endTree(child.pid, `${MARK}=${report}`);
  }, deadlineMs);
  let cpu = 0;
  const looks = setInterval(() => cpu = cpuSeconds(child.pid) || cpu, LOOK_MS);
  const { success } = await child.status;
  clearInterval(looks);
  clearTimeout(deadline);
  const lastWords = setTimeout(() => isOver.abort(), LAST_WORDS_MS);
  const [stdout = "", stderr = ""] = await Promise.all(texts);
  clearTimeout(lastWords);
  const seconds = (performance.now() - start) / 1_000;
  console.log(`\n== ${title}: ${spent(seconds, cpu)} ==\n${stdout}${stderr}`);
  if (isLate) console.log(`${title}: ended after ${deadlineMs / 60_000} minutes`);
  const results = await Deno.readTextFile(report);
  await Deno.remove(report);
  const summary = [...stdout.matchAll(SUMMARY)].at(-1)?.slice(1);
  const [passed = 0, said = 0, skipped = 0] = summary?.map((count) => Number(count ?? 0)) ?? [];
  // A run that ends before its summary, or fails outside a test, must not look like a good one.
  // A test may print what other test files said.
  const hasExited = [...(stdout + stderr).matchAll(EXITED)]
    .some(([, path = ""]) => files.some((file) => file.endsWith(path)));
  const isWhole = success && summary !== undefined && !hasExited;
  const failed = isWhole ? said : Math.max(said, 1);
  const named = [
    ...failedFiles(results),
    ...[...stdout.matchAll(UNCAUGHT)].map(([, path]) => path ?? ""),
  ].map((path) => files.find((file) => resolve(file) === resolve(path)) ?? path);
  const again = failed === 0 || isLate ? [] : filesToRepeat({ title, files }, named);
  const kept = countsIn(results, files.filter((file) => !again.includes(file)));
  return {
    title,
    passed,
    failed,
    skipped,
    seconds,
    skippedTests: skippedTests(results),
    again,
    kept,
  };
}
