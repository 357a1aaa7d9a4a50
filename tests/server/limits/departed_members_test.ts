import assert from "node:assert/strict";
import { DEPARTED_REJOIN_MS } from "../../../server/config/limits.ts";
import { type Burden, DepartedMembers } from "../../../server/limits/departed_members.ts";

const DEN = { title: "den", madeBy: "192.0.2.1" };
const HOUR = 3_600_000;

Deno.test("what a member left behind is there for its source and in that room alone", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  departed.leave(DEN, "2001:db8::1", { mutedUntil: HOUR, spokeAt: 5 }, 10);
  assert.equal(departed.of("den", "2001:db8::2").mutedUntil, HOUR);
  assert.equal(departed.of("den", "2001:db8::2").spokeAt, 5);
  assert.equal(departed.of("den", "2001:db8:0:1::1").mutedUntil, 0);
  assert.equal(departed.of("lobby", "2001:db8::1").mutedUntil, 0);
});

Deno.test("a mute does not become shorter by another member that leaves", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  departed.leave(DEN, "192.0.2.9", { mutedUntil: HOUR, spokeAt: 0 }, 0);
  departed.leave(DEN, "192.0.2.9", { mutedUntil: 0, spokeAt: 7 }, 10);
  assert.deepEqual(departed.of("den", "192.0.2.9").mutedUntil, HOUR);
  departed.unmute("den", "192.0.2.9");
  assert.equal(departed.of("den", "192.0.2.9").mutedUntil, 0);
});

Deno.test("while one of a source is muted, the next comes in a minute after the last; then at once", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  assert.equal(departed.joinWait("den", "192.0.2.9", 0), 0);
  departed.leave(DEN, "192.0.2.9", { mutedUntil: HOUR, spokeAt: 0 }, 0);
  assert.equal(departed.joinWait("den", "192.0.2.9", 0), DEPARTED_REJOIN_MS);
  assert.equal(departed.joinWait("den", "192.0.2.9", DEPARTED_REJOIN_MS), 0);
  departed.joined(DEN, "192.0.2.9", DEPARTED_REJOIN_MS);
  assert.equal(departed.joinWait("den", "192.0.2.9", DEPARTED_REJOIN_MS), DEPARTED_REJOIN_MS);
  assert.equal(departed.joinWait("den", "192.0.2.9", HOUR), 0);
  assert.equal(departed.joinWait("den", "192.0.2.7", 0), 0);
});

Deno.test("other servers are told of what began here, and not of what they told", () => {
  const told: [string, string, Burden][] = [];
  const departed = new DepartedMembers({
    tellsApart: true,
    onChanged: (...burden) => told.push(burden),
  });
  const burden = { mutedUntil: HOUR, spokeAt: 3 };
  departed.note(DEN, "192.0.2.9", burden, 0);
  departed.leave(DEN, "192.0.2.8", burden, 0);
  departed.unmute("den", "192.0.2.9");
  const none = { mutedUntil: 0, spokeAt: 0 };
  assert.deepEqual(told, [["den", "192.0.2.8", burden], ["den", "192.0.2.9", none]]);
  departed.note(DEN, "192.0.2.8", none, 0);
  assert.equal(
    departed.of("den", "192.0.2.8").mutedUntil,
    0,
    "what another server says replaces it",
  );
});

Deno.test("nothing is kept where all clients have the address of one proxy", () => {
  const departed = new DepartedMembers({ tellsApart: false });
  departed.leave(DEN, "192.0.2.9", { mutedUntil: HOUR, spokeAt: 5 }, 0);
  assert.equal(departed.of("den", "192.0.2.9").mutedUntil, 0);
  assert.equal(departed.joinWait("den", "192.0.2.9", 0), 0);
});
