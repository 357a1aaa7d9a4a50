// Members of a sealed room with a relay between them, as stories: what each of them is shown.

import { toHex } from "#platform/bytes.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { concatBytes } from "../../../shared/base/bytes.ts";
import type { SealedRoomId } from "../../../shared/messages/ids.ts";
import { openEnvelope, sealEnvelope } from "../../../client/mls/envelope.ts";
import type { RelayEvent, SealedRoomEvent } from "../../../client/sealed_engine/engine_protocol.ts";
import { FileExchange } from "../../../client/sealed_engine/file_exchange.ts";
import { sealedChunks } from "../../../client/sealed_engine/file_seal.ts";
import { MemberState } from "../../../client/sealed_engine/member_state.ts";
import { testKeys } from "../../helpers/peers/sealed_group.ts";
import { type Peer, TestRelay } from "../../helpers/peers/sealed_relay.ts";
import {
  accept,
  assertAgreed,
  dangers,
  notes,
  roomOf,
} from "../../helpers/peers/sealed_room_stories.ts";

Deno.test("the first makes the room, others join, are confirmed, and everybody reads everybody", async () => {
  const { peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  assertAgreed(alice!, bob!, carol!);
  assert.equal(bob!.machine.status.confirmed, true);
  assert.equal(carol!.machine.status.confirmed, true);
  assert.deepEqual(alice!.told("joined").map(({ name }) => name), ["bob", "carol"]);
  await alice!.say("hello");
  await carol!.say("hi alice");
  for (const peer of [alice!, bob!, carol!]) {
    assert.deepEqual(peer.texts, ["alice: hello", "carol: hi alice"]);
    assert.deepEqual(dangers(peer), []);
  }
  const [own] = alice!.told("text");
  assert.ok(own !== undefined && own.request > 0);
  assert.equal(bob!.told("text")[0]?.request, 0);
});

Deno.test("12 join at once: all are in, in one epoch with one code", async () => {
  const relay = new TestRelay();
  await relay.enter("alice");
  const others = Array.from({ length: 12 }, (_, i) => relay.peer(`m${i}`));
  await Promise.all(others.map((peer) => {
    peer.isOnline = true;
    return peer.machine.handle({ kind: "online", challenge: new Uint8Array(32) });
  }));
  await relay.settle();
  await relay.advance(10);
  assertAgreed(...relay.peers);
  assert.equal(relay.peers[0]?.machine.status.people.length, 13);
  for (const peer of others) {
    assert.equal(peer.machine.status.confirmed, true, peer.machine.status.name);
  }
});

Deno.test("a taken name gets the next free one, and its owner is told", async () => {
  const { peers: [alice, second] } = await roomOf("alice", "Alice");
  assert.equal(second!.machine.status.name, "Alice-2");
  assert.match(second!.told("note").map(({ text }) => text).join(), /you are Alice-2/);
  assertAgreed(alice!, second!);
});

Deno.test("a link that breaks: what was said meanwhile arrives once, in order, both ways", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.offline();
  assert.deepEqual(alice!.told("away").map(({ name }) => name), ["bob"]);
  await alice!.say("one");
  await bob!.say("from bob");
  await alice!.say("two");
  assert.deepEqual(bob!.texts, []);
  await bob!.online();
  await relay.advance(12);
  for (const peer of [alice!, bob!]) {
    assert.deepEqual(peer.texts, ["alice: one", "alice: two", "bob: from bob"]);
  }
  assert.deepEqual(alice!.told("back").map(({ name }) => name), ["bob"]);
  assertAgreed(alice!, bob!);
});

Deno.test("a message that the relay took just before the link broke is not said twice", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  relay.meddle = (frame, to) => to === bob ? undefined : frame;
  await bob!.say("only once");
  relay.meddle = (frame) => frame;
  await bob!.offline();
  await bob!.online();
  await relay.advance(12);
  for (const peer of [alice!, bob!]) assert.deepEqual(peer.texts, ["bob: only once"]);
  assertAgreed(alice!, bob!);
});

Deno.test("two hundred broken connections later everybody is in one epoch", async () => {
  const { relay, peers } = await roomOf("alice", "bob", "carol");
  for (let i = 0; i < 200; i++) {
    const peer = peers[i % 3] as Peer;
    await peer.offline();
    await (peers[(i + 1) % 3] as Peer).say(`text ${i}`);
    await peer.online();
  }
  await relay.advance(12);
  assertAgreed(...peers);
  for (const peer of peers) {
    assert.deepEqual(
      peer.texts,
      Array.from(
        { length: 200 },
        (_, i) => `${peers[(i + 1) % 3]?.machine.status.name}: text ${i}`,
      ),
    );
    assert.deepEqual(dangers(peer), []);
  }
});

Deno.test("who does not come back is taken out; later it joins anew, by itself", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await carol!.offline();
  await relay.evictGone();
  assertAgreed(alice!, bob!);
  assert.deepEqual(bob!.told("left").map(({ name }) => name), ["carol"]);
  await alice!.say("without carol");
  await carol!.online();
  await relay.advance(3);
  assertAgreed(alice!, bob!, carol!);
  assert.ok(!carol!.texts.includes("alice: without carol"));
  assert.deepEqual(dangers(alice!), []);
});

Deno.test("who leaves is out at once", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await bob!.machine.handle({ kind: "leave" });
  await relay.settle();
  assert.deepEqual(alice!.told("left").map(({ name }) => name), ["bob"]);
  assertAgreed(alice!, carol!);
});

Deno.test("the relay is restarted ten times in the middle of talk: the room goes on", async () => {
  const { relay, peers } = await roomOf("alice", "bob", "carol");
  for (let i = 0; i < 10; i++) {
    await (peers[i % 3] as Peer).say(`text ${i}`);
    await relay.restart();
    await (peers[i % 3] as Peer).say(`while it was down ${i}`);
    for (const peer of peers) await peer.online();
    await relay.advance(2);
  }
  assertAgreed(...peers);
  const expected = Array.from({ length: 10 }, (_, i) => {
    const name = peers[i % 3]?.machine.status.name;
    return [`${name}: text ${i}`, `${name}: while it was down ${i}`];
  }).flat();
  for (const peer of peers) {
    assert.deepEqual(peer.texts, expected);
    assert.deepEqual(dangers(peer), []);
  }
});

Deno.test("a relay that forgot the newest frames: the room goes on in a new order", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  relay.meddle = (frame, to) => to === bob ? undefined : frame;
  await alice!.say("bob never sees this");
  relay.meddle = (frame) => frame;
  await relay.restart();
  await bob!.online();
  await alice!.online();
  await relay.advance(3);
  assertAgreed(alice!, bob!);
  await alice!.say("and on");
  assert.ok(bob!.texts.includes("alice: and on"));
});

Deno.test("a relay that leaves out or repeats a frame is noticed, and the member comes back", async () => {
  for (const how of ["out", "twice"]) {
    const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
    let done = false;
    relay.meddle = (frame, to) => {
      if (to !== bob || frame.type !== "app" || done) return frame;
      done = true;
      if (how === "out") return undefined;
      to.inbox.push(frame);
      return frame;
    };
    await alice!.say("one");
    await alice!.say("two");
    await relay.advance(12);
    assert.match(dangers(bob!).join(), /left out or repeated/, how);
    assertAgreed(alice!, bob!);
    await alice!.say("three");
    assert.equal(bob!.texts.at(-1), "alice: three");
  }
});

Deno.test("a relay that shows different orders is noticed when somebody speaks", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const held: Parameters<TestRelay["meddle"]>[0][] = [];
  relay.meddle = (frame, to) => {
    if (to !== bob) return frame;
    held.push(frame);
    if (held.length < 2) return undefined;
    const [first, second] = held.splice(0) as [typeof frame, typeof frame];
    to.inbox.push({ ...second, seq: first.seq });
    return { ...first, seq: second.seq };
  };
  await alice!.say("first");
  await carol!.say("second");
  relay.meddle = (frame) => frame;
  await bob!.say("what?");
  assert.match(dangers(alice!).join(), /different orders/);
  assert.match(dangers(carol!).join(), /different orders/);
});

Deno.test("a frame in our name that we never sent is noticed", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  relay.meddle = (frame, to) => to === alice ? { ...frame, from: alice!.handleBytes } : frame;
  await bob!.say("as if alice had said it");
  assert.match(dangers(alice!).join(), /in your name/);
  assert.deepEqual(alice!.texts, []);
});

Deno.test("an unusable GroupInfo is never joined, and the user is told", async () => {
  const { relay } = await roomOf("alice");
  relay.meddleInfo = (body) => body.map((byte, at) => at === 40 ? byte ^ 1 : byte);
  const bob = await relay.enter("bob");
  await relay.advance(5);
  assert.match(dangers(bob).join(), /does not belong to it/);
  assert.equal(bob.machine.status.phase, "entering");
  relay.meddleInfo = (body) => body;
  await relay.advance(5);
  assert.equal(bob.machine.status.phase, "in");
});

Deno.test("whoever may neither make a room nor come in yet is told why, once, and is in later", async () => {
  for (const kind of ["sealed_create", "sealed_join"] as const) {
    const relay = kind === "sealed_join" ? (await roomOf("alice")).relay : new TestRelay();
    const take = relay.take.bind(relay);
    let declines = 3;
    relay.take = (peer, request) => {
      if (request.kind !== kind || declines-- <= 0) return take(peer, request);
      const { ask } = request;
      (peer as Peer).inbox.push({ kind: "sealed_declined", ask, room: 1, why: "too many rooms" });
    };
    const bob = await relay.enter("bob");
    await relay.advance(8);
    assert.equal(notes(bob).match(/Not in the room yet: the server says/g)?.length, 1, kind);
    assert.match(notes(bob), /too many rooms/);
    assert.deepEqual(dangers(bob), []);
    await relay.advance(8);
    assert.equal(bob.machine.status.phase, "in", kind);
  }
});

Deno.test("a newcomer whom nobody hears knows that nobody has confirmed it", async () => {
  const { relay, peers: [alice] } = await roomOf("alice");
  relay.meddle = (frame, to) => to === alice && frame.type === "app" ? undefined : frame;
  const bob = await relay.enter("bob");
  await relay.advance(11);
  assert.equal(bob.machine.status.confirmed, false);
  assert.match(bob.told("note").map(({ text }) => text).join(), /Nobody has confirmed you/);
});

/** Alice in a room where bob has come back with another key just now. */
async function strangeBob() {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.machine.handle({ kind: "leave" });
  await relay.settle();
  relay.drop(bob!);
  const other = await relay.enter("bob");
  return { relay, alice: alice!, other };
}

Deno.test("a name that comes back with another key is an alarm, and holds what was written before it could be read", async () => {
  const { relay, alice, other } = await strangeBob();
  assert.match(dangers(alice).join(), /bob has another key/);
  const suspect = alice.machine.status.people.find(({ name }) => name === "bob");
  assert.equal(suspect?.suspect, true);
  await alice.say("written before");
  assert.match(alice.told("declined")[0]?.why ?? "", /bob came back with another key just now/);
  await relay.advance(3);
  await alice.say("written after");
  assert.deepEqual(other.texts, ["alice: written after"]);
});

Deno.test("lines that wait for a connection are given back where a name has another key by then", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob", "carol");
  await alice!.offline();
  await alice!.say("for the bob I know");
  await bob!.machine.handle({ kind: "leave" });
  await relay.settle();
  relay.drop(bob!);
  const other = await relay.enter("bob");
  await alice!.online();
  assert.equal(alice!.told("alarm")[0]?.held.length, 1);
  await relay.advance(20);
  assert.deepEqual(other.texts, []);
});

Deno.test("whoever comes in again and again under one name cannot stop the talk", async () => {
  const { relay, alice, other } = await strangeBob();
  let last = other;
  let heard = 0;
  for (let n = 0; n < 10; n++) {
    await last.machine.handle({ kind: "leave" });
    await relay.settle();
    relay.drop(last);
    last = await relay.enter("bob");
    await relay.advance(3);
    await alice.say(`line ${n}`);
    heard += last.texts.length;
  }
  assert.equal(heard, 10);
  assert.ok(dangers(alice).length > 5);
});

Deno.test("nothing is sent to a member alone whose key is another, until the user has taken notice", async () => {
  const { relay, alice, other } = await strangeBob();
  await relay.advance(5);
  const to = alice.machine.status.people.find(({ name }) => name === "bob")?.client ?? 0;
  const whisper = (request: number) =>
    alice.machine.handle({ kind: "whisper", request, to, text: "secret" });
  await whisper(71);
  await relay.settle();
  assert.match(alice.told("declined").at(-1)?.why ?? "", /Look first: \/verify bob/);
  await accept(alice, "bob");
  await whisper(72);
  await relay.settle();
  assert.deepEqual(other.told("direct").map(({ text }) => text), ["secret"]);
  assert.equal(alice.machine.status.people.find(({ name }) => name === "bob")?.verified, true);
});

Deno.test("fresh keys come by themselves after an hour or 500 own messages", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const { epoch } = alice!.machine.status;
  await relay.advance(4_400);
  assert.ok(alice!.machine.status.epoch > epoch);
  const later = alice!.machine.status.epoch;
  for (let i = 0; i < 501; i++) await alice!.say(`${i}`);
  await relay.advance(2);
  assert.ok(alice!.machine.status.epoch > later);
  assertAgreed(alice!, bob!);
});

Deno.test("a removal from before one's connection is taken as the others let it stand; while one is there, it is judged", async () => {
  for (const isThere of [false, true]) {
    const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
    if (!isThere) await bob!.offline();
    const take = relay.take.bind(relay);
    relay.take = (peer, request) => {
      if (peer !== carol || request.kind !== "sealed_vote") take(peer, request);
    };
    const handle = carol!.handleBytes;
    // A relay, or a member's own program, has alice remove one who is here.
    alice!.inbox.push({ kind: "sealed_gone", room: 1, handle, left: false });
    alice!.inbox.push({ kind: "sealed_evict_please", room: 1, handles: [handle] });
    await relay.settle();
    if (!isThere) await bob!.online();
    assert.equal(/removes a member who is here/.test(notes(bob!)), isThere, notes(bob!));
    const names = bob!.machine.status.people.map(({ name }) => name);
    assert.equal(names.includes("carol"), isThere);
    if (!isThere) assertAgreed(alice!, bob!);
  }
});

Deno.test("that one is writing counts as a message of one's own: 500 of them bring fresh keys", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const { epoch } = alice!.machine.status;
  const type = async (times: number) => {
    for (let i = 0; i < times; i++) await alice!.machine.handle({ kind: "typing" });
    await relay.advance(1);
  };
  // What the room has said by itself counts as well.
  await type(490);
  assert.equal(alice!.machine.status.epoch, epoch);
  await type(10);
  assert.equal(alice!.machine.status.epoch, epoch + 1);
  assertAgreed(alice!, bob!);
});

Deno.test("who is in another epoch says nothing of a newcomer's commit, and no to one that it can judge", async () => {
  const { relay, peers: [alice] } = await roomOf("alice", "bob");
  const answers: boolean[] = [];
  const take = relay.take.bind(relay);
  relay.take = (peer, request) => {
    if (request.kind === "sealed_check") answers.push(request.ok);
    else take(peer, request);
  };
  const { epoch } = alice!.machine.status;
  for (const ahead of [1, -1, 0]) {
    alice!.inbox.push({
      kind: "sealed_check_please",
      room: 1,
      question: 1,
      epoch: epoch + ahead,
      from: new Uint8Array(16).fill(1),
      roster: new Uint8Array(32),
      body: new Uint8Array(300),
    });
    await relay.settle();
  }
  assert.deepEqual(answers, [false]);
});

Deno.test("the move to a new link is told inside the room only", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const secret = new Uint8Array(32).fill(0x77);
  await alice!.machine.handle({ kind: "move", request: 1, secret });
  await relay.settle();
  assert.deepEqual(bob!.told("moved").map(({ name, secret }) => ({ name, secret })), [
    { name: "alice", secret },
  ]);
  assert.deepEqual(alice!.told("done").map(({ request }) => request), [1]);
});

/** Offers a file as the chat does. */
async function offer(
  relay: TestRelay,
  peer: Peer,
  bytes: Uint8Array,
  { file = "f1", to = 0 }: { readonly file?: string; readonly to?: number } = {},
): Promise<void> {
  const hash = new Uint8Array(createHash("sha256").update(bytes).digest());
  const about = { request: 1, file, name: "a.bin", size: bytes.length, hash, to, folder: false };
  await peer.machine.handle({ kind: "offer", ...about });
  await relay.settle();
}

/** The chat of `peer` asks for chunks of the file that it heard of last, or for all. */
async function pull(
  relay: TestRelay,
  peer: Peer,
  [index, count]: readonly [number, number],
): Promise<void> {
  const { client, file } = peer.told("file").at(-1)!;
  await peer.machine.handle({ kind: "pull", client, file: file.id, index, count });
  await relay.settle();
}

/** All requests for chunks that go over a relay from now on, as their receivers get them. */
function pullsOver(relay: TestRelay): RelayEvent<"sealed_pull">[] {
  const pulls: RelayEvent<"sealed_pull">[] = [];
  const take = relay.take.bind(relay);
  relay.take = (peer, request) => {
    take(peer, request);
    if (request.kind !== "sealed_pull") return;
    const { kind, chunks, body } = request;
    pulls.push({ kind, room: 1 as SealedRoomId, from: peer.handleBytes, chunks, body });
  };
  return pulls;
}

/** The chat of `peer` gives what was pulled and not given yet. */
async function give(relay: TestRelay, peer: Peer, bytes: Uint8Array): Promise<void> {
  for (const asked of peer.told("pull").filter((each) => !given.has(each))) {
    given.add(asked);
    const { client, file, index, count } = asked;
    for (let at = index; at < index + count; at++) {
      const data = bytes.slice(at * 32_768, (at + 1) * 32_768);
      await peer.machine.handle({ kind: "part", to: [client], file, index: at, data });
    }
  }
  await relay.settle();
}

const given = new WeakSet<object>();

/** All of it, 32 chunks at a time. */
async function fetch(
  relay: TestRelay,
  { from, to }: { readonly from: Peer; readonly to: Peer },
  bytes: Uint8Array,
): Promise<void> {
  const chunks = Math.ceil(bytes.length / 32_768);
  for (let index = 0; index < chunks; index += 32) {
    await pull(relay, to, [index, Math.min(32, chunks - index)]);
    await give(relay, from, bytes);
  }
}

function received(peer: Peer): Uint8Array {
  const chunks = peer.told("chunk");
  assert.deepEqual(chunks.map(({ index }) => index), chunks.map((_, i) => i));
  assert.deepEqual(
    chunks.map(({ last }) => last),
    chunks.map((_, i) => i === chunks.length - 1),
  );
  return new Uint8Array(chunks.flatMap(({ data }) => [...data]));
}

/** Counts the chunks on the wire; `drops` says which do not arrive. */
function watchChunks(
  relay: TestRelay,
  drops: (nth: number) => boolean = () => false,
): Uint8Array[] {
  const sealed: Uint8Array[] = [];
  const take = relay.take.bind(relay);
  relay.take = (peer, request) => {
    if (request.kind === "sealed_chunk") sealed.push(request.body);
    if (request.kind !== "sealed_chunk" || !drops(sealed.length)) take(peer, request);
  };
  return sealed;
}

Deno.test("a file reaches those who want it, in the chunks of the chat, and nothing leaves before", async () => {
  for (const size of [1, 32_768, 32_769, 65_536, 65_537, 1_300_000]) {
    const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
    const sealed = watchChunks(relay);
    const bytes = new Uint8Array(size).map((_, i) => i * 7);
    await offer(relay, alice!, bytes);
    assert.deepEqual(alice!.told("done").map(({ request }) => request), [1]);
    for (const peer of [bob!, carol!]) {
      const [file] = peer.told("file");
      assert.deepEqual([file?.name, file?.file.name, file?.file.size], ["alice", "a.bin", size]);
      assert.equal(file?.file.chunks, Math.ceil(size / 32_768));
    }
    assert.equal(sealed.length, 0, "nobody has asked");
    await fetch(relay, { from: alice!, to: bob! }, bytes);
    assert.deepEqual(received(bob!), bytes);
    assert.equal(carol!.told("chunk").length, 0);
    assert.equal(sealed.length, sealedChunks(size), "with its padding, so that its size is hidden");
    assert.deepEqual(
      alice!.told("taken").map(({ index }) => index),
      Array.from({ length: Math.ceil(size / 32_768) }, (_, index) => index),
    );
  }
});

Deno.test("an empty file looks to the relay like any other small one", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const sealed = watchChunks(relay);
  await offer(relay, alice!, new Uint8Array());
  assert.deepEqual(bob!.told("file").map(({ file }) => [file.size, file.chunks]), [[0, 0]]);
  // Whoever comes back asks for what was wanted, and nothing was.
  await alice!.offline();
  await relay.advance(40);
  await alice!.online();
  await relay.advance(2);
  assert.equal(sealed.length, 0, "nobody has asked");
  // The chat says that it has all of it.
  for (let twice = 0; twice < 2; twice++) await pull(relay, bob!, [0, 0]);
  assert.deepEqual([sealed.length, sealedChunks(0)], [1, 1]);
  assert.deepEqual([bob!.told("chunk").length, alice!.told("pull").length], [0, 0]);
});

Deno.test("a chunk that several wait for leaves once", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const sealed = watchChunks(relay);
  const bytes = new Uint8Array(20_000).fill(3);
  await offer(relay, alice!, bytes);
  for (const peer of [bob!, carol!]) await pull(relay, peer, [0, 1]);
  const to = alice!.told("pull").map(({ client }) => client);
  assert.equal(to.length, 2);
  await alice!.machine.handle({ kind: "part", to, file: "f1", index: 0, data: bytes });
  await relay.settle();
  assert.deepEqual([received(bob!), received(carol!), sealed.length], [bytes, bytes, 1]);
});

Deno.test("what was asked for over a link that broke, of either side, is asked for again; the same chunk is the same bytes", async () => {
  for (const broken of ["alice", "bob"]) {
    const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
    const bytes = new Uint8Array(300_000).map((_, i) => i * 11);
    const sealed = watchChunks(relay, (nth) => nth <= 10);
    await offer(relay, alice!, bytes);
    await pull(relay, bob!, [0, 10]);
    await give(relay, alice!, bytes);
    assert.equal(bob!.told("chunk").length, 0);
    const peer = broken === "alice" ? alice! : bob!;
    await peer.offline();
    await relay.advance(40);
    await peer.online();
    await relay.advance(2);
    assert.equal(alice!.told("pull").length, 2, broken);
    await give(relay, alice!, bytes);
    assert.deepEqual(received(bob!), bytes);
    // One nonce, one text.
    const again = sealed.slice(10).filter((body) => sealed.some((first) => sameStart(first, body)));
    assert.equal(again.length, 10);
    for (const body of again) {
      assert.deepEqual(body, sealed.find((first) => sameStart(first, body)));
    }
  }
});

Deno.test("what a member says of a file reaches its sender, and whom it is not about hears nothing", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await offer(relay, alice!, new Uint8Array(9));
  const { client, file } = bob!.told("file")[0]!;
  await bob!.machine.handle({ kind: "receipt", client, file: file.id, state: "saved" });
  const known = carol!.told("file")[0]!;
  const refusal = { client: known.client, file: known.file.id, state: "refused" } as const;
  await carol!.machine.handle({ kind: "receipt", ...refusal });
  await carol!.machine.handle({ kind: "receipt", ...refusal, file: "00".repeat(16) });
  await relay.settle();
  assert.deepEqual(
    alice!.told("receipt").map(({ name, file, state }) => [name, file, state]),
    [["bob", "f1", "saved"], ["carol", "f1", "refused"]],
  );
  assert.deepEqual([bob!.told("receipt"), carol!.told("receipt")], [[], []]);
});

Deno.test("a file for one member alone: the others hear nothing, have no key, and get no chunk", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const bytes = new Uint8Array(40_000).map((_, i) => i * 7);
  const numberOf = (name: string) =>
    alice!.machine.status.people.find((person) => person.name === name)!.client;
  await offer(relay, alice!, bytes, { to: numberOf("bob") });
  assert.deepEqual(alice!.told("done").length, 1, "the sender hears that it is offered");
  assert.equal(carol!.told("file").length, 0);
  const [told] = bob!.told("file");
  const own = bob!.machine.status.people.find((person) => person.own)!.client;
  assert.deepEqual([told?.file.size, told?.to], [bytes.length, own]);
  const pulls = pullsOver(relay);
  await pull(relay, bob!, [0, 2]);
  await give(relay, alice!, bytes);
  assert.deepEqual(received(bob!), bytes);
  // A member that knows the id, as a relay that is on their side could tell it, gets nothing.
  const asked = alice!.told("pull").length;
  for (const { handleBytes: from } of [carol!, bob!]) {
    await alice!.machine.receive({ ...pulls[0]!, from });
  }
  assert.deepEqual(
    alice!.told("pull").slice(asked).map(({ name }) => name),
    ["bob"],
    "carol is answered nothing",
  );
});

Deno.test("a file that is withdrawn ends at those who heard of it", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await offer(relay, alice!, new Uint8Array(9));
  // Another member cannot withdraw it.
  await carol!.machine.handle({ kind: "withdraw", file: "f1" });
  await relay.settle();
  assert.equal(bob!.told("chunk").length, 0);
  await alice!.machine.handle({ kind: "withdraw", file: "f1" });
  await relay.settle();
  const [end] = bob!.told("chunk");
  assert.deepEqual([end?.last, end?.data.length], [true, 0]);
  await pull(relay, bob!, [0, 1]);
  assert.equal(alice!.told("pull").length, 0);
});

Deno.test("a chunk that cannot be had any longer, or is of a file that was forgotten, is done with at once", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await offer(relay, alice!, new Uint8Array(9));
  for (const index of [0, 1]) {
    const part = { to: [1], file: "f1", index, data: new Uint8Array() };
    await alice!.machine.handle({ kind: "part", ...part });
  }
  await relay.settle();
  assert.deepEqual(alice!.told("taken").map(({ file, index }) => [file, index]), [
    ["f1", 0],
    ["f1", 1],
  ]);
  assert.equal(bob!.told("chunk")[0]?.last, true);
});

/** Whether both are the same chunk of the same file. */
function sameStart(a: Uint8Array, b: Uint8Array): boolean {
  return a.subarray(0, 20).every((byte, at) => byte === b[at]);
}

Deno.test("a chunk that the relay changes ends the file, and is told", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const take = relay.take.bind(relay);
  relay.take = (peer, request) => {
    if (request.kind !== "sealed_chunk") return take(peer, request);
    take(peer, { ...request, body: request.body.map((byte, at) => at === 100 ? byte ^ 1 : byte) });
  };
  const bytes = new Uint8Array(300_000);
  await offer(relay, alice!, bytes);
  await fetch(relay, { from: alice!, to: bob! }, bytes);
  assert.match(dangers(bob!).join(), /A part of "[^"]+" was changed, by the server or by alice's/);
  const [end] = bob!.told("chunk");
  assert.deepEqual([end?.last, end?.data.length], [true, 0]);
});

Deno.test("a text for one member is read by that member alone, over commits and broken connections", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const to = alice!.machine.status.people.find(({ name }) => name === "bob")?.client ?? 0;
  const whisper = async (request: number, text: string) => {
    await alice!.machine.handle({ kind: "whisper", request, to, text });
    await relay.settle();
  };
  await whisper(1, "for bob");
  await bob!.machine.handle({ kind: "renew" });
  await relay.settle();
  await whisper(2, "for bob's new key");
  await bob!.offline();
  await whisper(3, "while bob was away");
  await bob!.online();
  const heard = bob!.told("direct").map(({ name, toName, text }) => [name, toName, text]);
  assert.deepEqual(heard, [
    ["alice", "bob", "for bob"],
    ["alice", "bob", "for bob's new key"],
    ["alice", "bob", "while bob was away"],
  ]);
  assert.deepEqual(carol!.told("direct"), []);
  assert.deepEqual(alice!.told("direct").map(({ request, toName }) => [request, toName]), [
    [1, "bob"],
    [2, "bob"],
    [3, "bob"],
  ]);
  await bob!.machine.handle({ kind: "leave" });
  await relay.settle();
  await whisper(4, "too late");
  assert.match(alice!.told("declined")[0]?.why ?? "", /no longer in the room/);
});

Deno.test("a relay that keeps a member out and says why again and again is told of once", async () => {
  const { relay, peers: [, bob] } = await roomOf("alice", "bob");
  for (const seconds of [9, 8, 7]) {
    const why = `unsound: wait ${seconds} s`;
    bob!.inbox.push({ kind: "sealed_declined", ask: 0, room: 1, why });
    await relay.settle();
  }
  assert.equal(notes(bob!).match(/does not let you into/g)?.length, 1);
  assert.deepEqual(dangers(bob!), []);
});

Deno.test("whom the relay has put out comes back by itself, later each time", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  bob!.inbox.push({ kind: "sealed_declined", ask: 0, room: 1, why: "its change was undone" });
  await relay.settle();
  assert.match(notes(bob!), /does not let you into .*: its change was undone/);
  assert.equal(bob!.machine.status.phase, "out");
  await relay.advance(11);
  assert.equal(bob!.machine.status.phase, "out");
  await relay.advance(2);
  assertAgreed(alice!, bob!);
});

Deno.test("a text that the relay declines is given back; what the room says by itself is tried again", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const take = relay.take.bind(relay);
  let declines = 0;
  relay.take = (peer, request) => {
    if (request.kind !== "sealed_app" || declines-- <= 0) return take(peer, request);
    const { ask } = request;
    (peer as Peer).inbox.push({ kind: "sealed_declined", ask, room: 1, why: "too fast" });
  };
  declines = 1;
  await alice!.say("too fast", 7);
  assert.deepEqual(alice!.told("declined"), [{ kind: "declined", request: 7, why: "too fast" }]);
  await offer(relay, alice!, new Uint8Array(10));
  const { client, file } = bob!.told("file")[0]!;
  declines = 2;
  await bob!.machine.handle({ kind: "receipt", client, file: file.id, state: "refused" });
  await relay.settle();
  assert.deepEqual(alice!.told("receipt"), []);
  await relay.advance(3);
  assert.equal(alice!.told("receipt").length, 1);
});

Deno.test("a relay that forgot the end of the room: what was said there is said again, and shown once", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const { seq } = relay;
  await alice!.say("nobody may lose this");
  assert.equal(relay.seq, seq + 1);
  for (const peer of [alice!, bob!]) await peer.offline();
  relay.seq = seq;
  relay.frames = relay.frames.filter((frame) => frame.seq <= seq);
  for (const peer of [alice!, bob!]) await peer.online();
  await relay.advance(12);
  assert.match(
    alice!.told("note").map(({ text }) => text).join(),
    /forgotten the end of this room/,
  );
  assert.equal(relay.frames.at(-1)?.seq, seq + 1);
  for (const peer of [alice!, bob!]) assert.deepEqual(peer.texts, ["alice: nobody may lose this"]);
  assertAgreed(alice!, bob!);
});

Deno.test("a relay that has lost messages, as it says, is believed only aloud", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.offline();
  await alice!.say("one");
  await alice!.say("two");
  relay.frames = relay.frames.filter((frame) => frame.seq !== relay.seq - 1);
  const take = relay.take.bind(relay);
  relay.take = (peer, request) => {
    take(peer, request);
    if (request.kind !== "sealed_attach") return;
    const inbox = (peer as Peer).inbox;
    const at = inbox.findIndex(({ kind }) => kind === "sealed_attached");
    inbox[at] = { ...inbox[at], missing: "messages" } as typeof inbox[number];
  };
  await bob!.online();
  assert.deepEqual(bob!.texts, ["alice: two"]);
  assert.match(bob!.told("note").map(({ text }) => text).join(), /while you were away is lost/);
  assert.deepEqual(dangers(bob!), []);
  assertAgreed(alice!, bob!);
});

Deno.test("a member whom the relay kept a commit from comes back when it speaks, and does not shout in vain", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  relay.meddle = (frame, to) => to === bob ? undefined : frame;
  for (let i = 0; i < 3; i++) {
    await alice!.machine.handle({ kind: "renew" });
    await relay.settle();
  }
  relay.meddle = (frame) => frame;
  await bob!.say("am I still here?");
  await relay.advance(15);
  assertAgreed(alice!, bob!);
  assert.deepEqual(alice!.texts, ["bob: am I still here?"]);
});

Deno.test("a member who is in another epoch of the same number notices it by what it cannot read", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  // A restart from which alice is kept away: bob and carol go on from before her last commit.
  relay.meddle = (frame, to) => to === alice ? frame : undefined;
  await alice!.machine.handle({ kind: "renew" });
  await relay.settle();
  relay.meddle = (frame) => frame;
  await relay.restart();
  await bob!.online();
  await carol!.online();
  await relay.advance(2);
  await alice!.online();
  await bob!.say("do you read me?");
  // Of two parts of one each, chance decides who comes over; of one and two, the one.
  await carol!.say("nor me?");
  await relay.advance(15);
  assertAgreed(alice!, bob!, carol!);
  await carol!.say("now you do");
  assert.equal(alice!.texts.at(-1), "carol: now you do");
});

Deno.test("a file id that another member announces as well is another file, and a second one of its own is none", async () => {
  const { peers: [alice] } = await roomOf("alice");
  const told: SealedRoomEvent[] = [];
  const pulled: string[] = [];
  const state = new MemberState({
    keys: testKeys(),
    name: "dave",
    send: (request) => {
      if (request.kind === "sealed_pull") pulled.push(toHex(request.to));
    },
    tell: (event) => void told.push(event),
    now: () => 0,
    date: () => 0,
  });
  state.moveTo("in");
  const files = new FileExchange(state);
  const [id, key, hash] = [new Uint8Array(16).fill(1), new Uint8Array(32), new Uint8Array(32)];
  const file = {
    kind: "file" as const,
    id,
    name: "a",
    size: 9,
    chunks: sealedChunks(9),
    hash,
    key,
    folder: false,
  };
  const from = (n: number) => ({
    name: `member${n}`,
    handle: `${n}`.repeat(32),
    leaf: n,
    signatureKey: new Uint8Array(32).fill(n),
  });
  for (const n of [1, 2, 1]) files.heard(from(n), file, 0);
  assert.deepEqual(told.map(({ kind }) => kind), ["file", "file"]);
  assert.deepEqual(pulled, [], "nobody has accepted");
  const client = state.people.numberOf("2".repeat(32));
  files.pull({ kind: "pull", client, file: toHex(id), index: 0, count: 1 });
  assert.deepEqual(pulled, ["2".repeat(32)]);
  for (const n of [1, 2]) files.heard(from(n), file, 0);
  assert.equal(told.length, 2);
  await files.receipt({ kind: "receipt", client, file: toHex(id), state: "refused" });
  for (const n of [1, 2]) files.heard(from(n), file, 0);
  assert.equal(told.length, 3, "what was refused can be offered again");
  assert.equal(alice!.told("file").length, 0);
});

Deno.test("a member is given a whole file four times, and nobody who is not in the group gets any of it", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await offer(relay, alice!, new Uint8Array(1_000).fill(7));
  const given = () => alice!.told("pull").length;
  const pulls = pullsOver(relay);
  await pull(relay, bob!, [0, 1]);
  alice!.events.length = 0;
  const again = (from: Uint8Array) => alice!.machine.receive({ ...pulls[0]!, from });
  for (let n = 0; n < 100; n++) {
    await again(bob!.handleBytes);
    // What is asked for and lost with a connection costs nothing: what is given counts.
    await again(bob!.handleBytes);
    const { client } = alice!.told("pull").at(-1)!;
    if (given() < 2 * (n + 1)) break;
    const part = { to: [client], file: "f1", index: 0, data: new Uint8Array(1_000).fill(7) };
    await alice!.machine.handle({ kind: "part", ...part });
  }
  assert.equal(given(), 2 * (4 + 32));
  await again(new Uint8Array(16).fill(9));
  assert.equal(given(), 2 * (4 + 32));
});

Deno.test("a relay that says of a member that it asked for a file, though another did, is not believed and told of", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const [bytes, others] = [new Uint8Array(100).fill(7), new Uint8Array(100).fill(8)];
  await offer(relay, alice!, bytes);
  const pulls = pullsOver(relay);
  await pull(relay, bob!, [0, 1]);
  assert.deepEqual(alice!.told("pull").map(({ name }) => name), ["bob"]);
  const tell = (event: Partial<RelayEvent<"sealed_pull">>) =>
    alice!.machine.receive({ ...pulls.at(-1)!, ...event });
  await tell({ from: carol!.handleBytes });
  const warning =
    "A request for a part of your file has another's signature: it is not answered. " +
    "The server says that carol sent it.";
  assert.deepEqual(alice!.told("note").slice(-1).map(({ text }) => text), [warning]);
  // Nor where both have asked, nor for another file of hers, nor with one bit of it changed by who has the link.
  await pull(relay, carol!, [0, 1]);
  await offer(relay, alice!, others, { file: "f2" });
  const [first] = bob!.told("file");
  const ofSecond = toHex(new Uint8Array(Buffer.from(bob!.told("file")[1]!.file.id, "hex")));
  const before = alice!.told("pull").length;
  await tell({ from: bob!.handleBytes });
  const content = openEnvelope(testKeys(), "direct", pulls[0]!.body);
  const otherFile = concatBytes([Buffer.from(ofSecond, "hex"), content.subarray(16)]);
  const changed = content.slice();
  changed[83] = (changed[83] as number) ^ 1;
  for (const each of [otherFile, changed, content.subarray(0, 20)]) {
    await tell({ from: bob!.handleBytes, body: sealEnvelope(testKeys(), "direct", each) });
  }
  assert.equal(alice!.told("pull").length, before);
  // Its own request counts, as often as it comes.
  assert.equal(toHex(content.subarray(0, 16)), first?.file.id);
  await tell({ from: bob!.handleBytes, body: pulls[0]!.body });
  assert.deepEqual(alice!.told("pull").at(-1)?.name, "bob");
});
