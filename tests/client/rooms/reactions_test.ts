import assert from "node:assert/strict";
import { REACTIONS_MAX } from "../../../client/base/limits.ts";
import { type Reaction, Reactions } from "../../../client/rooms/reactions.ts";

const EMOJI = [..."😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒"];

function scene() {
  const reactions = new Reactions();
  const take = (fields: Partial<Reaction>) =>
    reactions.take({
      sequence: 1,
      emoji: "👍",
      client: 2,
      name: "bob",
      own: false,
      on: true,
      ...fields,
    });
  const shown = (sequence = 1) =>
    reactions.of(sequence).map(({ emoji, names, own }) => `${emoji} ${names} ${own}`);
  return { reactions, take, shown };
}

Deno.test("reactions are counted by member, once each, and taken back", () => {
  const { take, shown, reactions } = scene();
  assert.equal(take({}), true);
  assert.equal(take({}), false, "twice is once");
  take({ client: 3, name: "carol" });
  take({ client: 3, name: "carol", emoji: "❤️" });
  take({ client: 2, emoji: "❤" });
  take({ client: 1, name: "alice", own: true });
  assert.deepEqual(shown(), ["👍 bob,carol,alice true", "❤️ carol,bob false"]);
  assert.equal(reactions.lastOwn, 1);
  assert.equal(take({ client: 9, own: true, on: false }), true, "a new session is the same person");
  assert.equal(take({ client: 4, on: false }), false, "who has none takes none back");
  assert.deepEqual(shown(), ["👍 bob,carol false", "❤️ carol,bob false"]);
  reactions.delete(1);
  assert.deepEqual([shown(), reactions.lastOwn], [[], undefined]);
});

Deno.test("what members and servers can make a client keep is bounded", () => {
  const { take, reactions, shown } = scene();
  const mine = EMOJI.filter((emoji) => take({ emoji }));
  assert.equal(mine.length, REACTIONS_MAX.member);
  const kinds = EMOJI.filter((emoji, client) => take({ emoji, client: 100 + client }));
  assert.equal(reactions.of(1).length, REACTIONS_MAX.kinds);
  assert.ok(kinds.length < EMOJI.length);
  for (let client = 1_000; client < 1_000 + REACTIONS_MAX.room; client++) {
    take({ sequence: 2 + client % 50, client });
  }
  assert.deepEqual(shown(), [], "the message that was reacted to first is forgotten");
  const all = Array.from({ length: 60 }, (_, sequence) => reactions.of(sequence)).flat();
  assert.ok(all.reduce((sum, { names }) => sum + names.length, 0) <= REACTIONS_MAX.room);
});
