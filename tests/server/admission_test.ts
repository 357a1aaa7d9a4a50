import assert from "node:assert/strict";
import { checkEntry } from "../../server/admission.ts";
import { Refusal } from "../../server/refusal.ts";
import { makeRelay } from "../helpers/relay.ts";

function refusedWith(reason: string) {
  return (error: unknown) => error instanceof Refusal && error.reason === reason;
}

Deno.test("checkEntry() gives name and room as they are really written", async () => {
  const relay = await makeRelay();
  const { name, room } = checkEntry(relay, { name: "  Alice  B ", room: "LOBBY" });
  assert.deepEqual([name, room.name], ["Alice B", "lobby"]);
});

Deno.test("checkEntry() refuses names and rooms that are none, each with its word", async () => {
  const relay = await makeRelay();
  const wrong = ["", " ", "x".repeat(33), "a\nb", "\u202ealice", "server", "a:b"];
  for (const text of wrong) {
    assert.throws(
      () => checkEntry(relay, { name: text, room: "lobby" }),
      refusedWith("invalid_name"),
    );
  }
  for (const text of wrong.filter((text) => text !== "server")) {
    assert.throws(
      () => checkEntry(relay, { name: "alice", room: text }),
      refusedWith("invalid_room"),
    );
  }
  assert.equal(relay.gauges.rooms, 0, "and no room is made for who does not come in");
});

Deno.test("checkEntry() refuses a room too many", async () => {
  const relay = await makeRelay(["--max-rooms", "1"]);
  checkEntry(relay, { name: "alice", room: "lobby" });
  assert.throws(
    () => checkEntry(relay, { name: "bob", room: "den" }),
    refusedWith("too_many_rooms"),
  );
});
