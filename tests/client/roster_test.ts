import assert from "node:assert/strict";
import { Roster } from "../../client/roster.ts";

Deno.test("a roster follows who comes, leaves and renames", () => {
  const roster = new Roster();
  roster.replace([{ name: "alice", state: "away" }, { name: "bob", state: "old" }]);
  roster.add("Alice");
  roster.rename("bob", "carol");
  roster.remove("nobody");
  assert.deepEqual(roster.names, ["Alice", "carol"]);
  assert.deepEqual(roster.people.map(({ state }) => state), ["away", "old"]);
  roster.remove("ALICE");
  roster.clear();
  assert.deepEqual(roster.names, []);
});
