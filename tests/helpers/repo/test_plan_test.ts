import assert from "node:assert/strict";
import { type Batch, filesToRepeat, planOf } from "./test_plan.ts";

const titles = (batches: readonly Batch[]) => batches.map(({ title }) => title);

Deno.test("what takes longest begins first, in the order of the list, then whole programs, then folders of unit tests", () => {
  const files = [
    "tests/client/chat/a_test.ts",
    "tests/client/chat/long_test.ts",
    "tests/e2e/web/a_test.ts",
    "tests/e2e/web/long_test.ts",
    "tests/repo_test.ts",
    "tests/server/room/a_test.ts",
    "tests/server/room/b_test.ts",
  ];
  const longest = ["tests/e2e/web/long_test.ts", "tests/client/chat/long_test.ts"];
  const plan = planOf(files, longest);
  assert.deepEqual(titles(plan), [
    "tests/e2e/web/long_test.ts",
    "tests/client/chat/long_test.ts",
    "tests/e2e/web/a_test.ts",
    "tests/repo_test.ts",
    "tests/server/room",
    "tests/client/chat",
  ]);
  assert.deepEqual(plan.at(-1)?.files, ["tests/client/chat/a_test.ts"]);
});

Deno.test("files of one folder of whole programs do not begin beside each other", () => {
  const files = [
    "tests/a/1_test.ts",
    "tests/a/2_test.ts",
    "tests/a/3_test.ts",
    "tests/b/1_test.ts",
  ];
  assert.deepEqual(titles(planOf(files, [])), [
    "tests/a/1_test.ts",
    "tests/b/1_test.ts",
    "tests/a/2_test.ts",
    "tests/a/3_test.ts",
  ]);
});

Deno.test("every file is in one batch, and in no other", () => {
  const files = ["x", "y"].flatMap((side) =>
    ["shared", "e2e/web", "server/room"].map((folder) => `tests/${folder}/${side}_test.ts`)
  );
  const planned = planOf(files, ["tests/gone_test.ts"]).flatMap((batch) => batch.files);
  assert.deepEqual(planned.toSorted(), files.toSorted());
});

Deno.test("what failed in a file of a folder is run once more with that file, and otherwise with all of them", () => {
  const batch = { title: "tests/shared/text", files: ["a_test.ts", "b_test.ts"] };
  assert.deepEqual(filesToRepeat(batch, ["b_test.ts", "b_test.ts"]), ["b_test.ts"]);
  assert.deepEqual(filesToRepeat(batch, ["b_test.ts", "helper.ts"]), batch.files);
  assert.deepEqual(filesToRepeat(batch, []), batch.files);
});
