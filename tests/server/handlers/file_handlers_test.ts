import assert from "node:assert/strict";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import type { EventOf, Request } from "../../../shared/messages/messages_v2.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { someBytes } from "../../helpers/peers/transfer_room.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const BYTES = someBytes(2 * FILE_CHUNK_BYTES + 5);
const FILE = { file: "f", filename: "a.bin", size: BYTES.length, chunks: 3, hash: null };

function dataOf(index: number): Uint8Array {
  return BYTES.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES);
}

function chunk(index: number): Request {
  return { kind: "chunk", file: "f", index, data: dataOf(index), last: index === 2 };
}

function part(to: V2Peer, index: number): Request {
  return { kind: "part", to: to.welcome.client, file: "f", index, data: dataOf(index) };
}

function pull(
  from: V2Peer,
  asker: V2Peer,
  fields: { index?: number; title?: string } = {},
): Request {
  const { index = 0, title = "lobby" } = fields;
  const room = asker.room(title);
  return { kind: "pull", room, to: from.welcome.client, file: "f", index, count: 3 };
}

function offer(sender: V2Peer): Request {
  return { kind: "offer", id: sender.nextId(), room: sender.room(), ...FILE };
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

Deno.test("a part goes to the one who asked for it, and to nobody else", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using carol = await V2Peer.join({ port: server.port, hello: { name: "carol" } });
  await alice.send(offer(alice), chunk(0), chunk(1));
  await carol.until("chunk", ({ index }) => index === 1);
  await bob.send(pull(alice, bob));
  const asked = await alice.until("pull");
  assert.deepEqual(
    [asked.room, asked.client, asked.file, asked.index, asked.count],
    [alice.room(), bob.welcome.client, "f", 0, 2],
    "what did not go to the room yet is not asked for",
  );
  assert.equal((await bob.until("reached")).index, 2);
  await alice.send(part(bob, 0), part(bob, 1), part(carol, 0), chunk(2));
  const last = await bob.until("chunk", ({ last }) => last);
  assert.equal(last.index, 2);
  assert.equal((await alice.until("reached")).index, 3, "the server has all");
  assert.deepEqual(gotChunks(bob).map(({ index }) => index), [0, 1, 0, 1, 2]);
  for (const { index, data } of gotChunks(bob)) assert.deepEqual(data, dataOf(index));
  await carol.until("chunk", ({ index }) => index === 2);
  assert.deepEqual(gotChunks(carol).map(({ index }) => index), [0, 1, 2]);
});

Deno.test("a sender that is back is told how far its file is, and goes on; what does not fit ends it", async () => {
  await using server = await startServer();
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using first = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await first.send(offer(first), chunk(0));
  await bob.until("chunk");
  const { session, secret } = first.welcome;
  first.cut();
  await bob.until("away");
  await using again = await V2Peer.join({ port: server.port, hello: { session, secret } });
  assert.ok(again.welcome.resumed);
  await again.send({ kind: "resume", file: "f" }, { kind: "resume", file: "other" });
  const { room, client, index } = await again.until("reached", ({ file }) => file === "f");
  assert.deepEqual([room, client, index], [again.room(), again.welcome.client, 1]);
  const unknown = await again.until("reached", ({ file }) => file === "other");
  assert.deepEqual([unknown.room, unknown.index], [0, null]);
  await again.send(chunk(1), chunk(1));
  assert.match((await again.until("notice")).text, /missing, came twice/);
  await again.send({ kind: "resume", file: "f" });
  await again.until("reached", ({ file, index }) => file === "f" && index === null);
});

Deno.test("nothing of a file is to be had from outside its room, nor from who is not there", async () => {
  await using server = await startServer();
  const rooms = ["lobby", "den"];
  await using alice = await V2Peer.join({ port: server.port, rooms, hello: { name: "alice" } });
  await using eve = await V2Peer.join({
    port: server.port,
    rooms: ["den"],
    hello: { name: "eve" },
  });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await alice.send(offer(alice), chunk(0), chunk(1), chunk(2));
  await bob.until("chunk", ({ last }) => last);
  await eve.send(
    pull(alice, eve, { title: "den" }),
    pull(bob, eve, { title: "den" }),
    { ...pull(alice, bob), count: 1 } as Request,
    pull(eve, eve, { title: "den" }),
  );
  await settled(eve);
  await settled(alice);
  const answers = eve.events.filter((event) => event.kind === "reached");
  assert.deepEqual(
    answers.map(({ client, index }) => [client, index]),
    [alice, bob, eve].map(({ welcome }) => [welcome.client, null]),
    "of the room that she is not in, not even an answer",
  );
  assert.ok(!alice.events.some(({ kind }) => kind === "pull"));
  await alice.send(part(eve, 0));
  await settled(alice);
  await settled(eve);
  assert.deepEqual(gotChunks(eve), []);
});
