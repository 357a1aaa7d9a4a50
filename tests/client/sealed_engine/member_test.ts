// Members of a sealed room with a relay between them, as stories: what each of them is shown.

import { toHex } from "#platform/bytes.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { concatBytes } from "../../../shared/base/bytes.ts";
import type { SealedRoomId } from "../../../shared/messages/ids.ts";
import { sealEnvelope } from "../../../client/mls/envelope.ts";
import type { SealedRoomEvent } from "../../../client/sealed_engine/engine_protocol.ts";
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
  assert.match(dangers(bob).join(), /not of it/);
  assert.equal(bob.machine.status.phase, "entering");
  relay.meddleInfo = (body) => body;
  await relay.advance(5);
  assert.equal(bob.machine.status.phase, "in");
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

/** Hands a file to the machine as the chat does. */
async function offer(relay: TestRelay, peer: Peer, bytes: Uint8Array, file = "f1"): Promise<void> {
  const chunks = Math.ceil(bytes.length / 32_768);
  const { machine } = peer;
  await machine.handle({
    kind: "offer",
    request: 1,
    file,
    name: "a.bin",
    size: bytes.length,
    chunks,
  });
  for (let index = 0; index < chunks; index++) {
    const data = bytes.slice(index * 32_768, (index + 1) * 32_768);
    await machine.handle({ kind: "chunk", file, index, data, last: index === chunks - 1 });
  }
  await relay.settle();
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

Deno.test("a file reaches everybody, in the chunks of the chat, whatever its size", async () => {
  for (const size of [1, 32_768, 32_769, 65_536, 65_537, 1_000_000]) {
    const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
    const bytes = new Uint8Array(size).map((_, i) => i * 7);
    await offer(relay, alice!, bytes);
    for (const peer of [bob!, carol!]) {
      const [file] = peer.told("file");
      assert.deepEqual([file?.name, file?.file.name, file?.file.size], ["alice", "a.bin", size]);
      assert.equal(file?.file.chunks, Math.ceil(size / 32_768));
      assert.deepEqual(received(peer), bytes);
    }
    const [own] = alice!.told("file");
    assert.deepEqual([own?.request, own?.file.id, alice!.told("chunk").length], [1, "f1", 0]);
    const whole = alice!.told("served").filter(({ complete }) => complete);
    assert.deepEqual(whole.map(({ file }) => file), ["f1", "f1"]);
  }
});

Deno.test("a file over a link that breaks goes on where it was", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const bytes = new Uint8Array(2_000_000).map((_, i) => i * 11);
  const take = relay.take.bind(relay);
  let chunks = 0;
  relay.take = (peer, request) => {
    if (request.kind === "sealed_chunk" && ++chunks > 12) return;
    take(peer, request);
  };
  await offer(relay, alice!, bytes);
  assert.ok(bob!.told("chunk").length < 40);
  await bob!.offline();
  relay.take = take;
  await bob!.online();
  await relay.advance(10);
  assert.deepEqual(received(bob!), bytes);
});

Deno.test("a sender that is away for minutes ends no file, and is asked again as soon as it is back", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const bytes = new Uint8Array(1_000_000).map((_, i) => i * 13);
  const take = relay.take.bind(relay);
  const sealed: Uint8Array[] = [];
  relay.take = (peer, request) => {
    if (request.kind === "sealed_chunk") sealed.push(request.body);
    if (request.kind !== "sealed_chunk" || sealed.length < 4) take(peer, request);
  };
  await offer(relay, alice!, bytes);
  const before = sealed.splice(0);
  // Twice, shorter than a session is held: together longer than a file may be silent.
  await alice!.offline();
  await relay.advance(40);
  await alice!.online();
  await alice!.offline();
  relay.take = (peer, request) => {
    if (request.kind === "sealed_chunk") sealed.push(request.body);
    take(peer, request);
  };
  await relay.advance(40);
  await alice!.online();
  await relay.advance(2);
  assert.ok(Buffer.from(received(bob!)).equals(bytes));
  // What was sealed a second time is the same to the byte: one nonce, one text.
  const again = sealed.filter((body) => before.some((first) => sameStart(first, body)));
  assert.ok(again.length > 0);
  for (const body of again) {
    assert.deepEqual(body, before.find((first) => sameStart(first, body)));
  }
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
  await offer(relay, alice!, new Uint8Array(300_000));
  assert.match(dangers(bob!).join(), /changed on its way/);
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
  assert.match(alice!.told("declined")[0]?.why ?? "", /not in the room any more/);
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
  declines = 2;
  await offer(relay, alice!, new Uint8Array(10));
  assert.deepEqual(bob!.told("file"), []);
  await relay.advance(3);
  assert.equal(bob!.told("file").length, 1);
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
  assert.match(bob!.told("note").map(({ text }) => text).join(), /while you were away is gone/);
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
  };
  const from = (n: number) => ({
    name: `member${n}`,
    handle: `${n}`.repeat(32),
    leaf: n,
    signatureKey: new Uint8Array(32).fill(n),
  });
  for (const n of [1, 2, 1]) files.heard(from(n), file, 0);
  assert.deepEqual(told.map(({ kind }) => kind), ["file", "file"]);
  assert.deepEqual(pulled, ["1".repeat(32), "2".repeat(32)]);
  files.drop({ client: state.people.numberOf("2".repeat(32)), file: toHex(id) });
  files.heard(from(2), file, 0);
  assert.equal(
    pulled.length,
    3,
    "what was dropped can be announced again, bob's own is still coming",
  );
  assert.equal(alice!.told("file").length, 0);
});

Deno.test("a member is given a whole file four times, and nobody who is not in the group gets any of it", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await offer(relay, alice!, new Uint8Array(1_000).fill(7));
  const given = () => alice!.told("served").length;
  const before = given();
  const { file } = bob!.told("file")[0]!;
  const id = new Uint8Array(Buffer.from(file.id, "hex"));
  const body = sealEnvelope(testKeys(), "direct", concatBytes([id, new Uint8Array(4)]));
  const pull = (from: Uint8Array) =>
    alice!.machine.receive({ kind: "sealed_pull", room: 1 as SealedRoomId, from, chunks: 1, body });
  for (let n = 0; n < 100; n++) await pull(bob!.handleBytes);
  assert.equal(given() - before, 4 + 32 - 1);
  await pull(new Uint8Array(16).fill(9));
  assert.equal(given() - before, 4 + 32 - 1);
});
