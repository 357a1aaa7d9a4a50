import assert from "node:assert/strict";
import { checkTokenStrength, TokenGate } from "../../../server/admin/token_gate.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

const SOURCE = "192.0.2.1";

/** A gate whose pauses end when the test says so. */
function gateOf(token: string) {
  const pauses: (() => void)[] = [];
  const guesses: string[] = [];
  const pause = () => new Promise<void>((resolve) => pauses.push(resolve));
  const gate = new TokenGate(token, { pause, onGuess: (source) => guesses.push(source) });
  return { gate, pauses, guesses };
}

// Everything that can go on without a pause has gone on.
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("check() accepts the whole token at once, and answers each wrong one after a pause", async () => {
  const { gate, pauses, guesses } = gateOf("a-token");
  assert.equal(await gate.check("a-token", SOURCE), true);
  assert.deepEqual(guesses, []);
  for (const wrong of ["", "a-toke", "a-token ", "A-TOKEN"]) {
    let answer: boolean | undefined;
    const asked = gate.check(wrong, SOURCE).then((right) => answer = right);
    await settled();
    assert.equal(answer, undefined, "a wrong one waits");
    pauses.pop()?.();
    await asked;
    assert.equal(answer, false, wrong);
  }
  assert.deepEqual(guesses, Array(4).fill(SOURCE));
});

Deno.test("a right token never waits behind wrong ones, and at most 64 wrong ones wait", async () => {
  const { gate, guesses } = gateOf("a-token");
  const answered: number[] = [];
  const wrong = Array.from(
    { length: 200 },
    (_, n) => gate.check(`guess ${n}`, SOURCE).then(() => answered.push(n)),
  );
  assert.equal(await gate.check("a-token", SOURCE), true);
  await settled();
  assert.equal(guesses.length, 200);
  assert.deepEqual(answered, Array.from({ length: 136 }, (_, n) => n), "the oldest make room");
  assert.equal(wrong.length, 200);
});

Deno.test("checkTokenStrength() refuses tokens that guesses would find", () => {
  checkTokenStrength("for-the-admin-16", "admin");
  assert.throws(() => checkTokenStrength("for-the-admin-1", "admin"), ConfigError);
  assert.throws(
    () => checkTokenStrength("secret", "metrics"),
    /has 6 characters, at least 16 are needed/,
  );
});
