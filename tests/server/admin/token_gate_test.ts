import assert from "node:assert/strict";
import { type GateAnswer, TokenGate } from "../../../server/admin/token_gate.ts";

/** A gate whose pauses end when the test says so. */
function gateOf(token: string) {
  const pauses: (() => void)[] = [];
  const gate = new TokenGate(token, () => new Promise((resolve) => pauses.push(resolve)));
  return { gate, pauses };
}

// Everything that can go on without a pause has gone on.
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("the right token is right at once, and only whole", async () => {
  const { gate, pauses } = gateOf("a-token");
  assert.equal(await gate.check("a-token"), "right");
  for (const wrong of ["", "a-toke", "a-token ", "A-TOKEN"]) {
    const answer = gate.check(wrong);
    await settled();
    pauses.pop()?.();
    assert.equal(await answer, "wrong", wrong);
  }
});

Deno.test("while a wrong one waits nothing is compared, and above eight who wait, who comes is told nothing", async () => {
  const { gate, pauses } = gateOf("a-token");
  const answers: GateAnswer[] = [];
  const guesses = ["w1", "w2", "a-token", "w4", "w5", "w6", "w7", "w8"];
  const asked = guesses.map(async (guess) => void answers.push(await gate.check(guess)));
  assert.equal(await gate.check("a-token"), "busy");
  await settled();
  assert.deepEqual([pauses.length, answers], [1, []], "one guess a pause");
  pauses.shift()?.();
  await settled();
  assert.deepEqual([pauses.length, answers], [1, ["wrong"]]);
  while (pauses.length > 0) {
    pauses.shift()?.();
    await settled();
  }
  await Promise.all(asked);
  assert.deepEqual(answers.filter((answer) => answer === "right").length, 1);
  assert.equal(await gate.check("a-token"), "right", "and is open again");
});
