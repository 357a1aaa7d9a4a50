import assert from "node:assert/strict";
import { checkName, checkRoom } from "../../../server/connection/admission.ts";
import { Refusal } from "../../../server/connection/refusal.ts";
import { makeRelay } from "../../helpers/peers/relay.ts";

function refusedWith(reason: string) {
  return (error: unknown) => error instanceof Refusal && error.reason === reason;
}

const address = "192.0.2.1";

Deno.test("checkName() and checkRoom() give what is wanted as it is really written", async () => {
  const relay = await makeRelay();
  assert.equal(checkName("  Alice  B "), "Alice B");
  assert.equal(checkRoom(relay, { wanted: "LOBBY", address }).title, "lobby");
});

Deno.test("checkName() and checkRoom() refuse what is no name, each with its word", async () => {
  const relay = await makeRelay();
  const wrong = ["", " ", "x".repeat(33), "a\nb", "\u202ealice", "server", "a:b"];
  for (const text of wrong) {
    assert.throws(() => checkName(text), refusedWith("invalid_name"));
  }
  for (const text of wrong.filter((text) => text !== "server")) {
    assert.throws(() => checkRoom(relay, { wanted: text, address }), refusedWith("invalid_room"));
  }
  assert.equal(relay.gauges.rooms, 0, "and no room is made for who does not come in");
});

Deno.test("checkRoom() refuses a room too many", async () => {
  const relay = await makeRelay(["--max-rooms", "1"]);
  checkRoom(relay, { wanted: "lobby", address });
  assert.throws(() => checkRoom(relay, { wanted: "den", address }), refusedWith("too_many_rooms"));
});
