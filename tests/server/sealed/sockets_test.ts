import assert from "node:assert/strict";
import { SEALED_APP_MAX_BYTES } from "../../../shared/base/limits.ts";
import { newAttachKey, SealedPeer } from "../../helpers/peers/sealed_peer.ts";
import { textOf } from "../../helpers/peers/sealed_room.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import type { V2PeerOptions } from "../../helpers/peers/v2_peer.ts";

const key = await newAttachKey();

async function pair(options: V2PeerOptions): Promise<[SealedPeer, SealedPeer]> {
  const alice = await SealedPeer.connect(options, key);
  await alice.attach();
  await alice.create();
  const bob = await SealedPeer.connect(options, key);
  await bob.attach();
  await bob.enter(0, [alice]);
  await alice.send({ kind: "sealed_vote", room: alice.room, seq: 1, ok: true });
  return [alice, bob];
}

Deno.test("two clients find each other in a sealed room, and talk", async () => {
  await using server = await startServer();
  const [alice, bob] = await pair(server);
  await using _ = alice;
  await using __ = bob;
  await alice.app(1, "hello");
  const frame = await bob.peer.until("sealed_frame", ({ body }) => textOf(body) === "hello");
  assert.deepEqual(frame.from, alice.handle);
  assert.equal(frame.seq, 2);
});

Deno.test("a proof of another session, of another key or over another handle opens no room", async () => {
  await using server = await startServer();
  const [alice, bob] = await pair(server);
  await using _ = alice;
  await using __ = bob;
  await using mallory = await SealedPeer.connect(server, key);
  const overheard = bob.attachment();
  const { rid, key: right } = overheard;
  const stranger = await SealedPeer.connect(server, await newAttachKey());
  await using ___ = stranger;
  const faults = [
    mallory.attachment({ ...overheard, ask: 90 }),
    mallory.attachment({ handleKey: overheard.handleKey }),
    mallory.attachment({
      handleKey: overheard.handleKey,
      handleProof: overheard.handleProof,
      ask: 91,
    }),
    mallory.attachment({ handleProof: new Uint8Array(64) }),
    mallory.attachment({ proof: new Uint8Array(64) }),
    mallory.attachment({ key: new Uint8Array(32) }),
    { ...stranger.attachment(), rid },
    { ...stranger.attachment(), rid, key: right },
  ];
  for (const request of faults) {
    const isStrangers = `${request.handleKey}` === `${stranger.seat.publicKey}`;
    const peer = isStrangers ? stranger : mallory;
    await peer.peer.send(request);
    const answer = await peer.answer(request.ask);
    assert.equal(answer.kind, "sealed_declined");
    assert.match("why" in answer ? answer.why : "", /the proof does not fit/);
  }
  assert.equal(mallory.peer.events.some(({ kind }) => kind === "sealed_frame"), false);
});

Deno.test("without attaching nothing is done, whatever number the room has", async () => {
  await using server = await startServer();
  const [alice, bob] = await pair(server);
  await using _ = alice;
  await using __ = bob;
  await using mallory = await SealedPeer.connect(server, key);
  mallory.room = alice.room;
  const answer = await mallory.app(1, "let me in");
  assert.equal(answer.kind, "sealed_declined");
});

Deno.test("the largest body passes, and comes back to one whose connection was lost", async () => {
  await using server = await startServer();
  const [alice, bob] = await pair(server);
  await using _ = alice;
  bob.peer.cut();
  await alice.peer.until("sealed_gone");
  await alice.app(1, "large", SEALED_APP_MAX_BYTES);
  await using again = await SealedPeer.connect(server, key, bob);
  const attached = await again.attach({ member: true, epoch: 1, seq: 1 });
  assert.equal(attached.kind === "sealed_attached" && attached.missing, "nothing");
  const { body } = await again.peer.until("sealed_frame");
  assert.equal(body.length, SEALED_APP_MAX_BYTES);
  await alice.peer.until("sealed_back", ({ handle }) => `${handle}` === `${bob.handle}`);
  await bob.peer.ended;
});

Deno.test("a session that is taken up again is attached nowhere until it says so", async () => {
  await using server = await startServer();
  const [alice, bob] = await pair(server);
  await using _ = alice;
  await using __ = bob;
  const { session, secret } = bob.peer.welcome;
  const hello = { session, secret, at: 0 };
  await using again = await SealedPeer.connect({ port: server.port, hello }, key, bob);
  assert.equal(again.peer.welcome.resumed, true);
  await alice.peer.until("sealed_gone", ({ left }) => !left);
  again.room = alice.room;
  assert.equal((await again.app(1, "hi")).kind, "sealed_declined");
  await again.attach({ member: true, epoch: 1, seq: 1 });
  assert.equal((await again.app(1, "hi")).kind, "sealed_frame");
});

Deno.test("a goodbye leaves the sealed room for good, and others are asked to remove who went", async () => {
  await using server = await startServer();
  const [alice, bob] = await pair(server);
  await using _ = alice;
  await using __ = bob;
  await bob.peer.send({ kind: "bye" });
  const { handles } = await alice.peer.until("sealed_evict_please");
  assert.deepEqual(handles, [bob.handle]);
  assert.equal((await alice.commit(1, "without bob", [alice])).kind, "sealed_frame");
});

Deno.test("after a restart of the server the members go on where they were", async () => {
  const server = await startServer();
  const [alice, bob] = await pair(server);
  await server[Symbol.asyncDispose]();
  await Promise.all([alice.peer.ended, bob.peer.ended]);
  await using next = await startServer();
  await using a = await SealedPeer.connect(next, key, alice);
  await using b = await SealedPeer.connect(next, key, bob);
  const standing = { member: true, epoch: 1, seq: 1 };
  assert.equal((await a.attach(standing)).kind, "sealed_none");
  await a.create({ epoch: 1, seq: 1, handles: [alice.handle, bob.handle] });
  const attached = await b.attach(standing);
  assert.equal(attached.kind === "sealed_attached" && attached.missing, "nothing");
  await a.app(1, "we are back");
  const frame = await b.peer.until("sealed_frame");
  assert.equal(frame.seq, 2);
});

Deno.test("messages of a sealed room count against the rate limit; committing has one of its own", async () => {
  await using server = await startServer({ args: ["--rate-limit", "3/60"] });
  const [alice, bob] = await pair(server);
  await using _ = alice;
  await using __ = bob;
  const kinds: string[] = [];
  for (let i = 0; i < 4; i++) kinds.push((await alice.app(1, `${i}`)).kind);
  assert.deepEqual(kinds, ["sealed_frame", "sealed_frame", "sealed_frame", "sealed_declined"]);
  assert.equal((await alice.commit(1, "fresh keys", [alice, bob])).kind, "sealed_frame");
});

Deno.test("who sent a commit that was voided is kept out for a while", async () => {
  await using server = await startServer();
  const [alice, bob] = await pair(server);
  await using _ = alice;
  await using __ = bob;
  await bob.commit(1, "garbage", [alice, bob]);
  const { seq } = await alice.peer.until("sealed_frame", ({ epoch }) => epoch === 1);
  await alice.send({ kind: "sealed_vote", room: alice.room, seq, ok: false });
  const out = await bob.peer.until("sealed_declined", ({ ask }) => ask === 0);
  assert.match(out.why, /invalid/);
  const answer = await bob.attach();
  assert.match(answer.kind === "sealed_declined" ? answer.why : "", /invalid\. Wait 10 s/);
});

Deno.test("a file's chunks pass to who pulls them, and without --max-file to nobody", async () => {
  for (const [args, passes] of [[[], true], [["--max-file", "0"], false]] as const) {
    await using server = await startServer({ args });
    const [alice, bob] = await pair(server);
    await using _ = alice;
    await using __ = bob;
    const body = new Uint8Array(33_024).fill(9);
    const pull = { room: bob.room, to: alice.handle, chunks: 2, body: new Uint8Array(284) };
    const answer = await bob.answer(await bob.send({ kind: "sealed_pull", ...pull }));
    assert.equal(answer.kind, passes ? "sealed_done" : "sealed_declined");
    if (!passes) continue;
    await alice.peer.until("sealed_pull");
    const to = [bob.handle];
    const chunk = { kind: "sealed_chunk" as const, room: alice.room, to, body };
    assert.equal((await alice.answer(await alice.send(chunk))).kind, "sealed_done");
    assert.equal((await bob.peer.until("sealed_chunk")).body.length, body.length);
    // Nobody asked for a third one: it is answered, and goes nowhere.
    await alice.answer(await alice.send(chunk));
    assert.equal((await alice.answer(await alice.send(chunk))).kind, "sealed_done");
  }
});
