import assert from "node:assert/strict";
import { TURN_MS } from "../../../server/config/limits.ts";
import {
  afterFlush,
  FLUSH_GROUP_BYTES,
  flushSoon,
  heavyFlushed,
} from "../../../server/delivery/flush_turn.ts";
import { turns } from "../../helpers/fakes/chat_fakes.ts";

function recorder(bytes = 1) {
  const done: string[] = [];
  const ask = (name: string, onWrite: () => void = () => {}) =>
    flushSoon({
      isHeavy: false,
      seal() {
        done.push(`${name} seals`);
        return bytes;
      },
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

Deno.test("what nobody waits for is done once all have written who ask in the same turn, be it later than it", async () => {
  const { done, ask } = recorder();
  afterFlush(() => done.push("the rest"));
  ask("a");
  ask("b");
  await turns();
  assert.deepEqual(done.slice(2), ["a writes", "b writes", "the rest"]);
});

Deno.test("who asks again while others write has its turn afterwards", async () => {
  const { done, ask } = recorder();
  ask("a", () => ask("a again"));
  ask("b");
  await turns();
  assert.deepEqual(done.slice(2), ["a writes", "b writes", "a again seals", "a again writes"]);
});

Deno.test("where there is much to seal the first write before the last have sealed", async () => {
  const { done, ask } = recorder(FLUSH_GROUP_BYTES / 2);
  for (const name of ["a", "b", "c"]) ask(name);
  await turns();
  assert.deepEqual(done, [
    "a seals",
    "b seals",
    "a writes",
    "b writes",
    "c seals",
    "c writes",
  ]);
});

Deno.test("those for which little waits write first, and the others a part in each turn", async () => {
  const done: string[] = [];
  const ask = (name: string, isHeavy: boolean) =>
    flushSoon({
      isHeavy,
      seal() {
        const until = performance.now() + (isHeavy ? TURN_MS : 0);
        while (performance.now() < until);
        return 1;
      },
      write: () => void done.push(name),
    });
  for (let n = 0; n < 5; n++) ask(`heavy ${n}`, true);
  ask("light", false);
  await turns();
  assert.equal(done[0], "light");
  const later = heavyFlushed();
  ask("light again", false);
  await later;
  const heavy = done.filter((name) => name.startsWith("heavy"));
  assert.deepEqual(heavy, [0, 1, 2, 3, 4].map((n) => `heavy ${n}`), "in their order");
  assert.ok(done.indexOf("light again") < done.indexOf("heavy 4"), `${done}`);
  assert.equal(heavyFlushed(), undefined);
});
