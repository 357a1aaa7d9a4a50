import assert from "node:assert/strict";
import { repeatFailed, type Result, runBatch } from "./test_batch.ts";
import type { Batch } from "./test_plan.ts";

const RUN = new URL("../../run.ts", import.meta.url);

/** What comes of a test file with that text. */
async function runFile(text: string, deadlineMs = 60_000): Promise<Result & { file: string }> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-batch-" });
  try {
    const file = `${folder}/a_test.ts`;
    await Deno.writeTextFile(file, text);
    const result = await runBatch({ title: "a", files: [file] }, { folder, deadlineMs });
    assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["a_test.ts"]);
    return { ...result, file };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function countsOf({ passed, failed, skipped }: Result): number[] {
  return [passed, failed, skipped];
}

Deno.test("what passed, failed and was skipped is counted by test, and what failed runs once more", async () => {
  const result = await runFile(`
    Deno.test("one", async (t) => { await t.step("a", () => {}); await t.step("b", () => {}); });
    Deno.test("two", () => { throw new Error("no"); });
    Deno.test({ name: "three [skipped: no cat]", ignore: true, fn() {} });`);
  assert.deepEqual(countsOf(result), [1, 1, 1]);
  assert.deepEqual(result.again, [result.file]);
  assert.deepEqual(result.skippedTests, ["three: no cat"]);
});

for (
  const [what, text] of [
    ["ends outside its tests", `Deno.test("one", () => {}); throw new Error("no");`],
    ["is killed", `Deno.test("one", () => Deno.kill(Deno.pid, "SIGKILL"));`],
    ["exits outside its tests", `Deno.exit(0);\nDeno.test("one", () => {});`],
  ] as const
) {
  Deno.test(`a file that ${what} counts as one that failed`, async () => {
    const result = await runFile(text);
    assert.deepEqual(countsOf(result), [0, 1, 0]);
    assert.deepEqual(result.again, [result.file]);
  });
}

/** Whether a process other than a zombie has it among its arguments. */
function runs(word: string): boolean {
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name).some((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").includes(word);
    } catch {
      return false;
    }
  });
}

Deno.test("a file that does not end is ended, with all that it has started, also what has no parent any more", async () => {
  // Seconds that no other process of this machine sleeps.
  const [child, orphan, alone] = [0, 1, 2].map((n) => `${90 + n}.${Deno.pid}`);
  const result = await runFile(
    `Deno.test("one", async () => {
      const start = (script) =>
        new Deno.Command("sh", { args: ["-c", script], stdin: "null" }).spawn();
      start("sleep ${child}; true");
      start("setsid sleep ${orphan} & sleep 1");
      start("setsid sh -c 'exec sleep ${alone} >/dev/null 2>&1 &'");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`,
    5_000,
  );
  assert.deepEqual([child, orphan, alone].filter((seconds) => runs(String(seconds))), []);
  assert.deepEqual(countsOf(result), [0, 1, 0]);
  assert.deepEqual(result.again, [], "it would take as long once more");
  assert.ok(result.seconds < 15, `${result.seconds} s`);
});

Deno.test("a file that runs once more counts by what it came to then, the others of its batch as before", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-batch-" });
  try {
    const write = (name: string, text: string) => {
      Deno.writeTextFileSync(`${folder}/${name}_test.ts`, text);
      return `${folder}/${name}_test.ts`;
    };
    // Each fails at its first run only.
    const once = (name: string, fault: string) =>
      `const isFirst = !Array.from(Deno.readDirSync("${folder}")).some((it) => it.name === "${name}");
      Deno.writeTextFileSync("${folder}/${name}", "");
      if (isFirst) { ${fault} }\n`;
    const four = ["a", "b", "c", "d"].map((name) => `Deno.test("${name}", () => {});`).join("\n");
    const steps = 'Deno.test("e", async (t) => { await t.step("f > g", () => {}); });';
    const fails = '\nDeno.test("h", () => { if (isFirst) throw new Error("no"); });';
    const batches = [
      { title: "crashes", files: [write("crash", once("crash", "Deno.exit(1);") + four)] },
      {
        title: "several",
        files: [
          write("fine", `${four}\n${steps}`),
          write("fails", once("fails", "") + steps + fails),
          write("throws", once("throws", 'throw new Error("no");') + four),
        ],
      },
    ];
    const run = (batch: Batch) => runBatch(batch, { folder, deadlineMs: 60_000 });
    const results = [];
    for (const batch of batches) results.push(await run(batch));
    const { total, mended } = await repeatFailed(results, run);
    assert.deepEqual(total, { passed: 4 + 5 + 2 + 4, failed: 0, skipped: 0 });
    assert.deepEqual(mended.map((path) => path.replace(`${folder}/`, "")), [
      "crash_test.ts",
      "fails_test.ts",
      "throws_test.ts",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`a run that gets ${signal} leaves no folder behind`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "cmdchat-run-" });
    try {
      const run = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", RUN.pathname, "tests/helpers/repo/test_plan_test.ts"],
        env: { TMPDIR: folder },
        stdin: "null",
        stdout: "piped",
      }).spawn();
      let said = "";
      for await (const text of run.stdout.pipeThrough(new TextDecoderStream())) {
        if (said === "") run.kill(signal);
        said += text;
      }
      assert.equal((await run.status).code, code, said);
      const left = Array.from(Deno.readDirSync(folder), ({ name }) => name);
      assert.deepEqual(left.filter((name) => name.startsWith("cmdchat-")), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
