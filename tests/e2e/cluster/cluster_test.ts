// Several real servers over real NATS nodes: what works on one server works on three.

import assert from "node:assert/strict";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type NatsCluster, startNats } from "../../helpers/system/nats.ts";
import { newAttachKey, SealedPeer } from "../../helpers/peers/sealed_peer.ts";
import { textOf } from "../../helpers/peers/sealed_room.ts";
import {
  type RunningServer,
  runServer,
  startServer,
} from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const test = skipWithout("nats-server");
const OPEN = ["--rate-limit", "off", "--max-per-address", "off"];
const SECRET = "A".repeat(43);

interface Scene extends AsyncDisposable {
  readonly nats: NatsCluster;
  readonly servers: readonly RunningServer[];
}

async function openScene(count: number, nodes = 1, args: readonly string[] = []): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats(nodes));
  const identity = stack.use(await makeIdentity());
  const start = () =>
    startServer({
      args: [
        ...OPEN,
        "--nats",
        nats.urls,
        "--nats-replicas",
        String(nodes),
        "--identity-file",
        identity.path,
        ...args,
      ],
      env: { CMDCHAT_CLUSTER_KEY: SECRET },
    });
  const servers = await Promise.all(Array.from({ length: count }, start));
  for (const server of servers) {
    stack.use(server);
    await server.logged(new RegExp(`another server was found others=${count - 1}`), 10_000);
  }
  const all = stack.move();
  return { nats, servers, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function portOf(scene: Scene, n: number): number {
  return (scene.servers[n] as RunningServer).port;
}

test("three servers are one: names, order, presence, direct messages, files and v1 clients", async () => {
  await using scene = await openScene(3);
  await using ann = await V2Peer.join({ port: portOf(scene, 0), hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "bob" } });
  await using ann2 = await V2Peer.join({ port: portOf(scene, 2), hello: { name: "Ann" } });
  await using old = await V1Peer.join({ port: portOf(scene, 2), name: "old" });
  assert.equal(ann2.entered().name, "Ann-2");
  await ann.until("joined", ({ name }) => name === "old");
  const { list } = await ann2.until("members");
  assert.deepEqual(list.map(([, name]) => name), ["ann", "bob", "Ann-2"]);

  await Promise.all(
    [ann, bob, ann2].flatMap((peer, p) =>
      Array.from({ length: 20 }, (_, n) => peer.say(`${p}.${n}`))
    ),
  );
  await old.chat("from the old one");
  const everyone = [ann, bob, ann2];
  await Promise.all(
    everyone.map((peer) => peer.until("chat", ({ text }) => text === "from the old one")),
  );
  await Promise.all(everyone.map((peer) => peer.until("chat", () => peer.texts.length === 61)));
  for (const peer of everyone) assert.deepEqual(peer.texts, ann.texts);
  await old.hears("0.19");

  await ann.send({
    kind: "direct",
    id: ann.nextId(),
    to: bob.welcome.client,
    text: "psst",
  });
  const whisper = await bob.until("direct");
  assert.deepEqual([whisper.name, whisper.text, whisper.room], ["ann", "psst", bob.room()]);
  await ann.until("direct");
  assert.ok(!ann2.events.some(({ kind }) => kind === "direct"));

  const file = {
    filename: "a.txt",
    size: 3,
    chunks: 1,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  await bob.send({ kind: "offer", id: bob.nextId(), room: bob.room(), file: "f", ...file });
  await ann.until("offer");
  const to = bob.welcome.client;
  await ann.send({ kind: "pull", room: ann.room(), to, file: "f", index: 0, count: 1 });
  const isAnns = ({ client }: { readonly client: number }) => client === ann.welcome.client;
  const { client, index } = await bob.until("pull", isAnns);
  const data = new Uint8Array([1, 2, 3]);
  await bob.send({ kind: "part", to: [client], file: "f", index, data });
  assert.deepEqual((await ann.until("chunk")).data, new Uint8Array([1, 2, 3]));
  await ann.send({ kind: "receipt", room: ann.room(), to, file: "f", state: "saved" });
  const saved = await bob.until("receipt");
  assert.deepEqual([saved.client, saved.name, saved.room, saved.state], [
    client,
    "ann",
    bob.room(),
    "saved",
  ]);
  // An empty file has no chunk; a client of the old protocol, which takes none, is told on each server.
  const empty = { ...file, file: "g", filename: "void.txt", size: 0, chunks: 0 };
  await bob.send({ kind: "offer", id: bob.nextId(), room: bob.room(), ...empty });
  await ann.until("offer", ({ size, chunks }) => size === 0 && chunks === 0);
  await old.system(/bob offers an empty file, which your program cannot take: void\.txt/);
  await ann.send({ kind: "receipt", room: ann.room(), to, file: "g", state: "saved" });
  await bob.until("receipt", (receipt) => receipt.file === "g" && receipt.state === "saved");
  // A device key is asked for, and shown, from one server to the other.
  const nonce = new Uint8Array(32).fill(5);
  await ann.send({ kind: "ask_proof", room: ann.room(), to, nonce });
  assert.deepEqual((await bob.until("proof_asked", isAnns)).nonce, nonce);
  const proof = { key: nonce, signature: new Uint8Array(64).fill(7) };
  await bob.send({ kind: "proof", room: bob.room(), to: client, ...proof });
  assert.equal((await ann.until("proof")).client, to);

  await bob.send({ kind: "rename", id: bob.nextId(), name: "ann" });
  await bob.until("declined");
  bob.cut();
  await ann.until("away", ({ name }) => name === "bob");
});

test("a client goes on at another server: same name, nothing lost, no coming and going", async () => {
  await using scene = await openScene(2);
  await using watcher = await V2Peer.join({ port: portOf(scene, 0), hello: { name: "watcher" } });
  await using first = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "mover" } });
  await first.say("before");
  await watcher.until("chat");
  await first.until("chat");
  const { client, session, secret } = first.welcome;
  const { at } = await first.until("chat");
  first.cut();
  await watcher.until("away");
  await watcher.say("meanwhile");
  const hello = { name: "mover", session, secret, rooms: [["lobby", at]] as [string, number][] };
  await using second = await V2Peer.connect({ port: portOf(scene, 0), hello });
  const welcome = await second.until("welcome");
  assert.deepEqual([welcome.resumed, welcome.client], [true, client]);
  assert.deepEqual((await second.until("entered")).name, "mover");
  await second.until("chat", ({ text }) => text === "meanwhile");
  await watcher.until("back");
  // The request that was answered is no second message.
  await second.send({
    kind: "chat",
    id: 1,
    room: second.room(),
    text: "before",
    action: false,
    reply: 0,
  });
  await second.until("done");
  await second.send({
    kind: "chat",
    id: 2,
    room: second.room(),
    text: "after",
    action: false,
    reply: 0,
  });
  await watcher.until("chat", ({ text }) => text === "after");
  assert.deepEqual(watcher.texts, ["before", "meanwhile", "after"]);
  assert.deepEqual(
    watcher.events.filter(({ kind }) => kind === "joined" || kind === "left").length,
    2,
  );
});

test("a ticket that was changed and never shown resumes at another server, by the new secret and by the one before", async () => {
  await using scene = await openScene(2);
  for (const which of ["new", "previous"] as const) {
    await using first = await V2Peer.join({ port: portOf(scene, 0), hello: { name: "mover" } });
    const { client, session, secret } = first.welcome;
    first.cut();
    const again = { port: portOf(scene, 0), hello: { name: "mover", session, secret } };
    await using back = await V2Peer.join(again);
    const renewed = back.welcome.secret;
    assert.notDeepEqual(renewed, secret);
    // It has said nothing since: whether it has read the new secret is not known.
    back.cut();
    const shown = which === "new" ? renewed : secret;
    const hello = { name: "mover", session, secret: shown };
    await using moved = await V2Peer.join({ port: portOf(scene, 1), hello });
    assert.deepEqual([moved.welcome.resumed, moved.welcome.client], [true, client], which);
    await moved.send({ kind: "bye" });
    await moved.ended;
  }
});

test("a receiver asks for a file over the bus, also at another server than before", async () => {
  await using scene = await openScene(2);
  await using ann = await V2Peer.join({ port: portOf(scene, 0), hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "bob" } });
  await using eve = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "eve" } });
  await ann.until("joined", ({ name }) => name === "eve");
  const size = FILE_CHUNK_BYTES + 3;
  const file = {
    file: "f",
    filename: "a.bin",
    size,
    chunks: 2,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  const pieces = [new Uint8Array(FILE_CHUNK_BYTES).fill(7), new Uint8Array([1, 2, 3])];
  const piece = (index: number) => ({ file: "f", index, data: pieces[index] as Uint8Array });
  await ann.send({ kind: "offer", id: ann.nextId(), room: ann.room(), ...file });
  await eve.until("offer");
  const { client, session, secret } = bob.welcome;
  const answerNext = async (asker: V2Peer, index: number) => {
    const to = ann.welcome.client;
    await asker.send({ kind: "pull", room: asker.room(), to, file: "f", index, count: 2 });
    const asked = await ann.until("pull", (pull) => pull.index === index);
    assert.deepEqual([asked.client, asked.count, asked.room], [client, 2 - index, ann.room()]);
    await ann.send({ kind: "part", to: [client], ...piece(index) });
  };
  const chunks = (peer: V2Peer) =>
    peer.events.flatMap((event) =>
      event.kind === "chunk" && event.file === "f" ? [event.index] : []
    );
  await answerNext(bob, 0);
  await bob.until("chunk");
  assert.deepEqual(chunks(bob), [0]);

  const forBob = { ...file, file: "for bob", to: client };
  await ann.send({ kind: "offer", id: ann.nextId(), room: ann.room(), ...forBob });
  await bob.until("offer", (offer) => offer.file === "for bob");
  const wanted = { file: "for bob", index: 0, count: 1 };
  await eve.send({ kind: "pull", room: eve.room(), to: ann.welcome.client, ...wanted });
  const nothing = await eve.until("chunk", (chunk) => chunk.file === "for bob");
  assert.deepEqual([nothing.data.length, nothing.last], [0, true]);
  assert.ok(!eve.events.some((event) => event.kind === "offer" && event.file === "for bob"));
  assert.ok(!ann.events.some((event) => event.kind === "pull" && event.file === "for bob"));

  const { at } = bob.events.findLast((event) => "at" in event) as { readonly at: number };
  bob.cut();
  await ann.until("away", ({ name }) => name === "bob");
  const hello = { name: "bob", session, secret, rooms: [["lobby", at]] as [string, number][] };
  await using again = await V2Peer.join({ port: portOf(scene, 0), hello });
  await answerNext(again, 1);
  assert.deepEqual((await again.until("chunk")).data, pieces[1]);
  assert.deepEqual(chunks(eve), [], "for bob alone");
});

test("the files of a sender that goes on at another server do not go on", async () => {
  await using scene = await openScene(2);
  await using bob = await V2Peer.join({ port: portOf(scene, 0), hello: { name: "bob" } });
  await using ann = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "ann" } });
  const file = {
    file: "f",
    filename: "a.bin",
    size: 5,
    chunks: 1,
    hash: new Uint8Array(32),
    to: 0,
    folder: false,
  };
  await ann.send({ kind: "offer", id: ann.nextId(), room: ann.room(), ...file });
  await bob.until("offer");
  const { session, secret, client } = ann.welcome;
  ann.cut();
  await bob.until("away");
  const rooms: [string, number][] = [["lobby", 0]];
  const hello = { name: "ann", session, secret, rooms };
  await using _again = await V2Peer.join({ port: portOf(scene, 0), hello });
  await bob.send({ kind: "pull", room: bob.room(), to: client, file: "f", index: 0, count: 1 });
  assert.deepEqual((await bob.until("chunk")).data, new Uint8Array());
});

test("a server that is killed: its clients go on at another, and who does not is away and then gone", async () => {
  await using scene = await openScene(2, 1, ["--hold", "3"]);
  await using watcher = await V2Peer.join({ port: portOf(scene, 0), hello: { name: "watcher" } });
  await using mover = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "mover" } });
  await using _lost = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "lost" } });
  await mover.say("before");
  const { at } = await mover.until("chat");
  const { session, secret } = mover.welcome;
  await (scene.servers[1] as RunningServer).stop("SIGKILL");
  await watcher.until("away", ({ name }) => name === "lost");
  const hello = { name: "mover", session, secret, rooms: [["lobby", at]] as [string, number][] };
  await using again = await V2Peer.connect({ port: portOf(scene, 0), hello });
  assert.equal((await again.until("welcome")).resumed, true);
  await watcher.until("back", ({ name }) => name === "mover");
  await again.until("entered");
  await again.send({
    kind: "chat",
    id: 2,
    room: again.room(),
    text: "after",
    action: false,
    reply: 0,
  });
  await watcher.until("chat", ({ text }) => text === "after");
  await watcher.until("left", ({ name }) => name === "lost");
  assert.ok(!watcher.events.some((event) => event.kind === "left" && event.name === "mover"));
});

test("a server without NATS says so, keeps messages unanswered, and delivers them when it is back", async () => {
  await using scene = await openScene(2);
  await using ann = await V2Peer.join({ port: portOf(scene, 0), hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: portOf(scene, 1), hello: { name: "bob" } });
  await ann.until("joined", ({ name }) => name === "bob");
  await scene.nats.nodes[0]?.kill();
  await ann.until("notice", ({ text }) => /cannot be reached/.test(text));
  const id = await ann.say("into the silence");
  await scene.nats.nodes[0]?.start();
  await ann.until("notice", ({ text }) => /reached again/.test(text));
  const said = await bob.until("chat", ({ text }) => text === "into the silence");
  assert.equal((await ann.until("chat")).request, id);
  assert.ok(said.at > 1_000_000);
});

test("credentials in an address are refused, and not repeated", async () => {
  const { code, stdout, stderr } = await runServer({
    args: ["--nats", "nats://chat:hunter2@127.0.0.1:1"],
    env: { CMDCHAT_CLUSTER_KEY: SECRET },
  });
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^error: Cannot use --nats: an address has credentials in it\nhint: .+\n$/);
  assert.ok(!`${stdout}${stderr}`.includes("hunter2"));
});

test("a sealed room is one on all servers; when its home dies, its members come again to another", async () => {
  await using scene = await openScene(3);
  const key = await newAttachKey();
  await using alice = await SealedPeer.connect({ port: portOf(scene, 0) }, key);
  await alice.attach();
  await alice.create();
  await using bob = await SealedPeer.connect({ port: portOf(scene, 1) }, key);
  assert.equal((await bob.attach()).kind, "sealed_attached");
  await bob.enter(0, [alice]);
  await alice.peer.until("sealed_frame", ({ body }) => textOf(body) === "join 0");
  await bob.app(1, "from two");
  await alice.app(1, "from one");
  for (const { peer } of [alice, bob]) {
    await peer.until("sealed_frame", ({ body }) => textOf(body) === "from one");
    const said = peer.events.flatMap((event) =>
      event.kind === "sealed_frame" ? [`${event.seq} ${textOf(event.body)}`] : []
    );
    assert.deepEqual(said.slice(-2), ["2 from two", "3 from one"]);
  }
  await using mallory = await SealedPeer.connect({ port: portOf(scene, 2) }, key);
  const forged = mallory.attachment({ proof: new Uint8Array(64) });
  await mallory.peer.send(forged);
  assert.equal((await mallory.answer(forged.ask)).kind, "sealed_declined");

  bob.peer.cut();
  await alice.peer.until("sealed_gone");
  await using back = await SealedPeer.connect({ port: portOf(scene, 2) }, key, bob);
  assert.equal((await back.attach({ member: true, epoch: 1, seq: 3 })).kind, "sealed_attached");
  await alice.peer.until("sealed_back");

  await (scene.servers[0] as RunningServer).stop("SIGKILL");
  await back.peer.ended;
  // The other server may notice a little later: who asks before that is sent away once more.
  for (let n = 0;; n++) {
    await using again = await SealedPeer.connect({ port: portOf(scene, 1) }, key, bob);
    const answer = await again.attach({ member: true, epoch: 1, seq: 3 }).catch(() => undefined);
    if (answer?.kind === "sealed_none") break;
    assert.ok(answer === undefined && n < 3, "no new home was found");
  }
});
