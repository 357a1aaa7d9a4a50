import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { TYPING_QUIET_MS } from "../../../shared/base/limits.ts";

async function joined(peer: V2Peer, title: string): Promise<void> {
  await peer.send({ kind: "join", id: peer.nextId(), title });
  await peer.until("entered", (event) => event.title === title);
}

/** A request of `peer`, with its number. */
type Ask = Parameters<V2Peer["send"]>[0];
async function ask(peer: V2Peer, request: Record<string, unknown>): Promise<number> {
  const id = peer.nextId();
  await peer.send({ ...request, id } as Ask);
  return id;
}

async function refusal(peer: V2Peer, request: Record<string, unknown>): Promise<string> {
  const id = await ask(peer, request);
  return (await peer.until("declined", (event) => event.id === id)).why;
}

Deno.test("a session in two rooms hears both, each under the number that all its members have", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({
    port: server.port,
    hello: { name: "bob" },
    rooms: ["lobby", "dev", "lobby"],
  });
  assert.equal(bob.welcome.rooms, 2, "a room that is asked for twice is one");
  await joined(alice, "dev");
  assert.equal(alice.room("dev"), bob.room("dev"));
  assert.notEqual(alice.room("dev"), alice.room());
  await bob.say("to the lobby");
  await bob.say("to dev", "dev");
  const heard = await alice.until("chat", ({ text }) => text === "to dev");
  assert.deepEqual([heard.room, heard.sequence], [alice.room("dev"), 1]);
  const lobby = await alice.until("chat", ({ text }) => text === "to the lobby");
  assert.equal(lobby.room, alice.room());
});

Deno.test("a room is left alone, and its number is never another room's", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  const seen = [alice.room()];
  for (let n = 0; n < 3; n++) {
    await joined(alice, "dev");
    seen.push(alice.room("dev"));
    const id = await ask(alice, { kind: "leave", room: alice.room("dev") });
    await alice.until("done", (event) => event.id === id);
    alice.events.splice(0, alice.events.length, ...alice.events.slice(0, 2));
  }
  assert.equal(new Set(seen).size, seen.length);
  const why = await refusal(alice, {
    kind: "chat",
    room: seen[1],
    text: "still there?",
    action: false,
    reply: 0,
  });
  assert.match(why, /not in that room/);
});

Deno.test("a session in no room is a session", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, rooms: [] });
  assert.equal(alice.welcome.rooms, 0);
  await joined(alice, "dev");
  await alice.say("hello", "dev");
  await alice.until("chat");
});

Deno.test("a taken name gets its suffix in that room alone; a rename is done in all rooms or in none", async () => {
  await using server = await startServer();
  await using other = await V2Peer.join({
    port: server.port,
    hello: { name: "alice" },
    rooms: ["dev"],
  });
  await using alice = await V2Peer.join({
    port: server.port,
    hello: { name: "alice" },
    rooms: ["lobby", "dev"],
  });
  assert.deepEqual([alice.entered().name, alice.entered("dev").name], ["alice", "alice-2"]);
  const notice = await alice.until("notice");
  assert.equal(notice.text, 'The name "alice" is taken in "dev", so you are "alice-2" there.');
  await ask(other, { kind: "rename", name: "carol" });
  await alice.until("renamed", ({ name }) => name === "carol");
  assert.match(await refusal(alice, { kind: "rename", name: "carol" }), /somebody in "dev" has it/);
  await ask(alice, { kind: "rename", name: "alicia" });
  for (const title of ["lobby", "dev"]) {
    const { name } = await alice.until("renamed", ({ room }) => room === alice.room(title));
    assert.equal(name, title === "dev" ? "carol" : "alicia");
  }
  await alice.until("renamed", ({ previous, name }) => previous === "alice-2" && name === "alicia");
});

Deno.test("coming back brings what was missed in each room, from the place that was seen there", async () => {
  await using server = await startServer();
  await using bob = await V2Peer.join({ port: server.port, rooms: ["lobby", "dev"] });
  const alice = await V2Peer.join({ port: server.port, rooms: ["lobby", "dev"] });
  const seen = new Map<number, number>();
  await bob.say("seen in dev", "dev");
  await alice.until("chat");
  for (const event of alice.events) {
    if ("at" in event) seen.set(event.room, Math.max(event.at, seen.get(event.room) ?? 0));
  }
  alice.cut();
  await bob.until("away", ({ room }) => room === bob.room("dev"));
  await bob.say("missed in the lobby");
  await bob.say("missed in dev", "dev");
  await bob.until("chat", ({ text }) => text === "missed in dev");
  const { session, secret } = alice.welcome;
  const rooms = ["dev", "lobby"].map((title): [string, number] => [
    title,
    seen.get(alice.room(title)) ?? 0,
  ]);
  await using again = await V2Peer.join({ port: server.port, hello: { session, secret, rooms } });
  assert.deepEqual([again.welcome.resumed, again.welcome.rooms], [true, 2]);
  await again.until("back", ({ room }) => room === again.room("dev"));
  assert.deepEqual(again.texts.sort(), ["missed in dev", "missed in the lobby"]);
  assert.ok(again.entered().complete && again.entered("dev").complete);
  await alice.ended;
});

Deno.test("a direct message reaches its two ends and nobody else", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using carol = await V2Peer.join({ port: server.port, hello: { name: "carol" } });
  const id = await ask(alice, { kind: "direct", to: bob.welcome.client, text: "psst" });
  const heard = await bob.until("direct");
  assert.deepEqual([heard.name, heard.toName, heard.text], ["alice", "bob", "psst"]);
  assert.equal((await alice.until("direct")).request, id);
  await alice.say("aloud");
  await carol.until("chat");
  assert.equal(carol.events.some(({ kind }) => kind === "direct"), false);
});

Deno.test("a direct message to somebody gone, or in no room of ours, is refused in the same words", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  const far = await V2Peer.join({ port: server.port, hello: { name: "bob" }, rooms: ["den"] });
  const direct = { kind: "direct", to: far.welcome.client, text: "psst" };
  const elsewhere = await refusal(alice, direct);
  await far.send({ kind: "bye" });
  await far.ended;
  await using taker = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  assert.equal(await refusal(alice, direct), elsewhere, "and the name's new owner gets nothing");
  assert.equal(taker.events.some(({ kind }) => kind === "direct"), false);
});

Deno.test("a direct message waits for a lost connection; its sender is told when nobody comes back for it", async () => {
  await using server = await startServer({ args: ["--hold", "3"] });
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  const bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  bob.cut();
  await alice.until("away");
  await ask(alice, { kind: "direct", to: bob.welcome.client, text: "for later" });
  const { session, secret } = bob.welcome;
  const rooms: [string, number][] = [["lobby", 0]];
  const again = await V2Peer.join({ port: server.port, hello: { session, secret, rooms } });
  assert.equal((await again.until("direct")).text, "for later");
  await bob.ended;
  again.cut();
  await again.ended;
  const away = () => alice.events.filter(({ kind }) => kind === "away").length;
  await alice.until("away", () => away() === 2);
  const id = await ask(alice, { kind: "direct", to: bob.welcome.client, text: "for nobody" });
  const undelivered = await alice.until("undelivered");
  assert.deepEqual([undelivered.request, undelivered.name], [id, "bob"]);
});

Deno.test("only who said a message changes it or takes it back, and once taken back it stays so", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using old = await V1Peer.join({ port: server.port, name: "old" });
  await alice.say("hte");
  await bob.until("chat");
  const revise = { kind: "revise", room: bob.room(), sequence: 1 };
  assert.match(await refusal(bob, { ...revise, text: "bob's" }), /not yours/);
  assert.match(await refusal(alice, { ...revise, sequence: 2, text: "early" }), /not yours/);
  const id = await ask(alice, { ...revise, text: "the" });
  assert.equal((await alice.until("revised")).request, id);
  assert.equal((await bob.until("revised")).text, "the");
  await old.system(/^alice edited: the$/);
  await ask(alice, { ...revise, text: null });
  await bob.until("revised", ({ text }) => text === null);
  assert.match(await refusal(alice, { ...revise, text: "again" }), /not yours/);
});

Deno.test("a topic is told to who comes in, an away text stands in the list, an action reaches v1 as a chat", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using old = await V1Peer.join({ port: server.port, name: "old" });
  const room = alice.room();
  await ask(alice, { kind: "topic", room, text: "soup" });
  await ask(alice, { kind: "status", text: "lunch" });
  await ask(alice, { kind: "chat", room, text: "waves", action: true, reply: 0 });
  await old.hears("* alice waves");
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  assert.equal(bob.entered().topic, "soup");
  const { list } = await bob.until("members");
  assert.deepEqual(list.map(([, name, state, , text]) => [name, state, text]), [
    ["alice", "here", "lunch"],
    ["old", "old", null],
    ["bob", "here", null],
  ]);
  assert.match(await refusal(alice, { kind: "topic", room, text: "é".repeat(129) }), /258 bytes/);
});

Deno.test("'is writing' reaches the others once in a while, and nobody who comes back", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  const started = performance.now();
  for (let n = 0; n < 5; n++) await alice.send({ kind: "typing", room: alice.room() });
  await alice.send({ kind: "typing", room: 9_999 });
  await alice.say("done");
  await bob.until("chat");
  const times = (peer: V2Peer) => peer.events.filter(({ kind }) => kind === "typing").length;
  if (performance.now() - started < TYPING_QUIET_MS) assert.equal(times(bob), 1);
  assert.equal(times(alice), 0);
});
