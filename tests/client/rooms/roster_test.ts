import assert from "node:assert/strict";
import { MEMBERS_MAX, Roster } from "../../../client/rooms/roster.ts";

Deno.test("a roster follows who comes, leaves and renames", () => {
  const roster = new Roster();
  const about = { since: 0, status: null };
  roster.replace([
    { client: 1, name: "alice", state: "away", ...about },
    { client: 2, name: "bob", state: "old", ...about },
  ]);
  roster.add({ name: "Alice" });
  roster.rename("bob", "carol");
  roster.remove("nobody");
  assert.deepEqual(roster.names, ["Alice", "carol"]);
  assert.deepEqual(roster.people.map(({ state }) => state), ["away", "old"]);
  roster.remove("ALICE");
  roster.clear();
  assert.deepEqual(roster.names, []);
});

Deno.test("a full list of members still learns what becomes of those in it", () => {
  const roster = new Roster();
  for (let n = 0; n <= MEMBERS_MAX; n++) roster.add({ name: `m${n}` });
  roster.add({ name: "m0", state: "away" });
  assert.deepEqual([roster.people.length, roster.find("m0")?.state], [MEMBERS_MAX, "away"]);
});
