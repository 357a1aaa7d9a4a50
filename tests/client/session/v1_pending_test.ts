import assert from "node:assert/strict";
import { V1Pending } from "../../../client/session/v1_pending.ts";

function asked(...texts: string[]): V1Pending {
  const answers = new V1Pending();
  texts.forEach((value, index) => answers.add({ kind: "chat", value, id: index + 1 }));
  return answers;
}

Deno.test("an echo confirms its message, and tells that earlier ones were dropped", () => {
  const answers = asked("a", "b", "c");
  assert.deepEqual(answers.confirm("chat", "b"), { id: 2, dropped: [1] });
  assert.equal(answers.size, 1);
  assert.deepEqual(answers.confirm("chat", "c"), { id: 3, dropped: [] });
});

Deno.test("what somebody else said confirms nothing", () => {
  const answers = asked("a");
  assert.equal(answers.confirm("chat", "x"), undefined);
  assert.equal(answers.confirm("rename"), undefined);
  assert.equal(answers.size, 1);
});

Deno.test("a refusal falls on the oldest request of its kinds", () => {
  const answers = new V1Pending();
  answers.add({ kind: "offer", value: "file", id: 1 });
  answers.add({ kind: "chat", value: "a", id: 2 });
  answers.add({ kind: "chat", value: "b", id: 3 });
  assert.equal(answers.refuse(["chat", "rename"]), 2);
  assert.equal(answers.oldest("chat"), "b");
  assert.equal(answers.refuse(["offer"]), 1);
  assert.equal(answers.refuse(["offer"]), undefined);
  assert.equal(answers.oldest("offer"), undefined);
});
