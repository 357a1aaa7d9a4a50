import assert from "node:assert/strict";
import { DEPARTED_BUDGET, DEPARTED_REJOIN_MS } from "../../../server/config/limits.ts";
import {
  type Burden,
  DepartedMembers,
  type Passer,
} from "../../../server/limits/departed_members.ts";

const DEN = { title: "den", madeBy: "192.0.2.1" };
const HOUR = 3_600_000;

/** A client of an address, whose session begins now unless told. */
function from(address: string, about: Partial<Passer> = {}): Passer {
  return { address, tokenName: undefined, since: 1, ...about };
}

/** Muted for an hour from the beginning, and silent since. */
const MUTED: Burden = { mutedUntil: HOUR, mutedAt: 1, spokeAt: 0 };

Deno.test("what a member left behind is there for its source and in that room alone", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  departed.leave(DEN, from("2001:db8::1"), { ...MUTED, spokeAt: 5 }, 10);
  assert.equal(departed.of("den", from("2001:db8::2")).mutedUntil, HOUR);
  assert.equal(departed.of("den", from("2001:db8::2")).spokeAt, 5);
  assert.equal(departed.of("den", from("2001:db8:0:1::1")).mutedUntil, 0);
  assert.equal(departed.of("lobby", from("2001:db8::1")).mutedUntil, 0);
});

Deno.test("a mute does not become shorter by another member that leaves", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  departed.leave(DEN, from("192.0.2.9"), MUTED, 0);
  departed.leave(DEN, from("192.0.2.9"), { mutedUntil: 0, mutedAt: 0, spokeAt: 7 }, 10);
  assert.deepEqual(departed.of("den", from("192.0.2.9")).mutedUntil, HOUR);
  departed.unmute("den", from("192.0.2.9"));
  assert.equal(departed.of("den", from("192.0.2.9")).mutedUntil, 0);
});

Deno.test("while one of a source is muted, the next comes in a minute after the last; then at once", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  assert.equal(departed.joinWait("den", from("192.0.2.9"), 0), 0);
  departed.leave(DEN, from("192.0.2.9"), MUTED, 0);
  assert.equal(departed.joinWait("den", from("192.0.2.9"), 0), DEPARTED_REJOIN_MS);
  assert.equal(departed.joinWait("den", from("192.0.2.9"), DEPARTED_REJOIN_MS), 0);
  departed.joined(DEN, from("192.0.2.9"), DEPARTED_REJOIN_MS);
  assert.equal(departed.joinWait("den", from("192.0.2.9"), DEPARTED_REJOIN_MS), DEPARTED_REJOIN_MS);
  assert.equal(departed.joinWait("den", from("192.0.2.9"), HOUR), 0);
  assert.equal(departed.joinWait("den", from("192.0.2.7"), 0), 0);
});

Deno.test("other servers are told of what began here, and not of what they told", () => {
  const told: [string, string, Burden][] = [];
  const departed = new DepartedMembers({
    tellsApart: true,
    onChanged: (...burden) => told.push(burden),
  });
  const burden = { ...MUTED, spokeAt: 3 };
  departed.note(DEN, "192.0.2.9", burden, 0);
  departed.leave(DEN, from("192.0.2.8"), burden, 0);
  departed.unmute("den", from("192.0.2.9"));
  const none = { mutedUntil: 0, mutedAt: 0, spokeAt: 0 };
  assert.deepEqual(told, [["den", "192.0.2.8", burden], ["den", "192.0.2.9", none]]);
  departed.note(DEN, "192.0.2.8", none, 0);
  assert.equal(
    departed.of("den", from("192.0.2.8")).mutedUntil,
    0,
    "what another server says replaces it",
  );
});

Deno.test("nothing is kept where all clients have the address of one proxy", () => {
  const departed = new DepartedMembers({ tellsApart: false });
  departed.leave(DEN, from("192.0.2.9"), { ...MUTED, spokeAt: 5 }, 0);
  assert.equal(departed.of("den", from("192.0.2.9")).mutedUntil, 0);
  assert.equal(departed.joinWait("den", from("192.0.2.9"), 0), 0);
});

Deno.test("a session that began before the mute, and one with a token of another name, are somebody else", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  const eve = from("192.0.2.9", { tokenName: "eve", since: 5 });
  departed.leave(DEN, eve, { ...MUTED, mutedAt: 10 }, 20);
  const seen = (who: Partial<Passer>) => {
    const passer = { ...eve, since: 15, ...who };
    return [departed.of("den", passer).mutedUntil, departed.joinWait("den", passer, 20)];
  };
  assert.deepEqual(seen({}), [HOUR, DEPARTED_REJOIN_MS]);
  assert.deepEqual(seen({ since: 9 }), [0, 0]);
  assert.deepEqual(seen({ tokenName: "bob" }), [0, 0]);
  assert.deepEqual(seen({ tokenName: undefined }), [0, 0]);
});

Deno.test("mutes in rooms of one's own never end a mute of another maker: the oldest of one's own end", () => {
  const departed = new DepartedMembers({ tellsApart: true });
  const attic = { title: "attic", madeBy: "198.51.100.1" };
  departed.leave(attic, from("203.0.113.1"), MUTED, 0);
  const address = (n: number) => `10.0.${n >> 8}.${n & 255}`;
  const last = DEPARTED_BUDGET.most + 100;
  for (let n = 0; n <= last; n++) departed.leave(DEN, from(address(n)), MUTED, 0);
  assert.equal(departed.of("attic", from("203.0.113.1")).mutedUntil, HOUR);
  assert.equal(departed.of("den", from(address(0))).mutedUntil, 0);
  assert.equal(departed.of("den", from(address(last))).mutedUntil, HOUR);
});
