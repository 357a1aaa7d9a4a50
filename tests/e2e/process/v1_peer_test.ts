// What a v1 client meets at our server: each test is a short story against the real process.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { startServer } from "../../helpers/programs/server_process.ts";
import {
  frameOf,
  handshakeOf,
  type Payload,
  RawPeer,
  V1Peer,
} from "../../helpers/peers/v1_peer.ts";

const CHUNK_BYTES = 32_768;

const server = await startServer({ args: ["--rate-limit", "off", "--max-per-address", "off"] });
const { port } = server;
// Killed with this process's end: the tests of this file share it, each in rooms of its own.
globalThis.addEventListener("unload", () => Deno.kill(server.pid, "SIGKILL"));

function story(name: string, tell: (room: string) => Promise<void>): void {
  Deno.test({ name, fn: () => tell(`r-${randomUUID().slice(0, 8)}`), sanitizeResources: false });
}

function sha256(bytes: Uint8Array): Promise<string> {
  return crypto.subtle.digest("SHA-256", new Uint8Array(bytes))
    .then((digest) => new Uint8Array(digest).toHex());
}

function chunksOf(bytes: Uint8Array, file_id: string): Payload[] {
  const total = Math.ceil(bytes.length / CHUNK_BYTES);
  return Array.from({ length: total }, (_, chunk_index) => ({
    type: "file_chunk",
    file_id,
    chunk_index,
    chunk_data: bytes.subarray(chunk_index * CHUNK_BYTES, (chunk_index + 1) * CHUNK_BYTES)
      .toBase64(),
    is_final: chunk_index === total - 1,
  }));
}

function offerOf(bytes: Uint8Array, file_id: string): Payload {
  const total_chunks = Math.ceil(bytes.length / CHUNK_BYTES);
  return { type: "file_init", file_id, filename: "a.bin", filesize: bytes.length, total_chunks };
}

story(
  "two people talk: both see each message once, with sender, time and sequence",
  async (room) => {
    await using alice = await V1Peer.join({ port, room, name: "alice" });
    await using bob = await V1Peer.join({ port, room, name: "bob" });
    await alice.chat("hello");
    await bob.chat("hi there");
    for (const peer of [alice, bob]) {
      const first = await peer.hears("hello");
      const second = await peer.hears("hi there");
      assert.equal(first["sender"], "alice");
      assert.equal(first["client_id"], alice.welcome["client_id"]);
      assert.equal(first["room"], room);
      assert.match(String(first["timestamp"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.deepEqual([first["sequence"], second["sequence"]], [1, 2]);
    }
    const chats = alice.history.filter(({ type }) => type === "chat");
    assert.equal(chats.length, 2);
  },
);

story("the answer to the handshake has every field that v1 clients read", async (room) => {
  await using peer = await V1Peer.join({ port, room, handshake: { renderer: "minimal" } });
  const { client_id, encrypted_key, ...fields } = peer.welcome;
  assert.ok(Number.isSafeInteger(client_id));
  assert.match(String(encrypted_key), /^[A-Za-z0-9+/]{342}==$/);
  assert.equal(fields["room"], room);
  assert.equal(fields["renderer"], "minimal");
  assert.equal(fields["buffer_size"], 200);
  assert.equal(fields["heartbeat_interval"], 15);
  assert.equal(fields["nonce_size"], 12);
});

story("joining and leaving are told to the others", async (room) => {
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  const bob = await V1Peer.join({ port, room, name: "bob" });
  await alice.system(/^bob joined/);
  await bob[Symbol.asyncDispose]();
  await alice.system(/^bob left/);
});

story("a rename is told to all, and the next message has the new name", async (room) => {
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  await using bob = await V1Peer.join({ port, room, name: "bob" });
  await alice.send({ type: "rename", name: "Alice Smith" });
  await bob.system(/^alice is now known as Alice Smith/);
  await alice.chat("still me");
  assert.equal((await bob.hears("still me"))["sender"], "Alice Smith");
});

for (const taken of ["bob", "BOB", "b0b", "bоb", /* Cyrillic o */ "ｂｏｂ"]) {
  story(`a rename to ${JSON.stringify(taken)} is refused where bob is`, async (room) => {
    await using alice = await V1Peer.join({ port, room, name: "alice" });
    await using bob = await V1Peer.join({ port, room, name: "bob" });
    await alice.send({ type: "rename", name: taken });
    await alice.system(/^Cannot use the name/);
    await alice.chat("unchanged");
    assert.equal((await bob.hears("unchanged"))["sender"], "alice");
  });
}

for (const bad of ["", "x".repeat(33), "a:b", "a\nb", "a\u202eb", "server", "\u200b"]) {
  story(`a rename to ${JSON.stringify(bad)} is refused and changes nothing`, async (room) => {
    await using alice = await V1Peer.join({ port, room, name: "alice" });
    await alice.send({ type: "rename", name: bad });
    await alice.system(/^Cannot use the name/);
    await alice.chat("unchanged");
    assert.equal((await alice.hears("unchanged"))["sender"], "alice");
  });
}

story("who joins with a taken name gets the next suffix and is told", async (room) => {
  await using first = await V1Peer.join({ port, room, name: "sam" });
  await using second = await V1Peer.join({ port, room, name: "Sam" });
  await second.system(/"Sam" is taken.*"Sam-2"/);
  await first.system(/^Sam-2 joined/);
  await second.chat("which?");
  assert.equal((await first.hears("which?"))["sender"], "Sam-2");
});

story("a name is free again when its owner left", async (room) => {
  await using watcher = await V1Peer.join({ port, room, name: "watcher" });
  const first = await V1Peer.join({ port, room, name: "sam" });
  await first[Symbol.asyncDispose]();
  await watcher.system(/^sam left/);
  await using second = await V1Peer.join({ port, room, name: "sam" });
  await second.chat("me");
  assert.equal((await watcher.hears("me"))["sender"], "sam");
});

story("rooms hear nothing of each other and count for themselves", async (room) => {
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  await using other = await V1Peer.join({ port, room: `${room}x`, name: "other" });
  await alice.chat("secret");
  await other.chat("elsewhere");
  assert.equal((await alice.hears("secret"))["sequence"], 1);
  assert.equal((await other.hears("elsewhere"))["sequence"], 1);
  const heard = [...await other.settled(), ...other.history];
  assert.ok(!JSON.stringify(heard).includes("secret"));
  assert.ok(!JSON.stringify(heard).includes("alice"));
});

story("switching rooms: one sees a leave, the other a join, and messages follow", async (room) => {
  const next = `${room}-next`;
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  await using stayed = await V1Peer.join({ port, room, name: "stayed" });
  await using there = await V1Peer.join({ port, room: next, name: "there" });
  await alice.send({ type: "switch_room", room: next.toUpperCase() });
  await stayed.system(/^alice left/);
  await there.system(/^alice joined/);
  await alice.chat("made it");
  assert.equal((await there.hears("made it"))["room"], next);
  assert.ok(!(await stayed.settled()).some(({ message }) => message === "made it"));
});

story("switching to a room where the name is taken gives a suffix and says so", async (room) => {
  const next = `${room}-next`;
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  await using namesake = await V1Peer.join({ port, room: next, name: "alice" });
  await alice.send({ type: "switch_room", room: next });
  await alice.system(/"alice" is taken.*"alice-2"/);
  await namesake.system(/^alice-2 joined/);
});

story("a bad room name is refused and the member stays where it is", async (room) => {
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  for (const bad of ["", "a/b", "x".repeat(33), "\x1b[2J"]) {
    await alice.send({ type: "switch_room", room: bad });
    await alice.system(/^Cannot use the room name/);
  }
  await alice.chat("here");
  assert.equal((await alice.hears("here"))["room"], room);
});

story("a client's system note reaches nobody", async (room) => {
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  await using bob = await V1Peer.join({ port, room, name: "bob" });
  await alice.send({ type: "system", message: "The server says: bob is banned." });
  await alice.chat("after");
  await bob.hears("after");
  for (const peer of [alice, bob]) {
    assert.ok(!JSON.stringify(peer.history).includes("banned"));
  }
});

story("fields that a client adds do not reach the others", async (room) => {
  await using alice = await V1Peer.join({ port, room, name: "alice" });
  await using bob = await V1Peer.join({ port, room, name: "bob" });
  const forged = { sender: "server", client_id: 0, sequence: 99, timestamp: "1970", admin: true };
  await alice.send({ type: "chat", message: "forged", ...forged });
  const heard = await bob.hears("forged");
  assert.equal(heard["sender"], "alice");
  assert.equal(heard["client_id"], alice.welcome["client_id"]);
  assert.equal(heard["sequence"], 1);
  assert.ok(!("admin" in heard));
});

story(
  "a message of 4,096 bytes passes; one byte more is refused with both numbers",
  async (room) => {
    await using alice = await V1Peer.join({ port, room, name: "alice" });
    await using bob = await V1Peer.join({ port, room, name: "bob" });
    const longest = "ä".repeat(2_048);
    await alice.chat(longest);
    await bob.hears(longest);
    await alice.chat(`${longest}!`);
    await alice.system(/4,?097\b.*4,?096\b/);
    await alice.chat("next");
    await bob.hears("next");
    assert.equal(bob.history.filter(({ type }) => type === "chat").length, 2);
  },
);

story(
  "a file goes through whole, to everyone but its sender, whose offer comes back",
  async (room) => {
    const bytes = new Uint8Array(randomBytes(3 * CHUNK_BYTES + 1_234));
    await using alice = await V1Peer.join({ port, room, name: "alice" });
    await using bob = await V1Peer.join({ port, room, name: "bob" });
    await alice.send(offerOf(bytes, "f1"));
    for (const chunk of chunksOf(bytes, "f1")) await alice.send(chunk);
    const offer = await bob.next("file_init");
    assert.equal(offer["sender"], "alice");
    assert.equal(offer["filename"], "a.bin");
    await alice.next("file_init");
    const parts: string[] = [];
    for (let index = 0; index < 4; index++) {
      const chunk = await bob.next("file_chunk");
      assert.deepEqual([chunk["chunk_index"], chunk["is_final"]], [index, index === 3]);
      assert.equal(chunk["sender"], "alice");
      parts.push(String(chunk["chunk_data"]));
    }
    const received = parts.flatMap((part) => [...Uint8Array.fromBase64(part)]);
    assert.equal(await sha256(new Uint8Array(received)), await sha256(bytes));
    assert.ok(!(await alice.settled()).some(({ type }) => type === "file_chunk"));
  },
);

const BYTES = new Uint8Array(2 * CHUNK_BYTES + 10);
const [FIRST, SECOND, LAST] = chunksOf(BYTES, "bad") as [Payload, Payload, Payload];
const BAD_CHUNKS: Record<string, readonly Payload[]> = {
  "without an offer": [{ ...FIRST, file_id: "other" }],
  "that skips one": [FIRST, LAST],
  "that comes twice": [FIRST, FIRST],
  "with an index out of range": [{ ...FIRST, chunk_index: 3 }],
  "that is too short": [{ ...FIRST, chunk_data: "AAAA" }],
  "that says final too early": [{ ...FIRST, is_final: true }],
  "that does not say final at the end": [FIRST, SECOND, { ...LAST, is_final: false }],
  "after the end": [FIRST, SECOND, LAST, LAST],
};
for (const [what, chunks] of Object.entries(BAD_CHUNKS)) {
  story(`a chunk ${what} is refused and reaches nobody`, async (room) => {
    await using alice = await V1Peer.join({ port, room, name: "alice" });
    await using bob = await V1Peer.join({ port, room, name: "bob" });
    await alice.send(offerOf(BYTES, "bad"));
    for (const chunk of chunks) await alice.send(chunk);
    await alice.system(/^Cannot send the file/);
    await alice.chat("after");
    await bob.hears("after");
    const passed = bob.history.filter(({ type }) => type === "file_chunk").length;
    assert.equal(passed, chunks.length - 1);
  });
}

const BAD_OFFERS: Record<string, Record<string, unknown>> = {
  "above the limit": { filesize: 10_485_761, total_chunks: 321 },
  "that is empty": { filesize: 0, total_chunks: 0 },
  "whose chunks do not fit its size": { filesize: 100_000, total_chunks: 1_000 },
};
for (const [what, fields] of Object.entries(BAD_OFFERS)) {
  story(`a file ${what} is refused before anyone hears of it`, async (room) => {
    await using alice = await V1Peer.join({ port, room, name: "alice" });
    await using bob = await V1Peer.join({ port, room, name: "bob" });
    await alice.send({ ...offerOf(BYTES, "bad"), ...fields } as Payload);
    await alice.system(/^Cannot send the file/);
    await alice.chat("after");
    await bob.hears("after");
    assert.ok(!bob.history.some(({ type }) => type === "file_init"));
  });
}

/** The one answer that a raw handshake gets. */
async function answerTo(message: unknown): Promise<unknown> {
  await using raw = await RawPeer.connect({ port });
  await raw.write(frameOf(message as object));
  const answer = await raw.json();
  assert.equal(await raw.json(), undefined, "the server closes after a refusal");
  return answer;
}

story("a handshake that is none gets one clear reason and is closed", async () => {
  const good = await handshakeOf();
  const { public_key: _, ...keyless } = good;
  const expected: [unknown, string][] = [
    [{ ...good, type: "hello" }, "expected_handshake"],
    [[], "expected_handshake"],
    ["null", "expected_handshake"],
    ["not json", "bad_handshake"],
    [keyless, "missing_public_key"],
    [{ ...good, public_key: 1 }, "missing_public_key"],
    [{ ...good, public_key: "-----BEGIN PUBLIC KEY-----" }, "invalid_public_key"],
    [{ ...good, name: "a\nb" }, "invalid_name"],
    [{ ...good, room: "../../etc" }, "invalid_room"],
  ];
  for (const [message, reason] of expected) {
    const answer = await answerTo(message) as Record<string, unknown>;
    assert.equal(answer["type"], "handshake_error", JSON.stringify(message).slice(0, 80));
    assert.equal(answer["reason"], reason, JSON.stringify(message).slice(0, 80));
  }
});

story("name, room, token, renderer and buffer size may be left out or null", async () => {
  for (const none of [undefined, null]) {
    const handshake = { name: none, room: none, token: none, renderer: none, buffer_size: none };
    await using peer = await V1Peer.join({ port, handshake });
    assert.equal(peer.welcome["room"], "lobby");
    await peer.system(/^anonymous(-\d+)? joined/);
  }
});

story("a field too many is ignored", async (room) => {
  await using peer = await V1Peer.join({ port, room, handshake: { color: "red", x: [1, {}] } });
  await peer.send({ type: "chat", message: "more", extra: { deep: [1, 2, 3] } });
  await peer.hears("more");
});

const BROKEN: Record<string, (peer: V1Peer) => Uint8Array> = {
  "an unknown type": (peer) => peer.seal({ type: "admin" }),
  "a type of the prototype": (peer) => peer.seal({ type: "__proto__" }),
  "a missing field": (peer) => peer.seal({ type: "chat" }),
  "a wrong type": (peer) => peer.seal({ type: "chat", message: 5 }),
  "no object": (peer) => peer.seal([1]),
  "no JSON": (peer) => peer.sealBytes(new TextEncoder().encode("{")),
  "no UTF-8": (peer) => peer.sealBytes(new Uint8Array([0x22, 0xff, 0x22])),
  "a changed ciphertext": (peer) => {
    const frame = peer.seal({ type: "chat", message: "x" });
    const at = frame.length - 12;
    frame[at] = frame[at] === 65 ? 66 : 65;
    return frame;
  },
  "plain JSON": () => frameOf({ type: "chat", message: "x" }),
  "a frame of no bytes": () => new Uint8Array(4),
  "a frame above 65,536 bytes": () => new Uint8Array([0, 1, 0, 1, 0]),
};
for (const [what, bytes] of Object.entries(BROKEN)) {
  story(`${what} closes the session with one reason, and only that session`, async (room) => {
    await using watcher = await V1Peer.join({ port, room, name: "watcher" });
    await using peer = await V1Peer.join({ port, room, name: "peer" });
    await peer.raw.write(bytes(peer));
    await peer.system(/^Cannot /);
    await peer.closed;
    await watcher.system(/^peer left/);
    await watcher.chat("still here");
    await watcher.hears("still here");
  });
}

story("frames may be cut anywhere: byte by byte and many in one write", async (room) => {
  await using peer = await V1Peer.join({ port, room, name: "peer" });
  for (const byte of peer.seal({ type: "chat", message: "slow" })) {
    await peer.raw.write(new Uint8Array([byte]));
  }
  await peer.hears("slow");
  const frames = Array.from({ length: 50 }, (_, n) => peer.seal({ type: "chat", message: `${n}` }));
  await peer.raw.write(new Uint8Array(frames.flatMap((frame) => [...frame])));
  for (let n = 0; n < 50; n++) await peer.hears(String(n));
});

story("what was written before the answer to the handshake comes after it", async (room) => {
  // The room is loud while people come in: the first thing that each of them reads is still the answer.
  await using loud = await V1Peer.join({ port, room, name: "loud" });
  let shouting = true;
  const shouts = (async () => {
    for (let n = 0; shouting; n++) {
      await loud.chat(`shout ${n}`);
      await loud.hears(`shout ${n}`);
    }
  })();
  const peers = await Promise.all(
    Array.from({ length: 30 }, () => V1Peer.join({ port, room, name: "guest" })),
  );
  shouting = false;
  await shouts;
  for (const peer of peers) {
    await peer.system(/joined the chat/);
    await peer[Symbol.asyncDispose]();
  }
});
