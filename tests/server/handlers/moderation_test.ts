import assert from "node:assert/strict";
import { RoomRules } from "../../../server/room/room_rules.ts";
import { MODERATED_MAX } from "../../../server/config/limits.ts";
import type { Event, EventOf, Moderation } from "../../../shared/messages/messages_v2.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const OPEN = ["--max-per-address", "off"];

interface Decision {
  readonly whom?: number;
  readonly seconds?: number;
  readonly text?: string;
}

async function decide(peer: V2Peer, what: Moderation, decision: Decision = {}): Promise<number> {
  const id = peer.nextId();
  const about = { whom: 0, seconds: 0, text: "", ...decision };
  await peer.send({ kind: "moderate", id, room: peer.room(), what, ...about });
  return id;
}

async function refused(peer: V2Peer, id: number): Promise<string> {
  return (await peer.until("declined", (event) => event.id === id)).why;
}

async function say(peer: V2Peer, text: string): Promise<string | undefined> {
  const id = await peer.say(text);
  const answer = await peer.untilAny((event): event is EventOf<"chat"> | EventOf<"declined"> =>
    (event.kind === "chat" && event.text === text) || (event.kind === "declined" && event.id === id)
  );
  return answer.kind === "declined" ? answer.why : undefined;
}

Deno.test("who finds a room empty made it; others may decide nothing, and nobody does once the maker left", async () => {
  await using server = await startServer({ args: OPEN });
  await using ann = await V2Peer.join({ port: server.port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  assert.equal((await ann.until("rules")).maker, ann.welcome.client);
  assert.equal((await bob.until("rules")).maker, ann.welcome.client);
  const asked = await decide(bob, "kick", { whom: ann.welcome.client });
  assert.match(await refused(bob, asked), /only the maker of the room and its ops can/);
  await ann.send({ kind: "bye" });
  await bob.until("left");
  assert.match(
    await refused(bob, await decide(bob, "lock")),
    /only the maker of the room and its ops can/,
  );
});

Deno.test("kick and ban: out, told why, and kept out for as long as was said; v1 clients as well", async () => {
  await using server = await startServer({ args: OPEN });
  await using ann = await V2Peer.join({ port: server.port, hello: { name: "ann" } });
  await using eve = await V2Peer.join({ port: server.port, hello: { name: "eve" } });
  await using old = await V1Peer.join({ port: server.port, name: "old" });
  await decide(ann, "kick", { whom: eve.welcome.client, text: "enough" });
  const { what, whomName, text } = await eve.until("moderated");
  assert.deepEqual([what, whomName, text], ["kick", "eve", "enough"]);
  await ann.until("left", ({ name }) => name === "eve");
  const join = async () => {
    const id = eve.nextId();
    await eve.send({ kind: "join", id, title: "lobby" });
    return id;
  };
  const back = await join();
  await eve.until("entered", ({ id }) => id === back);
  await decide(ann, "ban", { whom: eve.welcome.client, seconds: 1_800 });
  await ann.until("moderated", (event) => event.what === "ban");
  assert.match(await refused(eve, await join()), /you are banned from it for another 30 minutes/);
  await decide(ann, "unban", { whom: eve.welcome.client });
  await ann.until("moderated", (event) => event.what === "unban");
  const again = await join();
  await eve.until("entered", ({ id }) => id === again);

  const { client } = await ann.until("joined", ({ name }) => name === "old");
  await decide(ann, "kick", { whom: client });
  await old.closed;
});

Deno.test("a ban goes by address too, but not where others of the room share it", async () => {
  await using server = await startServer({ args: [...OPEN, "--host", "0.0.0.0"] });
  await using ann = await V2Peer.join({ port: server.port, hello: { name: "ann" } });
  await using eve = await V2Peer.join({ port: server.port, hello: { name: "eve" } });
  await decide(ann, "ban", { whom: eve.welcome.client });
  await ann.until("left");
  // Ann sits on the same machine: only the session is kept out.
  await using next = await V2Peer.join({ port: server.port, hello: { name: "eve" } });
  assert.equal(next.entered().name, "eve");
});

Deno.test("mute, slow and lock: refused with the reason and the time that is left", async () => {
  await using server = await startServer({ args: OPEN });
  await using ann = await V2Peer.join({ port: server.port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await decide(ann, "mute", { whom: bob.welcome.client, seconds: 60 });
  await bob.until("moderated");
  assert.match(await say(bob, "mmh") ?? "", /you are muted here for another 1 minute/);
  await decide(ann, "unmute", { whom: bob.welcome.client });
  await bob.until("moderated", ({ what }) => what === "unmute");
  assert.equal(await say(bob, "thanks"), undefined);
  await decide(ann, "slow", { seconds: 3_600 });
  await bob.until("moderated", ({ what }) => what === "slow");
  assert.match(await say(bob, "and") ?? "", /this room is slow: wait (?:1 hour|60 minutes)/);
  assert.equal(await say(ann, "the maker may"), undefined);
  assert.equal(await say(ann, "at any time"), undefined);
  await decide(ann, "lock");
  await bob.until("moderated", ({ what }) => what === "lock");
  await using late = await V2Peer.connect({ port: server.port, hello: { name: "late" } });
  assert.equal((await late.until("refused")).reason, "excluded");
  await assert.rejects(V1Peer.join({ port: server.port, name: "old" }), /excluded/);
});

Deno.test("a held session comes back into a locked room", async () => {
  await using server = await startServer({ args: OPEN });
  await using ann = await V2Peer.join({ port: server.port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await decide(ann, "lock");
  const { at } = await bob.until("moderated");
  const { session, secret } = bob.welcome;
  bob.cut();
  await ann.until("away");
  const hello = { name: "bob", session, secret, rooms: [["lobby", at]] as [string, number][] };
  await using again = await V2Peer.connect({ port: server.port, hello });
  assert.equal((await again.until("entered")).name, "bob");
});

Deno.test("rules follow from events, and a snapshot of them is the same rules", () => {
  const rules = new RoomRules();
  const about = { room: 1, at: 1, name: "x", time: 1_000 };
  const joined = (client: number, old = false): Event => ({
    kind: "joined",
    ...about,
    client,
    old,
  });
  const decided = (what: Moderation, whom: number, seconds = 0): EventOf<"moderated"> => ({
    kind: "moderated",
    ...about,
    client: 2,
    request: 1,
    what,
    whom,
    whomName: "y",
    seconds,
    text: "",
  });
  rules.take(joined(1, true));
  assert.equal(rules.maker, 0, "the old protocol has no words to moderate with");
  rules.take({ kind: "left", ...about, client: 1 });
  rules.take(joined(2));
  assert.equal(rules.maker, 2);
  for (let n = 0; n < MODERATED_MAX + 10; n++) rules.take(decided("ban", 100 + n, 60));
  assert.equal(rules.bannedUntil(100, 2_000), undefined);
  assert.equal(rules.bannedUntil(200, 2_000), 61_000);
  assert.equal(rules.bannedUntil(200, 61_000), undefined);
  rules.take(decided("mute", 5));
  assert.equal(rules.mutedUntil(5, 2_000), Infinity);
  rules.take(decided("slow", 0, 10));
  const copy = new RoomRules();
  copy.snapshot = rules.snapshot;
  assert.deepEqual(copy.snapshot, rules.snapshot);
});
