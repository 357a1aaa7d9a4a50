import assert from "node:assert/strict";
import { makeRelay, RecordingPort, seat, type Seated } from "../../helpers/peers/relay.ts";
import {
  EXPECTED_BACK_MAX_MS,
  EXPECTED_BACK_MS,
  EXPELLED_BUDGET,
} from "../../../server/config/limits.ts";
import type { Relay } from "../../../server/relay/relay.ts";

const HOLD_MS = 60_000;

/** The link of `who` is lost, as the connection finds out. */
function lose(relay: Relay, who: Seated, now = 0): boolean {
  const held = relay.held.hold(who.session, now);
  if (held) who.session.loseConnection();
  else relay.expire(who.session);
  return held;
}

Deno.test("a lost session is found by its ticket, and by no other secret", async () => {
  const relay = await makeRelay();
  const alice = seat(relay);
  const { id, secret } = alice.session.ticket as NonNullable<typeof alice.session.ticket>;
  assert.equal(lose(relay, alice), true);
  assert.equal(relay.held.find(id, secret), alice.session);
  assert.equal(relay.held.find(id, secret.with(31, (secret[31] ?? 0) ^ 1)), undefined);
  assert.equal(relay.held.find(id.with(0, 99), secret), undefined);
});

Deno.test("the room is told away, and left once the time is over, not before", async () => {
  const relay = await makeRelay();
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  lose(relay, alice, 1_000);
  assert.deepEqual(bob.take("away").map(({ name }) => name), ["alice"]);
  relay.held.sweep(1_000 + HOLD_MS - 1);
  assert.deepEqual([bob.take("left").length, relay.held.size], [0, 1]);
  relay.held.sweep(1_000 + HOLD_MS);
  assert.deepEqual([bob.take("left").length, relay.held.size], [1, 0]);
  const { id, secret } = alice.session.ticket as NonNullable<typeof alice.session.ticket>;
  assert.equal(relay.held.find(id, secret), undefined);
});

Deno.test("who is back is held no longer, and keeps its name against newcomers meanwhile", async () => {
  const relay = await makeRelay();
  const alice = seat(relay);
  lose(relay, alice);
  const other = seat(relay, { name: "Alice" });
  assert.equal(other.session.memberships[0]?.name, "Alice-2");
  relay.held.release(alice.session);
  alice.session.takeConnection(new RecordingPort());
  relay.held.sweep(10 * HOLD_MS);
  assert.equal(relay.session(alice.session.id), alice.session);
});

Deno.test("a held session counts as a connection, also on a full server, and gives its place back once", async () => {
  const relay = await makeRelay(["--max-per-address", "1"]);
  const own = relay.access.admit("192.0.2.1");
  const alice = seat(relay);
  assert.equal(lose(relay, alice), true);
  own?.release();
  const other = relay.access.admit("192.0.2.1");
  assert.equal(other?.forHeld, true, "its place is taken, and only itself may come for it");
  other?.release();
  relay.held.release(alice.session);
  relay.held.release(alice.session);
  assert.equal(relay.gauges.connections, 0);
  assert.ok(relay.access.admit("192.0.2.1"));
  assert.equal(relay.counters.connectionsAccepted, 3, "and is no connection of its own");
});

Deno.test("nobody is held without --hold, while stopping, or without a ticket", async () => {
  const hasty = await makeRelay(["--hold", "0"]);
  assert.equal(lose(hasty, seat(hasty)), false);
  const relay = await makeRelay();
  assert.equal(lose(relay, seat(relay, { old: true })), false);
  const bob = seat(relay, { name: "bob" });
  await relay.stop();
  assert.equal(lose(relay, bob), false);
});

Deno.test("direct messages wait for who is away up to a bound, and their senders learn of the end", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  lose(relay, bob);
  const text = "x".repeat(4_000);
  for (let n = 0; n < 20; n++) alice.ask({ kind: "direct", to: bob.session.id, text });
  const kept = alice.take("direct").length;
  const declined = alice.take("declined");
  assert.equal(kept + declined.length, 20);
  assert.ok(kept >= 15 && declined.length > 0, `${kept} are kept`);
  assert.match(declined[0]?.why ?? "", /too much waits for it/);
  assert.ok(relay.budget.used > kept * 4_000);
  relay.held.sweep(HOLD_MS);
  assert.equal(alice.take("undelivered").length, kept);
  assert.equal(relay.budget.used, 0);
});

Deno.test("whom an admin ended comes back by neither secret, and others' expelled sessions do not push that out", async () => {
  const relay = await makeRelay();
  const eve = seat(relay, { name: "eve", address: "198.51.100.7" });
  const { id, secret: before } = eve.session.ticket!;
  eve.session.renewTicket(before);
  const { secret } = eve.session.ticket!;
  relay.expel(eve.session, "enough");
  const { session } = seat(relay, { name: "many", address: "198.51.100.8" });
  for (let n = 0; n < EXPELLED_BUDGET.most + 10; n++) {
    const ticket = { id: crypto.getRandomValues(new Uint8Array(16)), secret };
    relay.held.noteExpelled(Object.assign(Object.create(session), { ticket }));
  }
  for (const one of [before, secret]) assert.equal(relay.held.wasExpelled(id, one), true);
});

/** A relay that took the sessions of these addresses over at 0; `away` = who is shown so to the last one at `now`. */
async function takenOver(addresses: readonly string[]) {
  const relay = await makeRelay(["--hold", "600"]);
  const witness = seat(relay, { name: "witness", address: "203.0.113.9" });
  for (const [n, address] of addresses.entries()) {
    const { session } = seat(relay, { name: `m${n}`, address });
    session.detach();
    assert.equal(relay.held.expect(session, 0), true);
  }
  const away = (now: number) => {
    relay.held.sweep(now);
    return witness.take("away").map(({ name }) => name);
  };
  return { relay, away };
}

Deno.test("who is not back at the next process in time is away, and not before", async () => {
  const { away } = await takenOver(["192.0.2.1", "192.0.2.2"]);
  assert.deepEqual(away(EXPECTED_BACK_MS - 1), []);
  assert.deepEqual(away(EXPECTED_BACK_MS), ["m0", "m1"]);
  assert.deepEqual(away(2 * EXPECTED_BACK_MS), [], "once");
});

Deno.test("a client that was told to wait is not away before that is over, and others have no more time", async () => {
  const { relay, away } = await takenOver(["192.0.2.1", "192.0.2.2", "2001:db8:1:2::1"]);
  relay.held.toldToWait("192.0.2.2", 20_000, 5_000);
  // Another client of its site, which says which /64 it has.
  relay.held.toldToWait("2001:db8:1:3::1", 20_000, 5_000);
  relay.held.toldToWait("198.51.100.1", 20_000, 5_000);
  assert.deepEqual(away(EXPECTED_BACK_MS), ["m0"]);
  assert.deepEqual(away(5_000 + 1.25 * 20_000 + 3_000), []);
  assert.deepEqual(away(5_000 + 1.25 * 20_000 + 4_000), ["m1", "m2"]);
});

Deno.test("whoever is told to wait again and again is away in the end", async () => {
  const { relay, away } = await takenOver(["192.0.2.1"]);
  for (let now = 0; now < EXPECTED_BACK_MAX_MS; now += 1_000) {
    relay.held.toldToWait("192.0.2.1", 30_000, now);
    assert.deepEqual(away(now), []);
  }
  assert.deepEqual(away(EXPECTED_BACK_MAX_MS), ["m0"]);
});

Deno.test("who departed for another server, and does not come, is away after the same time", async () => {
  const relay = await makeRelay();
  const [ann, bob] = [seat(relay, { name: "ann" }), seat(relay, { name: "bob" })];
  assert.equal(relay.held.hold(ann.session, 0), true);
  ann.session.depart();
  relay.held.sweep(EXPECTED_BACK_MS - 1);
  assert.deepEqual(bob.take("away"), []);
  relay.held.sweep(EXPECTED_BACK_MS);
  assert.deepEqual(bob.take("away").map(({ name }) => name), ["ann"]);
});
