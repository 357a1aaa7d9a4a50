import assert from "node:assert/strict";
import { FLUSH_GROUP_BYTES, flushSoon } from "../../../server/delivery/flush_turn.ts";
import { turns } from "../../helpers/fakes/chat_fakes.ts";

function recorder(bytes = 1) {
  const done: string[] = [];
  const ask = (name: string, onWrite: () => void = () => {}) =>
    flushSoon({
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
