import assert from "node:assert/strict";
import { PRESENCE } from "../../../server/config/limits.ts";
import { PresenceTurns } from "../../../server/delivery/presence_turns.ts";

Deno.test("so many clients a second are told at once, and as many in the next", () => {
  let now = 5;
  const turns = new PresenceTurns(() => now);
  for (let second = 0; second < 2; second++) {
    for (let told = 0; told < PRESENCE.atOnce; told++) assert.equal(turns.mayTellNow(), true);
    assert.equal(turns.mayTellNow(), false);
    now += PRESENCE.waitMs - 1;
    assert.equal(turns.mayTellNow(), false);
    now += 1;
  }
});

Deno.test("the others are told after a second, in the order of their turns and a few at a time", () => {
  let now = 0;
  const looks: { readonly at: number; readonly look: () => void }[] = [];
  const turns = new PresenceTurns(() => now, (ms, look) => void looks.push({ at: now + ms, look }));
  const told: number[] = [];
  const ask = (n: number) => turns.tellLater({ tellPresence: () => void told.push(n) });
  const lookAt = () => {
    const [next, ...more] = looks.splice(0);
    assert.equal(more.length, 0, "one look is due at a time");
    now = next?.at ?? NaN;
    next?.look();
    return now;
  };
  const numbers = Array.from({ length: PRESENCE.inTurn + 1 }, (_, n) => n);
  for (const n of numbers) ask(n);
  now = PRESENCE.waitMs - 1;
  ask(-1);
  assert.equal(lookAt(), PRESENCE.waitMs);
  assert.deepEqual(told, numbers.slice(0, PRESENCE.inTurn));
  assert.equal(lookAt(), PRESENCE.waitMs + PRESENCE.lookMs);
  assert.deepEqual(told, numbers);
  assert.equal(lookAt(), 2 * PRESENCE.waitMs - 1);
  assert.deepEqual(told, [...numbers, -1]);
  ask(-2);
  lookAt();
  assert.deepEqual(told.at(-1), -2);
  assert.equal(looks.length, 0, "nobody waits, and nobody looks");
});
