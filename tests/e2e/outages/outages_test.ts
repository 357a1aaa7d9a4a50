// Links that are killed, stalled and cut in the middle of records, hundreds of times; servers that are killed; machines
// that sleep. The client's own chat and sessions, the real server, real sockets.

import type { RequestOutcome } from "../../../client/session/request_ledger.ts";
import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "../../../client/base/clock.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type Fault, FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { fastClock, LiveChat } from "../../helpers/fakes/live_chat.ts";
import { SeededRandom, seedOfRun } from "../../helpers/fakes/random.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const UNLIMITED = ["--rate-limit", "off", "--max-per-address", "off"];
const CUTS = Number(Deno.env.get("CUTS") ?? 400);
const CHATTERS = 8;
// 45 s of silence are 3 s: a link that is stalled for good is noticed while the room still remembers what it missed.
const SPEED = 15;
// 60 s of this machine by the clients' clock, as by the server's: who counts faster gives up what the server still holds.
const HOLD = ["--hold", String(60 * SPEED)];
const FOR_GOOD_MS = 60_000;

/** Bytes from the first one to a few records behind the handshake, which has some 2.2 KB each way. */
function faultFor(random: SeededRandom): Fault {
  const after = random.of(["up", "down"] as const);
  const bytes = random.next() < 0.15
    ? random.between(1, 2_300)
    : random.between(2_300, after === "up" ? 3_500 : 6_000);
  if (random.next() < 0.85) return { kind: "kill", after, bytes };
  const ms = random.next() < 0.1 ? FOR_GOOD_MS : random.between(20, 400);
  return { kind: "stall", after, bytes, ms };
}

/** What each of the chatters said, with what became of it, once the network has done its worst. */
async function talkUntil(
  over: () => boolean,
  chatters: readonly LiveChat[],
  random: SeededRandom,
): Promise<() => Promise<Map<string, RequestOutcome>>> {
  const outcomes = new Map<string, RequestOutcome>();
  const said = await Promise.all(chatters.map(async ({ chat }, n) => {
    const settled: Promise<void>[] = [];
    for (let message = 0; !over();) {
      if (chat.requests.unsent < 20) {
        const text = `${n} ${message++} ${"x".repeat(random.between(0, 300))}`;
        settled.push(chat.say(text).then((outcome) => void outcomes.set(text, outcome)));
      }
      await new Promise((resolve) => setTimeout(resolve, random.between(20, 60)));
    }
    return settled;
  }));
  return () => Promise.all(said.flat()).then(() => outcomes);
}

Deno.test("cuts of every kind lose nothing, repeat nothing and change no order", async () => {
  const random = new SeededRandom(seedOfRun());
  const seed = `seed ${random.seed}`;
  await using server = await startServer({ args: [...UNLIMITED, ...HOLD] });
  let calm = true;
  await using network = new FaultyNetwork(server.port, () => calm ? undefined : faultFor(random));
  const cuts = () => network.damage.kills + network.damage.stalls;
  await using cleanup = new AsyncDisposableStack();
  const [port, clock] = [() => network.port, fastClock(SPEED)];
  const chatters = Array.from(
    { length: CHATTERS },
    (_, n) => cleanup.use(new LiveChat({ name: `chatter ${n}`, port, clock })),
  );
  for (const { chat, until } of chatters) {
    await until(() => chat.room.roster.names.length === CHATTERS, `all in the room (${seed})`);
  }
  calm = false;
  network.cutAll();
  const settled = await talkUntil(() => cuts() >= CUTS, chatters, random);
  calm = true;
  network.cutAll();
  const outcomes = await settled();

  const lost = [...outcomes].filter(([, outcome]) => outcome !== "confirmed");
  assert.deepEqual(lost, [], `nothing is lost while sessions are held (${seed})`);
  for (const chatter of chatters) {
    await chatter.until(() => chatter.heard.length >= outcomes.size, `all messages (${seed})`);
  }
  const order = chatters[0]?.heard.map(({ text }) => String(text));
  for (const [n, { heard, notes }] of chatters.entries()) {
    const about = `chatter ${n}, ${seed}`;
    assert.equal(heard.length, outcomes.size, `each once: ${about}`);
    assert.deepEqual(heard.map(({ sequence }) => sequence), heard.map((_, i) => i + 1), about);
    assert.deepEqual(heard.map(({ text }) => text), order, about);
    const alarms = notes.filter((note) => /left out|is lost|Perhaps| left\./.test(note));
    assert.deepEqual(alarms, [], about);
    const own = order?.map((text) => text.split(" ")).filter(([from]) => from === String(n));
    assert.deepEqual(
      own?.map(([, n]) => Number(n)),
      own?.map((_, i) => i),
      `sender's order: ${about}`,
    );
  }
  const { damage } = network;
  const told = `${JSON.stringify(damage)}, ${seed}`;
  assert.ok(cuts() >= CUTS && damage.stalls > CUTS / 20, told);
  assert.ok(damage.insideRecord > CUTS / 4, `too few cuts inside records: ${told}`);
  assert.ok(damage.inHandshake > CUTS / 20, `too few cuts in handshakes: ${told}`);
  assert.doesNotMatch(server.log, /unexpected fault/, seed);
});

Deno.test("a server killed with -9: senders are told what is perhaps lost, and what waits goes to the next", async () => {
  await using identity = await makeIdentity();
  const args = [...UNLIMITED, "--identity-file", identity.path];
  const first = await startServer({ args });
  await using network = new FaultyNetwork(first.port);
  await using alice = new LiveChat({ name: "alice", port: () => network.port });
  await using bob = new LiveChat({ name: "bob", port: () => network.port });
  alice.read();
  await alice.until(() => alice.chat.room.roster.names.includes("bob"), "bob");
  await alice.console.enter("arrived");
  await bob.until(() => bob.heard.length === 1, "the first message");
  network.swallow();
  await alice.console.enter("swallowed 1", "swallowed 2");
  await first.stop("SIGKILL");
  network.cutAll();
  await alice.until(() => !alice.chat.connected, "the end of the link");
  await alice.console.enter("typed meanwhile");
  assert.match(alice.console.status, /1 unsent · 2 unconfirmed/);

  await using second = await startServer({ args });
  network.target = second.port;
  await alice.until(() => alice.heard.some(({ text }) => text === "typed meanwhile"), "the echo");
  const told = alice.notes.filter((note) => /delivered/.test(note));
  assert.deepEqual(told, [
    'Perhaps not delivered: "swallowed 1"',
    'Perhaps not delivered: "swallowed 2"',
  ]);
  assert.deepEqual(alice.heard.map(({ text }) => text), ["arrived", "typed meanwhile"]);
  assert.doesNotMatch(alice.console.status, /unsent|unconfirmed/);
});

Deno.test("beyond the hold time a sender is told, and the room saw it leave", async () => {
  await using server = await startServer({ args: [...UNLIMITED, "--hold", "1"] });
  await using network = new FaultyNetwork(server.port);
  let reachable = true;
  const port = () => reachable ? network.port : 1;
  await using alice = new LiveChat({ name: "alice", port });
  await using bob = new LiveChat({ name: "bob", port: () => server.port });
  alice.read();
  await alice.until(() => alice.chat.room.roster.names.includes("bob"), "bob");
  network.swallow();
  await alice.console.enter("swallowed");
  reachable = false;
  network.cutAll();
  await bob.until(() => bob.notes.includes("alice lost the connection."), "away");
  await bob.until(() => bob.notes.includes("alice left."), "left");
  await alice.until(
    () => alice.notes.includes('Perhaps not delivered: "swallowed"'),
    "the warning",
  );
  reachable = true;
  await alice.console.enter("anew");
  await bob.until(() => bob.heard.length === 1, "the next message");
  assert.deepEqual(bob.heard.map(({ text }) => text), ["anew"]);
});

Deno.test("a machine that wakes from sleep finds its dead link within seconds, and comes back without a gap", async () => {
  await using server = await startServer({ args: UNLIMITED });
  await using network = new FaultyNetwork(server.port);
  let slept = 0;
  const clock = { ...SYSTEM_CLOCK, date: () => Date.now() + slept };
  await using alice = new LiveChat({ name: "alice", port: () => network.port, clock });
  await using bob = new LiveChat({ name: "bob", port: () => server.port });
  await alice.until(() => alice.chat.room.roster.names.includes("bob"), "bob");
  network.swallow();
  await bob.chat.say("while you slept");
  slept = 3_600_000;
  const woke = performance.now();
  await alice.until(() => alice.heard.length === 1, "what was missed");
  const took = performance.now() - woke;
  assert.ok(took < 8_000, `${took} ms`);
  assert.equal(alice.heard[0]?.["text"], "while you slept");
});

Deno.test("v1 and v2 members see each other, and everybody is told who is on the old protocol, who away", async () => {
  await using server = await startServer({ args: UNLIMITED });
  await using network = new FaultyNetwork(server.port);
  await using alice = new LiveChat({ name: "alice", port: () => server.port });
  await alice.chat.whenConnected();
  let reachable = true;
  await using carol = new LiveChat({ name: "carol", port: () => reachable ? network.port : 1 });
  alice.read();
  await alice.until(() => alice.chat.room.roster.names.includes("carol"), "carol");
  await using old = await V1Peer.join({ port: server.port, name: "old bob" });
  await alice.until(
    () => alice.notes.some((note) => /^"old bob" joined with an old client/.test(note)),
    "bob",
  );
  assert.deepEqual(old.welcome["name"], "old bob");
  await old.system(/In this room: alice, carol, old bob/);
  await alice.console.enter("from the new");
  await old.hears("from the new");
  await old.chat("from the old");
  await alice.until(() => alice.heard.some(({ text }) => text === "from the old"), "bob's words");
  await carol.until(() => carol.heard.length === 2, "both for carol");

  reachable = false;
  network.cutAll();
  await alice.until(() => alice.notes.includes("carol lost the connection."), "away");
  await alice.console.enter("/names");
  await alice.until(
    () =>
      alice.notes.some((note) =>
        /^In "lobby": alice \(made this room\), carol \(connection lost\), "old bob" \(old client\)/
          .test(note)
      ),
    "the list",
  );
  reachable = true;
  await alice.until(() => alice.notes.includes("carol is back."), "back");
});

Deno.test("a file of 10 MB costs at most 2 % more than its size on the wire, there and back", async () => {
  await using server = await startServer({ args: UNLIMITED });
  await using up = new FaultyNetwork(server.port);
  await using down = new FaultyNetwork(server.port);
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-wire-" });
  try {
    await using alice = new LiveChat({ name: "alice", port: () => up.port, folder });
    await using bob = new LiveChat({ name: "bob", port: () => down.port, folder });
    await alice.until(() => alice.chat.room.roster.names.includes("bob"), "bob");
    const size = 10 * 1_048_576;
    const path = `${folder}/ten.bin`;
    const content = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) {
      crypto.getRandomValues(content.subarray(at, at + 65_536));
    }
    await Deno.writeFile(path, content);
    const before = { up: up.bytes.up, down: down.bytes.down };
    await alice.chat.transfers.offerFile(path, alice.chat.room);
    const isSaved = ({ kind, event }: { kind: string; event?: unknown }) =>
      kind === "file" && event === "saved";
    await bob.until(() => bob.lines.some(isSaved), "the file", 30_000);
    const saved = bob.lines.find(isSaved);
    assert.deepEqual(await Deno.readFile(String(saved?.["path"])), content);
    const cost = { up: up.bytes.up - before.up, down: down.bytes.down - before.down };
    for (const bytes of [cost.up, cost.down]) {
      assert.ok(bytes > size && bytes <= 1.02 * size, JSON.stringify(cost));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
