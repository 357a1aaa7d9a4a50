import assert from "node:assert/strict";
import { followAdmin, runAdminCommand } from "../../../server/admin/admin_actions.ts";
import type { AdminRequest } from "../../../server/admin/admin_commands.ts";
import { NETWORK_BANS_MAX } from "../../../server/limits/network_bans.ts";
import type { Relay } from "../../../server/relay/relay.ts";
import { LimitError, UsageError } from "../../../shared/base/errors.ts";
import { makeRelay, seat } from "../../helpers/peers/relay.ts";

async function lines(relay: Relay, ask: AdminRequest): Promise<readonly string[]> {
  return (await runAdminCommand(relay, ask)).lines;
}

Deno.test("sessions and rooms are listed without a name, and with them only when asked for", async () => {
  const relay = await makeRelay();
  const alice = seat(relay, { name: "alicia", rooms: ["hideout", "lobby"] });
  seat(relay, { name: "old bob", rooms: ["lobby"], old: true, address: "2001:db8::7" });
  relay.sealed.open(new Uint8Array(16).fill(1));
  relay.held.hold(alice.session, 0);
  alice.session.loseConnection();
  const [, first, second] = await lines(relay, { command: "sessions", names: false });
  assert.match(
    first ?? "",
    /^\d+ +- +away +0 +\d+ +0 +2 +0 +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +192\.0\.2\.1$/,
  );
  assert.match(second ?? "", /^\d+ +- +v1 +0 +\d+ +0 +1 +0 +\S+Z +2001:db8::7$/);
  assert.deepEqual(await lines(relay, { command: "rooms", names: false }), [
    "room      members",
    "open:1    1",
    "open:2    2",
    "sealed:1  0",
  ]);
  for (const command of ["sessions", "rooms"] as const) {
    const answer = JSON.stringify(await runAdminCommand(relay, { command, names: false }));
    for (const name of ["alicia", "bob", "hideout", "lobby"]) assert.ok(!answer.includes(name));
  }
  const [head, ...named] = await lines(relay, { command: "sessions", names: true });
  assert.match(head ?? "", / since +address +names$/);
  assert.match(named[0] ?? "", / 192\.0\.2\.1 +alicia in hideout, alicia in lobby$/);
  assert.match(named[1] ?? "", / "old bob" in lobby$/);
  assert.match((await lines(relay, { command: "rooms", names: true }))[1] ?? "", /hideout$/);
});

Deno.test("sessions says by which invite somebody came, and whose it is by name only when asked", async () => {
  const relay = await makeRelay(["--invites"], { CMDCHAT_TOKENS: "one" });
  const [alice, bob] = [seat(relay, { name: "alicia" }), seat(relay, { name: "bob" })];
  relay.access.noteToken(alice.session, "one");
  const { token } = await relay.inviting.mint(alice.session, { title: "", seconds: 60, uses: 1 });
  const use = await relay.access.useInvite(token);
  assert.ok(typeof use === "object");
  relay.access.noteInvite(bob.session, use.invite);
  const row = async (names: boolean) => (await lines(relay, { command: "sessions", names }))[2];
  assert.match(await row(false) ?? "", new RegExp(`invite 1 of session ${alice.session.id} `));
  assert.match(await row(true) ?? "", /invite 1 of alicia /);
});

Deno.test("who is kicked is told why and out at once, and its ticket is worth nothing", async () => {
  const relay = await makeRelay();
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  const { port } = alice;
  await runAdminCommand(relay, { command: "kick", session: alice.session.id });
  const [closing] = alice.take("closing");
  assert.equal(closing?.retry, false);
  assert.match(closing?.why ?? "", /removed by the server's admin/);
  assert.deepEqual(bob.take("left").map(({ name }) => name), ["alice"]);
  const { id, secret } = alice.session.ticket as NonNullable<typeof alice.session.ticket>;
  assert.equal(relay.held.find(id, secret), undefined);
  assert.equal(relay.held.hold(alice.session, 0), false, "nor is it held when its link ends");
  alice.ask({ kind: "join", title: "den" });
  assert.deepEqual(alice.session.memberships, [], "and what it still asks for is not done");
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(port.closed);
  const again = runAdminCommand(relay, { command: "kick", session: alice.session.id });
  await assert.rejects(async () => await again, LimitError);
});

Deno.test("a ban holds at the door and ends all sessions of that source, held ones too; unban opens it", async () => {
  const relay = await makeRelay();
  const address = "2001:db8::1";
  const alice = seat(relay, { address });
  const held = seat(relay, { name: "held", address: "2001:db8::2" });
  const bob = seat(relay, { name: "bob", address: "2001:db8:0:1::1" });
  relay.held.hold(held.session, 0);
  held.session.loseConnection();
  const said = await lines(relay, { command: "ban", whom: alice.session.id, seconds: 3_600 });
  assert.deepEqual(said, ["Banned 2001:db8::/64 for 1 hour; sessions ended here: 2"]);
  assert.deepEqual(relay.sessions, [bob.session]);
  assert.equal(relay.access.admit("2001:db8::3"), undefined);
  assert.ok(relay.access.admit("2001:db8:0:1::2"));
  assert.match((await lines(relay, { command: "bans" })).join("\n"), /2001:db8::\/64 +\d{4}-/);
  await lines(relay, { command: "unban", network: "2001:db8::/64" });
  assert.ok(relay.access.admit("2001:db8::3"));
  await assert.rejects(lines(relay, { command: "unban", network: "2001:db8::/64" }), LimitError);
  await assert.rejects(lines(relay, { command: "ban", whom: "here", seconds: 0 }), UsageError);
});

Deno.test("a notice reaches everybody as the server's words, in no room", async () => {
  const relay = await makeRelay();
  const [alice, old] = [seat(relay), seat(relay, { name: "old", old: true })];
  assert.deepEqual(await lines(relay, { command: "notice", text: "back at noon" }), [
    "Told 2 sessions here",
  ]);
  for (const one of [alice, old]) {
    assert.deepEqual(one.take("notice").at(-1), {
      kind: "notice",
      room: 0,
      text: "From the server's admin: back at noon",
    });
  }
});

Deno.test("a room that is closed is empty and gone, whether it is named or numbered", async () => {
  const relay = await makeRelay();
  const rooms = ["den", "lobby"];
  const [alice, bob] = [seat(relay, { rooms }), seat(relay, { name: "bob", rooms })];
  const closed = await lines(relay, { command: "close", room: "DEN" });
  assert.match(closed[0] ?? "", /^Closed open:\d+; members removed: 2$/);
  const label = `open:${bob.room("lobby")}`;
  assert.deepEqual(alice.session.memberships.map(({ room }) => room.title), ["lobby"]);
  const own = alice.take("moderated").find(({ whom }) => whom === alice.session.id);
  assert.deepEqual([own?.what, own?.client], ["kick", 0]);
  assert.deepEqual(await lines(relay, { command: "close", room: label }), [
    `Closed ${label}; members removed: 2`,
  ]);
  assert.equal(relay.gauges.rooms, 0);
  assert.equal(relay.sessions.length, 2, "who was in it is still here");
  for (const room of ["den", "open:1", "sealed:1", "open:"]) {
    await assert.rejects(lines(relay, { command: "close", room }), LimitError, room);
  }
});

Deno.test("a sealed room that is closed lets all go, and cannot be opened again", async () => {
  const relay = await makeRelay();
  const rid = new Uint8Array(16).fill(3);
  const told: string[] = [];
  const peer = {
    deliver() {},
    comeAgain() {},
    dropped: (_: number, why: string) => told.push(why),
  };
  const handle = new Uint8Array(16).fill(1);
  const room = relay.sealed.open(rid);
  room.attach(peer, { ask: 1, handle, source: "192.0.2.1", member: false, epoch: 0, seq: 0 });
  assert.deepEqual(await lines(relay, { command: "close", room: "sealed:1" }), [
    "Closed sealed:1; members removed: 1",
  ]);
  assert.deepEqual([told, relay.sealed.size], [["closed"], 0]);
  assert.throws(() => relay.sealed.open(rid), /the server's admin closed it/);
  await assert.rejects(lines(relay, { command: "close", room: "sealed:1" }), LimitError);
});

Deno.test("a server that is drained takes back whom it holds, and nobody new", async () => {
  const relay = await makeRelay();
  const alice = seat(relay);
  await lines(relay, { command: "drain", on: true });
  assert.equal(relay.access.admit("192.0.2.9"), undefined);
  relay.held.hold(alice.session, 0);
  assert.equal(relay.access.admit("192.0.2.9")?.forHeld, true);
  await lines(relay, { command: "drain", on: false });
  assert.equal(relay.access.admit("192.0.2.9")?.forHeld, false);
});

Deno.test("a ban of another server that cannot be followed changes nothing", async () => {
  const relay = await makeRelay();
  followAdmin(relay, { kind: "banned", network: "of another version", until: 0 });
  followAdmin(relay, { kind: "unbanned", network: "of another version" });
  for (let n = 0; n <= NETWORK_BANS_MAX; n++) {
    const network = `10.0.${n >> 8}.${n & 255}`;
    followAdmin(relay, { kind: "banned", network, until: 0 });
  }
  assert.equal(relay.access.bans.list(Date.now()).length, NETWORK_BANS_MAX);
});

Deno.test("listing sessions makes nothing for those in no sealed room", async () => {
  const relay = await makeRelay();
  const { session } = seat(relay);
  let made = 0;
  const { sealed } = session;
  Object.defineProperty(session, "sealed", { get: () => (made++, sealed) });
  await runAdminCommand(relay, { command: "sessions", names: true });
  assert.equal(made, 0);
});

Deno.test("a server that hands over takes no command, whose effect the next process would not know", async () => {
  const relay = await makeRelay();
  const { session } = seat(relay);
  relay.beginHandOver();
  await assert.rejects(runAdminCommand(relay, { command: "kick", session: session.id }), {
    message: "Cannot run the command: the server is restarting",
  });
  assert.equal(relay.sessions.length, 1);
});
