import assert from "node:assert/strict";
import { decodeHandOver, encodeHandOver } from "../../../server/relay/hand_over_state.ts";
import type { Relay } from "../../../server/relay/relay.ts";
import { handOver, takeOver } from "../../../server/relay/succession.ts";
import type { Session } from "../../../server/session/session.ts";
import { configOf, makeRelay, RecordingPort, seat } from "../../helpers/peers/relay.ts";

/** The process after the one of `relay`, over the bytes that go between them. */
async function successor(
  relay: Relay,
  env: Readonly<Record<string, string>> = {},
): Promise<Relay> {
  const bytes = encodeHandOver({ identity: "", relay: await handOver(relay) });
  const next = await makeRelay([], env);
  takeOver(next, decodeHandOver(bytes).relay);
  return next;
}

Deno.test("the next process knows the maker, the rules, the topic and the members of a room", async () => {
  const relay = await makeRelay();
  const [ann, bob] = [seat(relay, { name: "ann" }), seat(relay, { name: "bob" })];
  const about = { room: ann.room(), whom: 0, text: "" };
  ann.ask({ kind: "topic", room: ann.room(), text: "tea" });
  bob.ask({ kind: "status", text: "lunch" });
  ann.ask({ kind: "moderate", ...about, what: "mute", whom: bob.session.id, seconds: 0 });
  ann.ask({ kind: "moderate", ...about, what: "slow", seconds: 60 });
  const before = relay.rooms.open("lobby");
  const [list] = before.list;

  const next = await successor(relay);
  const room = next.rooms.open("lobby");
  assert.deepEqual(room.list, [list]);
  assert.equal(room.topic, "tea");
  assert.equal(room.at, before.at);
  const { maker, slow } = room.rules;
  assert.deepEqual([maker, slow], [ann.session.id, 60]);
  assert.notEqual(room.rules.mutedUntil(bob.session.id, Date.now()), undefined);
  // Nobody becomes the maker of a room by being the first to join after a restart.
  const eve = seat(next, { name: "eve" });
  assert.equal(room.rules.maker, ann.session.id);
  assert.notEqual(eve.session.id, bob.session.id);
});

Deno.test("a session goes on where it was: its name is kept for it, and a repeat is recognized", async () => {
  const relay = await makeRelay();
  const ann = seat(relay, { name: "ann" });
  ann.ask({ kind: "chat", room: ann.room(), text: "hi", action: false, reply: 0 });
  const next = await successor(relay);
  assert.equal(seat(next, { name: "ann" }).session.memberships[0]?.name, "ann-2");
  const session = next.session(ann.session.id);
  assert.equal(session?.requests.isRepeat(1), true);
  const port = new RecordingPort();
  session?.takeConnection(port);
  session?.tell({ kind: "pong" });
  assert.equal(port.events.length, 1);
});

Deno.test("a v1 client leaves with the process, since it cannot come back", async () => {
  const relay = await makeRelay();
  seat(relay, { name: "ann" });
  seat(relay, { name: "old", old: true });
  const next = await successor(relay);
  assert.deepEqual(next.rooms.open("lobby").occupants.map(({ name }) => name), ["ann"]);
});

Deno.test("a process that hands over takes no new clients", async () => {
  const relay = await makeRelay();
  assert.notEqual(relay.access.admit("192.0.2.1"), undefined);
  await handOver(relay);
  assert.equal(relay.access.admit("192.0.2.1"), undefined);
});

Deno.test("who was banned or silenced and left stays so in the next process", async () => {
  const relay = await makeRelay();
  const ann = seat(relay, { name: "ann" });
  const eve = seat(relay, { name: "eve", address: "198.51.100.7" });
  const dan = seat(relay, { name: "dan", address: "198.51.100.8" });
  const about = { room: ann.room(), seconds: 0, text: "" };
  ann.ask({ kind: "moderate", ...about, what: "mute", whom: eve.session.id });
  ann.ask({ kind: "moderate", ...about, what: "ban", whom: dan.session.id });
  relay.expire(eve.session);
  const next = await successor(relay);
  const muted = { address: "198.51.100.7", tokenName: undefined, since: Date.now() + 1 };
  assert.equal(next.departed.of("lobby", muted).mutedUntil, Infinity);
  assert.equal(next.roomBans.until("lobby", "198.51.100.8", Date.now()), Infinity);
});

Deno.test("a ticket that was changed and not shown yet works by both secrets in the next process", async () => {
  const relay = await makeRelay();
  const ann = seat(relay, { name: "ann" });
  const { id, secret: before } = ann.session.ticket!;
  ann.session.renewTicket(before);
  const { secret } = ann.session.ticket!;
  const next = await successor(relay);
  const session = next.session(ann.session.id);
  for (const one of [before, secret]) assert.equal(next.held.find(id, one), session);
  (session as Session).confirmTicket();
  assert.equal(next.held.find(id, before), undefined);
});

Deno.test("a token that is revoked after a hand-over ends the session that came with it before", async () => {
  const env = { CMDCHAT_TOKENS: "one,two" };
  const relay = await makeRelay([], env);
  const [ann, bob] = [seat(relay, { name: "ann" }), seat(relay, { name: "bob" })];
  relay.access.noteToken(ann.session, "one");
  relay.access.noteToken(bob.session, "two");
  const next = await successor(relay, env);
  assert.equal(next.useTokens(configOf([], { CMDCHAT_TOKENS: "two" }).tokens), 1);
  assert.deepEqual(next.sessions.map(({ id }) => id), [bob.session.id]);
});

Deno.test("invites go over to the next process, with who came by them, unless their maker's token is none there", async () => {
  const env = { CMDCHAT_TOKENS: "one,two" };
  const relay = await makeRelay(["--invites"], env);
  const [ann, bob] = [seat(relay, { name: "ann" }), seat(relay, { name: "bob" })];
  relay.access.noteToken(ann.session, "one");
  const minted = await relay.inviting.mint(ann.session, { title: "lobby", seconds: 60, uses: 2 });
  relay.access.noteToken(bob.session, minted.token);
  const use = await relay.access.useInvite(minted.token);
  assert.ok(typeof use === "object");
  relay.access.noteInvite(bob.session, use.invite);
  const state = await handOver(relay);
  const next = await makeRelay(["--invites"], env);
  takeOver(next, decodeHandOver(encodeHandOver({ identity: "", relay: state })).relay);
  const again = next.session(bob.session.id) as Session;
  assert.deepEqual(next.access.inviteOf(again)?.number, 1);
  const returning = { session: again };
  assert.equal(next.access.judgeToken(minted.token, { address: "::1", returning }), "right");
  assert.deepEqual(
    next.inviting.list(next.session(ann.session.id) as Session).map(({ uses }) => uses),
    [1],
  );
  assert.equal(next.useTokens(configOf([], { CMDCHAT_TOKENS: "two" }).tokens), 2);
  assert.equal(next.access.isAuthorized(minted.token), false);
  const other = await makeRelay(["--invites"], { CMDCHAT_TOKENS: "two" });
  takeOver(other, state);
  assert.equal(other.access.isAuthorized(minted.token), false);
});

Deno.test("sealed rooms in another format are left to their members, and all else goes on", async () => {
  const relay = await makeRelay();
  seat(relay, { name: "ann" });
  const state = await handOver(relay);
  const sealed = { ...state.sealed, format: 99 } as unknown as typeof state.sealed;
  const next = await makeRelay();
  takeOver(next, { ...state, sealed });
  assert.deepEqual(next.rooms.open("lobby").occupants.map(({ name }) => name), ["ann"]);
});

Deno.test("whom an admin ended comes back by none of its tickets at the next process, nor at the one after", async () => {
  const relay = await makeRelay();
  const eve = seat(relay, { name: "eve", address: "2001:db8:1:2::3" });
  const { id, secret: before } = eve.session.ticket!;
  eve.session.renewTicket(before);
  const { secret } = eve.session.ticket!;
  relay.expel(eve.session, "enough");
  let next = relay;
  for (let n = 0; n < 2; n++) {
    next = await successor(next);
    for (const one of [before, secret]) assert.equal(next.held.wasExpelled(id, one), true);
    assert.equal(next.held.wasExpelled(id, new Uint8Array(32)), false);
    assert.deepEqual(next.held.barred.map(([source]) => source), ["2001:db8:1::/48"]);
  }
});
