import assert from "node:assert/strict";
import { FLUSH_GROUP, flushSoon } from "../../server/flush_turn.ts";
import { turns } from "../helpers/chat_fakes.ts";

function recorder() {
  const done: string[] = [];
  const ask = (name: string, onWrite: () => void = () => {}) =>
    flushSoon({
      seal: () => void done.push(`${name} seals`),
      write() {
        done.push(`${name} writes`);
        onWrite();
      },
    });
  return { done, ask };
}

Deno.test("at the end of a turn all seal, then all write, in the order in which they asked", async () => {
  const { done, ask } = recorder();
  ask("a");
  ask("b");
  assert.deepEqual(done, [], "not within the turn");
  await turns();
  assert.deepEqual(done, ["a seals", "b seals", "a writes", "b writes"]);
});

Deno.test("who asks again while others write has its turn afterwards", async () => {
  const { done, ask } = recorder();
  ask("a", () => ask("a again"));
  ask("b");
  await turns();
  assert.deepEqual(done.slice(2), ["a writes", "b writes", "a again seals", "a again writes"]);
});

Deno.test("more than a group are served group by group", async () => {
  const { done, ask } = recorder();
  for (let n = 0; n < 2 * FLUSH_GROUP + 1; n++) ask(`${n}`);
  await turns();
  assert.equal(done.length, 2 * (2 * FLUSH_GROUP + 1));
  assert.equal(done[FLUSH_GROUP], "0 writes");
  assert.deepEqual(done.slice(-2), [`${2 * FLUSH_GROUP} seals`, `${2 * FLUSH_GROUP} writes`]);
});
