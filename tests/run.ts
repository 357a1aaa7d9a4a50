// deno-lint-ignore-file no-console

// The one test command: every *_test.ts under tests/, or the files whose path contains an argument.
// What measures time runs alone at the end; the rest runs beside each other, and more files at a time than there are
// cores: they wait for processes, deadlines and each other half of the time.
// Types are not checked here but once for the whole tree, by tests/repo_test.ts.

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Group {
  title: string;
  files: string[];
  /** How many files run at a time. */
  jobs: number;
  /** Longest run in milliseconds; what still runs then is ended and counted as one failure. */
  deadline: number;
}

/** Lines for the end. */
interface Lists {
  readonly skipped: string[];
  readonly failed: string[];
  readonly again: string[];
}

const MINUTE = 60_000;
/** How long tests/e2e/outages/soak_test.ts takes where it was asked for more than its half minute. */
const SOAK_MINUTES = Number(Deno.env.get("SOAK_MINUTES") || 0);
/** First line of a test of whole programs that stands somebody else's load beside it. */
const SHARES_THE_MACHINE = "// Shares the machine: runs beside another file of whole programs.";
/** Files at a time where they may run beside each other; each may start a browser, a cluster or a booted system. */
const JOBS = Math.min(navigator.hardwareConcurrency + 2, 6);
/** What takes longest begins first, so that no core waits for the last file. Unit tests are short and fill the gaps. */
const LONGEST = [
  "tests/e2e/cluster/cluster_faults_test.ts",
  "tests/fuzz/abuse_input_test.ts",
  "tests/e2e/web/web_socket_test.ts",
  "tests/e2e/release/executables_test.ts",
  "tests/e2e/process/bad_starts_test.ts",
  "tests/e2e/release/release_test.ts",
  "tests/e2e/browser/page_cuts_test.ts",
  "tests/e2e/outages/soak_test.ts",
  "tests/bench/bench_test.ts",
];
/** The executables, which many tests need, are built once. */
const builds = await Deno.makeTempDir({ prefix: "cmdchat-builds-" });
const SKIP_REASON = / \[skipped: (.+)\]$/;
const UNIT_FOLDERS = ["tests/shared/", "tests/server/", "tests/client/", "tests/helpers/"];
/** A file that failed outside its tests: no report has it. */
const UNCAUGHT = /^\.\/(\S+\.ts) \(uncaught error\)$/gm;
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed(?:.*?\| (\d+) ignored)?/gm;

function isUnitTest(path: string): boolean {
  return UNIT_FOLDERS.some((folder) => path.startsWith(folder));
}

async function sharesTheMachine(path: string): Promise<boolean> {
  return (await Deno.readTextFile(path)).startsWith(SHARES_THE_MACHINE);
}

async function findTests(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await findTests(path));
    else if (entry.name.endsWith("_test.ts")) found.push(path);
  }
  return found.sort();
}

/** Copies a stream of the child to ours and keeps its text. */
async function tee(from: ReadableStream<Uint8Array>, to: typeof Deno.stdout): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of from) {
    for (let written = 0; written < bytes.length;) {
      written += await to.write(bytes.subarray(written));
    }
    text += decoder.decode(bytes, { stream: true });
  }
  return text;
}

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
    return `  ${full.replace(SKIP_REASON, "")}: ${reason}`;
  });
}

/** Files of a JUnit report in which something failed. */
function failedFiles(report: string): string[] {
  const suites = report.matchAll(/<testsuite name="\.?\/?([^"]+\.ts)"[^>]*?>/g);
  return [...suites].filter(([tag]) => /(?:failures|errors)="[1-9]/.test(tag))
    .map(([, path]) => path ?? "");
}

/**
 * Runs a group; files that failed run once more, alone, since a machine that is busy with something else breaks what
 * measures time. Whatever passes only then is named at the end: it is a fault of the test, or a rare one of the program.
 */
async function runTwice(group: Group, lists: Lists): Promise<Counts> {
  const first = await runGroup(group, lists);
  if (first.failed === 0 || lists.failed.length === 0) return first;
  const files = lists.failed.splice(0);
  const title = `${group.title}: what failed, once more`;
  const still: string[] = [];
  const second = await runGroup({ ...group, title, files, jobs: 1 }, {
    skipped: [],
    failed: still,
  });
  if (second.passed + second.failed === 0) return first;
  const failed = Math.min(first.failed, second.failed);
  lists.again.push(...files.filter((path) => !still.includes(path)));
  return { ...first, passed: first.passed + first.failed - failed, failed };
}

async function runGroup(
  group: Group,
  lists: Pick<Lists, "skipped" | "failed">,
): Promise<Counts> {
  console.log(`\n== ${group.title}: ${group.files.length} files ==`);
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const flags = group.jobs > 1 ? ["--parallel"] : [];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", `--junit-path=${report}`, ...flags, ...group.files],
    env: {
      NO_COLOR: "1",
      DENO_JOBS: `${group.jobs}`,
      DENO_NO_UPDATE_CHECK: "1",
      BUILT_FOR_TESTS: builds,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, group.deadline);
  const [status, output] = await Promise.all([
    child.status,
    tee(child.stdout, Deno.stdout),
    tee(child.stderr, Deno.stderr),
  ]);
  clearTimeout(timer);
  const results = await Deno.readTextFile(report);
  lists.skipped.push(...skippedTests(results));
  const uncaught = [...output.matchAll(UNCAUGHT)].map(([, path]) => path ?? "");
  lists.failed.push(...new Set([...failedFiles(results), ...uncaught]));
  await Deno.remove(report);
  const summary = [...output.matchAll(SUMMARY)].at(-1);
  const counts = {
    passed: Number(summary?.[1] ?? 0),
    failed: Number(summary?.[2] ?? 0),
    skipped: Number(summary?.[3] ?? 0),
  };
  if (late) console.log(`${group.title}: ended after ${group.deadline / MINUTE} minutes`);
  // A run that dies before its summary, or fails outside a test, must not look like a good one.
  if (!status.success && counts.failed === 0) counts.failed = 1;
  return counts;
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
  const sharing: string[] = [];
  const alone: string[] = [];
  for (const path of files.filter((path) => !isUnitTest(path))) {
    (await sharesTheMachine(path) ? sharing : alone).push(path);
  }
  const isLong = (path: string) => LONGEST.includes(path);
  const groups: Group[] = [
    {
      title: `${JOBS} files at a time`,
      files: [
        ...LONGEST.filter((path) => sharing.includes(path)),
        ...sharing.filter((path) => !isLong(path)),
        ...files.filter(isUnitTest),
      ],
      jobs: JOBS,
      deadline: (40 + SOAK_MINUTES) * MINUTE,
    },
    { title: "one file at a time", files: alone, jobs: 1, deadline: 25 * MINUTE },
  ];
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const lists: Lists = { skipped: [], failed: [], again: [] };
  const { skipped, again } = lists;
  for (const group of groups) {
    if (group.files.length === 0) continue;
    const counts = await runTwice(group, lists);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  if (skipped.length > 0) console.log(`\nskipped:\n${skipped.join("\n")}`);
  if (again.length > 0) console.log(`\npassed only alone:\n  ${again.join("\n  ")}`);
  if (total.passed + total.failed === 0) console.log("\nno test ran");
  const tail = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
  console.log(`\n${total.passed} passed, ${total.failed} failed${tail}`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

let code: number;
try {
  code = await main(Deno.args);
} finally {
  await Deno.remove(builds, { recursive: true });
}
Deno.exit(code);
