import assert from "node:assert/strict";
import { RelayClusterHost } from "../../../server/admin/cluster_host.ts";
import { sha256 } from "../../../shared/crypto/hkdf.ts";
import { makeRelay, seat } from "../../helpers/peers/relay.ts";

const EVE = "198.51.100.7";

const MESSAGE = {
  kind: "direct",
  question: 1,
  title: "lobby",
  name: "ann",
  time: 0,
  toName: "bob",
  request: 1,
  text: "hi",
} as const;

Deno.test("a direct message of another server reaches a member only from one who is in the room", async () => {
  const relay = await makeRelay();
  const host = new RelayClusterHost(relay);
  const [ann, bob] = [seat(relay, { name: "ann" }), seat(relay, { name: "bob" })];
  const message = { ...MESSAGE, client: ann.session.id, to: bob.session.id };
  assert.equal(host.direct(message), true);
  assert.deepEqual(bob.take("direct").map(({ text, room }) => [text, room]), [["hi", bob.room()]]);
  assert.equal(host.direct({ ...message, client: 9_999 }), false, "the sender is in no room");
  assert.equal(host.direct({ ...message, title: "den" }), false, "the receiver is not in it");
});

Deno.test("a session whose client went to another server is given up, with its last request", async () => {
  const relay = await makeRelay();
  const host = new RelayClusterHost(relay);
  const [ann, bob] = [seat(relay, { name: "ann" }), seat(relay, { name: "bob" })];
  ann.ask({ kind: "chat", room: ann.room(), text: "hi", action: false, reply: 0 });
  const { id: ticket, secret } = ann.session.ticket!;
  assert.equal(await host.giveUp(ticket, sha256(new Uint8Array(32))), "kept");
  assert.notEqual(ann.session.writer, undefined);
  const given = await host.giveUp(ticket, sha256(secret));
  assert.deepEqual(given, { request: 1, unsettled: { open: [], declined: [] }, mail: [] });
  assert.equal(await host.giveUp(ticket, sha256(secret)), undefined);
  assert.equal(bob.take("left").length, 0, "nobody is told");
  assert.deepEqual([...host.sessions()].map(({ id }) => id), [bob.session.id]);
});

Deno.test("a server that starts later is told who left silenced, and follows when it is over", async () => {
  const relay = await makeRelay();
  const host = new RelayClusterHost(relay);
  const [ann, eve] = [seat(relay, { name: "ann" }), seat(relay, { name: "eve", address: EVE })];
  const about = { room: ann.room(), seconds: 0, text: "" };
  ann.ask({ kind: "moderate", ...about, what: "mute", whom: eve.session.id });
  relay.expire(eve.session);
  const [told] = [...host.standing()].filter(({ kind }) => kind === "departed");
  assert.ok(told?.kind === "departed" && told.source === EVE && told.title === "lobby");
  const later = await makeRelay();
  new RelayClusterHost(later).followRoom(told);
  const eveAgain = { address: EVE, tokenName: undefined, since: Date.now() + 1 };
  assert.ok(later.departed.of("lobby", eveAgain).mutedUntil > Date.now());
  new RelayClusterHost(later).followRoom({ ...told, mutedUntil: 0, spokeAt: 0 });
  assert.equal(later.departed.of("lobby", eveAgain).mutedUntil, 0);
});
