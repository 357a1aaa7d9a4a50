import assert from "node:assert/strict";
import type { RequestOf } from "../../../shared/messages/messages_v2.ts";
import { frameBody } from "../../../shared/channel/record_batch.ts";
import { encodeRequest } from "../../../shared/messages/codec_v2.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

function ticketOf(peer: V2Peer, at: number): Partial<RequestOf<"hello">> {
  const { session, secret } = peer.welcome;
  return { session, secret, rooms: [["lobby", at]] };
}

function chatOf(peer: V2Peer, id: number, text: string): RequestOf<"chat"> {
  return { kind: "chat", id, room: peer.room(), text, action: false, reply: 0 };
}

Deno.test("two v2 clients talk; the sender's own copy answers its request", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  const id = await alice.say("hi bob");
  const heard = await bob.until("chat");
  assert.equal(heard.text, "hi bob");
  assert.equal(heard.name, "alice");
  assert.equal(heard.sequence, 1);
  const echo = await alice.until("chat");
  assert.equal(echo.client, alice.welcome.client);
  assert.equal(echo.request, id);
});

Deno.test("a repeated request has no second effect and is answered again", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port });
  await alice.send(chatOf(alice, 1, "once"));
  await alice.send(chatOf(alice, 1, "once"), chatOf(alice, 2, "twice"));
  await alice.until("done", (event) => event.id === 1);
  await alice.until("chat", (event) => event.request === 2);
  assert.deepEqual(alice.texts, ["once", "twice"]);
});

Deno.test("a request whose number is not the next ends the session", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port });
  await alice.send(chatOf(alice, 5, "too early"));
  const closing = await alice.until("closing");
  assert.match(closing.why, /number is not the next/);
  assert.equal(closing.retry, false);
  await alice.ended;
});

Deno.test("a lost connection keeps name and place; coming back brings what was missed, in order, once", async () => {
  await using server = await startServer();
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  const alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  const joined = await alice.until("joined", (event) => event.client === alice.welcome.client);
  alice.cut();
  await bob.until("away", (event) => event.name === "alice");
  for (const text of ["one", "two", "three"]) await bob.say(text);
  await bob.until("chat", (event) => event.text === "three");
  await using again = await V2Peer.join({
    port: server.port,
    hello: { name: "alice", ...ticketOf(alice, joined.at) },
  });
  assert.equal(again.welcome.resumed, true);
  assert.equal(again.entered().complete, true);
  assert.equal(again.welcome.client, alice.welcome.client);
  await again.until("back");
  assert.deepEqual(again.texts, ["one", "two", "three"]);
  await bob.until("back", (event) => event.name === "alice");
  assert.equal(bob.events.some((event) => event.kind === "left"), false);
  await alice.ended;
});

Deno.test("a request that was lost with the link is sent again and counted once", async () => {
  await using server = await startServer();
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  const alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await alice.say("arrived");
  await bob.until("chat");
  alice.cut();
  await bob.until("away");
  await using again = await V2Peer.join({ port: server.port, hello: ticketOf(alice, 0) });
  await again.send(chatOf(alice, 1, "arrived"), chatOf(alice, 2, "new"));
  await bob.until("chat", (event) => event.text === "new");
  assert.deepEqual(bob.texts, ["arrived", "new"]);
  await alice.ended;
});

Deno.test("a session that is taken up again while its old link still stands ends the old link", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using again = await V2Peer.join({ port: server.port, hello: ticketOf(alice, 0) });
  assert.equal(again.welcome.resumed, true);
  await alice.ended;
  await again.say("still here");
  await again.until("chat");
});

Deno.test("a ticket with another's secret opens nothing", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  const secret = alice.welcome.secret.with(0, alice.welcome.secret[0] as number ^ 1);
  const hello = { name: "mallory", session: alice.welcome.session, secret };
  await using mallory = await V2Peer.join({ port: server.port, hello });
  assert.equal(mallory.welcome.resumed, false);
  assert.equal(mallory.entered().name, "mallory");
  await alice.say("mine");
  await alice.until("chat");
});

Deno.test("without --hold a lost connection is a leave, and the ticket is worth nothing", async () => {
  await using server = await startServer({ args: ["--hold", "0"] });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  const alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  alice.cut();
  await bob.until("left", (event) => event.name === "alice");
  await using again = await V2Peer.join({ port: server.port, hello: ticketOf(alice, 0) });
  assert.equal(again.welcome.resumed, false);
  await alice.ended;
});

Deno.test("a goodbye is a leave at once, even where sessions are held", async () => {
  await using server = await startServer();
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await alice.send({ kind: "bye" });
  await bob.until("left", (event) => event.name === "alice");
});

Deno.test("v2 without the right token gets one vague answer inside the session", async () => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: "open-sesame" } });
  for (const token of [null, "", "open-sesam", "OPEN-SESAME"]) {
    await using peer = await V2Peer.connect({ port: server.port, hello: { token } });
    assert.equal((await peer.until("refused")).reason, "unauthorized");
    await peer.ended;
  }
  await using peer = await V2Peer.join({ port: server.port, hello: { token: "open-sesame" } });
  assert.equal(peer.welcome.resumed, false);
});

Deno.test("a file of a v2 sender reaches a v2 member that asks, and a v1 member for which the server asks", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using carol = await V1Peer.join({ port: server.port, name: "carol" });
  const bytes = new Uint8Array([1, 2, 3]);
  const file = {
    filename: "a.bin",
    size: 3,
    chunks: 1,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  await alice.send({ kind: "offer", id: 1, room: alice.room(), file: "f1", ...file });
  const first = await alice.until("pull");
  assert.deepEqual([first.index, first.count], [0, 1], "asked for carol before anybody accepted");
  await bob.until("offer");
  const to = alice.welcome.client;
  await bob.send({ kind: "pull", room: bob.room(), to, file: "f1", index: 0, count: 1 });
  const second = await alice.until("pull", ({ client }) => client === bob.welcome.client);
  const clients = [first.client, second.client];
  await alice.send({ kind: "part", to: clients, file: "f1", index: 0, data: bytes });
  assert.deepEqual((await bob.until("chunk")).data, bytes);
  const chunk = await carol.next(({ type }) => type === "file_chunk");
  assert.deepEqual([chunk["chunk_data"], chunk["is_final"]], [bytes.toBase64(), true]);
  assert.equal((await alice.until("offer")).request, 1);
  assert.equal(alice.events.some((event) => event.kind === "chunk"), false);
});

Deno.test("a text above the limit is declined with both numbers; far above it, the session ends at its first piece", async () => {
  await using server = await startServer();
  await using alice = await V2Peer.join({ port: server.port });
  await alice.say("x".repeat(10_000));
  assert.match((await alice.until("declined")).why, /it has 10000 bytes, at most 4096 are allowed/);
  await alice.say("still here");
  await alice.until("chat", (event) => event.text === "still here");
  const text = "x".repeat(900_000);
  const id = alice.nextId();
  const [piece] = frameBody(
    encodeRequest({ kind: "chat", id, room: alice.room(), text, action: false, reply: 0 }),
  );
  const record = alice.cipher.seal([piece ?? new Uint8Array()]);
  for (let at = 0; at < record.length;) at += await alice.conn.write(record.subarray(at));
  assert.match((await alice.until("closing")).why, /more than 16384 bytes/);
  await alice.ended;
});

Deno.test("on a full server who is held comes back into its own place, and nobody else comes in", async () => {
  for (const option of ["--max-connections", "--max-per-address"]) {
    await using server = await startServer({ args: [option, "2"] });
    await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
    const alice = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
    alice.cut();
    await bob.until("away", ({ name }) => name === "alice");
    await using stranger = await V2Peer.connect({ port: server.port, hello: { name: "carol" } });
    assert.equal((await stranger.until("refused")).reason, "server_full");
    await stranger.ended;
    await assert.rejects(V1Peer.join({ port: server.port }), /server_full/);
    await server.logged(new RegExp(`handshake refused .*why="server_full: .*2 .*\\(${option}\\)"`));
    await using again = await V2Peer.join({ port: server.port, hello: ticketOf(alice, 0) });
    assert.equal(again.welcome.resumed, true, option);
    await bob.until("back", ({ name }) => name === "alice");
    await assert.rejects(V2Peer.connect({ port: server.port }), "full again: closed at once");
    await alice.ended;
  }
});

Deno.test("a hello that comes late, by the ticket before, takes nothing away from who has read the new one", async () => {
  await using server = await startServer();
  const first = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  first.cut();
  await first.ended;
  await using second = await V2Peer.join({ port: server.port, hello: ticketOf(first, 0) });
  // Of an attempt that she gave up before that one.
  await using late = await V2Peer.join({ port: server.port, hello: ticketOf(first, 0) });
  assert.equal(late.welcome.resumed, true);
  await second.ended;
  await using third = await V2Peer.join({ port: server.port, hello: ticketOf(second, 0) });
  assert.deepEqual([third.welcome.resumed, third.welcome.client], [true, first.welcome.client]);
  await third.say("here");
  await third.until("chat");
  await using thief = await V2Peer.join({ port: server.port, hello: ticketOf(first, 0) });
  assert.equal(thief.welcome.resumed, false);
});

Deno.test("a ticket changes at each resume: the one before is worth nothing once the client has shown the new one", async () => {
  await using server = await startServer();
  const first = await V2Peer.join({ port: server.port, hello: { name: "alice" } });
  first.cut();
  await first.ended;
  // A welcome that is lost on its way takes nothing away: the ticket before it still holds.
  const unread = await V2Peer.join({ port: server.port, hello: ticketOf(first, 0) });
  unread.cut();
  await unread.ended;
  await using second = await V2Peer.join({ port: server.port, hello: ticketOf(first, 0) });
  assert.equal(second.welcome.resumed, true);
  assert.notDeepEqual(second.welcome.secret, first.welcome.secret);
  await second.say("here");
  await second.until("chat");
  await using thief = await V2Peer.join({ port: server.port, hello: ticketOf(first, 0) });
  assert.equal(thief.welcome.resumed, false);
});
