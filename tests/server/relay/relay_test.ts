import assert from "node:assert/strict";
import { LimitError } from "../../../shared/base/errors.ts";
import { HANDSHAKES_AT_ONCE, TLS_HANDSHAKES_AT_ONCE } from "../../../server/config/limits.ts";
import type { HandshakeQueue } from "../../../server/limits/handshake_queue.ts";
import { makeRelay } from "../../helpers/peers/relay.ts";

Deno.test("admit() counts connections in total and from one address, and gives places back", async () => {
  const relay = await makeRelay(["--max-connections", "3", "--max-per-address", "2"]);
  const places = ["a", "a", "b"].map((address) => relay.access.admit(address));
  assert.ok(places.every((place) => place !== undefined));
  assert.equal(relay.access.admit("c"), undefined, "full");
  places[2]?.release();
  assert.equal(relay.access.admit("a"), undefined, "that address has its share");
  assert.ok(relay.access.admit("b"));
  places[0]?.release();
  assert.ok(relay.access.admit("a"));
  assert.equal(relay.gauges.connections, 3);
  const { connectionsAccepted, connectionsRefused } = relay.counters;
  assert.deepEqual([connectionsAccepted, connectionsRefused], [5, 2]);
});

Deno.test("without --max-per-address one address may have all places", async () => {
  const relay = await makeRelay(["--max-per-address", "off"]);
  for (let n = 0; n < 1_000; n++) assert.ok(relay.access.admit("a"));
});

/** How many of many handshakes a queue runs at a time. */
async function mostAtOnce(queue: HandshakeQueue): Promise<number> {
  let running = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve));
    running--;
  };
  const all = Array.from({ length: 3 * HANDSHAKES_AT_ONCE }, () => queue.run("192.0.2.1", work));
  await Promise.all(all);
  return most;
}

Deno.test("few handshakes are computed at a time, and those of TLS one by one", async () => {
  const relay = await makeRelay();
  assert.equal(await mostAtOnce(relay.handshakeQueue), HANDSHAKES_AT_ONCE);
  assert.equal(await mostAtOnce(relay.tlsQueue), TLS_HANDSHAKES_AT_ONCE);
});

Deno.test("a relay whose identity outlasts it expects that all come back, and one with a fresh identity does not", async () => {
  for (const args of [["--identity-file", "identity.pem"], []]) {
    const relay = await makeRelay(args);
    const expected: unknown[] = [];
    relay.handshakes.run = (_, options) => void expected.push(options);
    const running = new AbortController();
    relay.run(running.signal);
    running.abort();
    assert.deepEqual(expected, [{ expectsCrowd: args.length > 0 }]);
  }
});

Deno.test("a stopping relay admits nobody", async () => {
  const relay = await makeRelay();
  await relay.stop();
  assert.equal(relay.stopping, true);
  assert.equal(relay.access.admit("a"), undefined);
});

Deno.test("isAuthorized() takes each of the tokens whole, and everybody where there are none", async () => {
  const guarded = await makeRelay([], { CMDCHAT_TOKENS: "first,second" });
  for (const token of ["first", "second"]) assert.equal(guarded.access.isAuthorized(token), true);
  for (const token of ["", "firs", "first ", "FIRST", "first,second", null, undefined]) {
    assert.equal(guarded.access.isAuthorized(token), false, String(token));
  }
  const open = await makeRelay();
  for (const token of ["anything", "", null, undefined]) {
    assert.equal(open.access.isAuthorized(token), true);
  }
});

Deno.test("rooms are made when asked for, up to the cap, and an empty one is forgotten", async () => {
  const relay = await makeRelay(["--max-rooms", "2"]);
  const lobby = relay.rooms.open("lobby");
  assert.equal(relay.rooms.open("lobby"), lobby);
  relay.rooms.open("den");
  assert.throws(() => relay.rooms.open("attic"), LimitError);
  assert.equal(relay.rooms.open("den").title, "den", "those that are there are still given");
  relay.rooms.tidy(lobby);
  assert.equal(relay.gauges.rooms, 1);
  assert.equal(relay.rooms.open("attic").size, 0);
});

Deno.test("numbers of clients are never used twice", async () => {
  const relay = await makeRelay();
  const ids = Array.from({ length: 100 }, () => relay.nextClientId());
  assert.equal(new Set(ids).size, 100);
});
