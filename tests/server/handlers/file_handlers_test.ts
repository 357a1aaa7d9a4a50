import assert from "node:assert/strict";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import type { EventOf, FileReceipt, Request } from "../../../shared/messages/messages_v2.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { someBytes } from "../../helpers/peers/transfer_room.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const BYTES = someBytes(2 * FILE_CHUNK_BYTES + 5);
const FILE = {
  file: "f",
  filename: "a.bin",
  size: BYTES.length,
  chunks: 3,
  hash: new Uint8Array(32),
  to: 0,
  folder: false,
};

function dataOf(index: number): Uint8Array {
  return BYTES.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES);
}

function chunk(index: number, data = dataOf(index)): Request {
  return { kind: "chunk", file: "f", index, data, last: index === 2 || data.length === 0 };
}

function part(to: readonly V2Peer[], index: number): Request {
  const clients = to.map(({ welcome }) => welcome.client);
  return { kind: "part", to: clients, file: "f", index, data: dataOf(index) };
}

interface Question {
  readonly index?: number;
  readonly count?: number;
  readonly title?: string;
}

function pull(from: V2Peer, asker: V2Peer, question: Question = {}): Request {
  const { index = 0, count = 3, title = "lobby" } = question;
  const room = asker.room(title);
  return { kind: "pull", room, to: from.welcome.client, file: "f", index, count };
}

function offer(sender: V2Peer, hash: Uint8Array | null = FILE.hash): Request {
  return { kind: "offer", id: sender.nextId(), room: sender.room(), ...FILE, hash };
}

function offerTo(sender: V2Peer, to: number): Request {
  return { ...offer(sender), to } as Request;
}

function gotChunks(peer: V2Peer): EventOf<"chunk">[] {
  return peer.events.filter((event) => event.kind === "chunk");
}

/** Resolves when the server has dealt with all that `peer` sent. */
async function settled(peer: V2Peer): Promise<void> {
  const before = peer.events.filter(({ kind }) => kind === "pong").length;
  await peer.send({ kind: "ping" });
  await peer.until("pong", () => peer.events.filter(({ kind }) => kind === "pong").length > before);
}

Deno.test("a chunk goes to those who asked for it, and to nobody else", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using carol = await V2Peer.join({ port: server.port, hello: { name: "carol" } });
  await using dave = await V2Peer.join({ port: server.port, hello: { name: "dave" } });
  await alice.send(offer(alice));
  await dave.until("offer");
  await bob.send(pull(alice, bob));
  await carol.send(pull(alice, carol));
  const asked = await alice.until("pull", ({ client }) => client === carol.welcome.client);
  assert.deepEqual([asked.room, asked.file, asked.index, asked.count], [alice.room(), "f", 0, 3]);
  await alice.until("pull", ({ client }) => client === bob.welcome.client);
  await alice.send(part([bob, carol, dave], 0), part([bob], 1), part([bob], 2));
  await bob.until("chunk", ({ last }) => last);
  assert.deepEqual(gotChunks(bob).map(({ index }) => index), [0, 1, 2]);
  for (const { index, data } of gotChunks(bob)) assert.deepEqual(data, dataOf(index));
  await alice.until("taken", ({ index }) => index === 2);
  await settled(dave);
  await settled(carol);
  assert.deepEqual(gotChunks(carol).map(({ index }) => index), [0]);
  assert.deepEqual(gotChunks(dave), []);
});

Deno.test("a receiver that has all, or wants no more, says so to the sender", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await alice.send(offer(alice));
  await bob.until("offer");
  await bob.send(pull(alice, bob), pull(alice, bob, { index: 3, count: 0 }));
  const done = await alice.until("pull", ({ count }) => count === 0);
  assert.deepEqual([done.client, done.index], [bob.welcome.client, 3]);
});

Deno.test("what is offered to one member alone, nobody else hears of, gets or is told the end of", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using carol = await V2Peer.join({ port: server.port, hello: { name: "carol" } });
  await alice.until("joined", ({ name }) => name === "carol");
  const [self, to] = [alice.welcome.client, bob.welcome.client];
  await alice.send(offerTo(alice, to));
  assert.equal((await bob.until("offer")).to, to);
  assert.equal((await alice.until("offer")).to, to, "the sender hears that it is offered");
  await carol.send(pull(alice, carol));
  const nothing = await carol.until("chunk");
  assert.deepEqual(
    [nothing.data.length, nothing.last],
    [0, true],
    "as of a file that is not known",
  );
  await bob.send(pull(alice, bob));
  await alice.until("pull");
  await alice.send(part([bob, carol], 0));
  await bob.until("chunk");
  await alice.send(chunk(0, new Uint8Array()));
  await bob.until("chunk", ({ data }) => data.length === 0);
  assert.deepEqual(gotChunks(bob).map(({ index, data }) => [index, data.length > 0]), [
    [0, true],
    [0, false],
  ]);
  await settled(carol);
  assert.deepEqual(
    carol.events.filter(({ kind }) => kind === "offer" || kind === "chunk").length,
    1,
    "only the answer to what she asked",
  );
  assert.deepEqual(alice.events.filter(({ kind }) => kind === "pull").length, 1);
  for (
    const [whom, why] of [
      [self, /Cannot send the file to yourself/],
      [9_999, /its receiver is not in the room any longer/],
    ] as const
  ) {
    const before = alice.events.filter(({ kind }) => kind === "declined").length;
    await alice.send(offerTo(alice, whom));
    await settled(alice);
    const declined = alice.events.filter((event) => event.kind === "declined");
    assert.equal(declined.length, before + 1);
    assert.match(declined.at(-1)?.why ?? "", why);
  }
  bob.cut();
  await alice.until("away");
  await alice.send(offerTo(alice, to));
  await alice.until("declined", ({ why }) => /its receiver has no connection now/.test(why));
});

Deno.test("a v2 sender cannot push chunks, and its offer needs the digest; giving up is heard by all", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await alice.send(offer(alice, null));
  assert.match((await alice.until("declined")).why, /SHA-256 is missing/);
  await alice.send(offer(alice), chunk(0));
  assert.match((await alice.until("notice")).text, /its receivers ask for its chunks/);
  await alice.send(chunk(0, new Uint8Array()));
  const end = await bob.until("chunk");
  assert.deepEqual([end.data.length, end.last], [0, true]);
});

Deno.test("a sender that is back is asked again, for what its receivers have not got", async () => {
  await using server = await startServer();
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using first = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await first.send(offer(first));
  await bob.until("offer");
  const { session, secret } = first.welcome;
  first.cut();
  await bob.until("away");
  await using again = await V2Peer.join({ port: server.port, hello: { session, secret } });
  assert.ok(again.welcome.resumed);
  await bob.send(pull(again, bob, { index: 1 }));
  const { index, count } = await again.until("pull");
  assert.deepEqual([index, count], [1, 2]);
});

Deno.test("a mute in the middle of a file stops it: its receivers hear it, and its sender why", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await bob.send(offer(bob));
  await alice.until("offer");
  await alice.send(pull(bob, alice));
  await bob.until("pull");
  await bob.send(part([alice], 0));
  await alice.until("chunk");
  const whom = bob.welcome.client;
  const mute = { kind: "moderate", what: "mute", whom, seconds: 60, text: "" } as const;
  await alice.send({ ...mute, id: alice.nextId(), room: alice.room() });
  await bob.until("moderated");
  await bob.send(part([alice], 1), part([alice], 2));
  assert.match((await bob.until("notice")).text, /the rest of the file: you are muted here/);
  const own = await bob.until("chunk");
  assert.deepEqual([own.client, own.data.length, own.last], [whom, 0, true]);
  await settled(bob);
  await settled(alice);
  assert.deepEqual(gotChunks(alice).map(({ data }) => data.length), [FILE_CHUNK_BYTES, 0]);
});

Deno.test("what a receiver says goes to the sender alone, once, also to one that was away; and from no newcomer", async () => {
  await using server = await startServer();
  await using first = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using carol = await V2Peer.join({ port: server.port, hello: { name: "carol" } });
  await first.send(offer(first));
  await Promise.all([bob.until("offer"), carol.until("offer")]);
  await using eve = await V2Peer.join({ port: server.port, hello: { name: "eve" } });
  const to = first.welcome.client;
  const says = (peer: V2Peer, state: FileReceipt): Request => (
    { kind: "receipt", room: peer.room(), to, file: "f", state }
  );
  await eve.send(says(eve, "saved"));
  await settled(eve);
  await bob.send(says(bob, "accepted"), says(bob, "accepted"));
  const heard = await first.until("receipt");
  assert.deepEqual([heard.client, heard.name, heard.state], [
    bob.welcome.client,
    "bob",
    "accepted",
  ]);
  const { session, secret } = first.welcome;
  first.cut();
  await bob.until("away");
  await bob.send(says(bob, "saved"));
  await carol.send(says(carol, "refused"));
  await Promise.all([settled(bob), settled(carol)]);
  await using again = await V2Peer.join({ port: server.port, hello: { session, secret } });
  await again.until("receipt", ({ client }) => client === carol.welcome.client);
  await settled(again);
  assert.deepEqual(receiptsOf(again), ["bob saved", "carol refused"]);
  assert.deepEqual(receiptsOf(first), ["bob accepted"], "neither twice, nor of eve");
  for (const peer of [bob, carol, eve]) assert.deepEqual(receiptsOf(peer), []);
});

function receiptsOf({ events }: V2Peer): string[] {
  return events.flatMap((event) =>
    event.kind === "receipt" ? [`${event.name} ${event.state}`] : []
  );
}

Deno.test("nothing of a file is available outside its room, nor of somebody who is not there", async () => {
  await using server = await startServer();
  const rooms = ["lobby", "den"];
  await using alice = await V2Peer.join({ port: server.port, rooms, hello: { name: "alice" } });
  await using eve = await V2Peer.join({
    port: server.port,
    rooms: ["den"],
    hello: { name: "eve" },
  });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await alice.send(offer(alice));
  await bob.until("offer");
  await eve.send(
    pull(alice, eve, { title: "den" }),
    pull(bob, eve, { title: "den" }),
    { ...pull(alice, bob), count: 1 } as Request,
    pull(eve, eve, { title: "den" }),
  );
  await settled(eve);
  await settled(alice);
  await settled(eve);
  assert.deepEqual(
    gotChunks(eve).map(({ client, data, last }) => [client, data.length, last]).sort(),
    [alice, bob, eve].map(({ welcome }) => [welcome.client, 0, true]).sort(),
    "of the room that she is not in, not even an answer",
  );
  assert.ok(!alice.events.some(({ kind }) => kind === "pull"));
  await alice.send(part([eve], 0));
  await settled(alice);
  await settled(eve);
  assert.ok(gotChunks(eve).every(({ data }) => data.length === 0));
});
