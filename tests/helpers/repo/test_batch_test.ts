import assert from "node:assert/strict";
import { type Result, runBatch } from "./test_batch.ts";

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

Deno.test("a file that does not end is ended, also where something that it started stays", async () => {
  const result = await runFile(
    `Deno.test("one", async () => {
      const args = ["eval", "setTimeout(() => {}, 20_000)"];
      new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`,
    3_000,
  );
  assert.deepEqual(countsOf(result), [0, 1, 0]);
  assert.deepEqual(result.again, [], "it would take as long once more");
  assert.ok(result.seconds < 15, `${result.seconds} s`);
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
