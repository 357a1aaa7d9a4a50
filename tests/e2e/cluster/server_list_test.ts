// Servers that tell their clients of each other: a client that knows one address goes on at another server when that
// one is gone, never where another identity answers; and who is asked to move does so without a trace.

import type { RequestOutcome } from "../../../client/session/request_ledger.ts";
import assert from "node:assert/strict";
import { dialerTo } from "../../helpers/peers/dialers.ts";
import { LiveChat } from "../../helpers/fakes/live_chat.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type NatsCluster, startNats } from "../../helpers/system/nats.ts";
import { adminAnswer, pagesOf, WITH_TOKEN } from "../../helpers/programs/admin.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const test = skipWithout("nats-server");
const HOST = "127.0.0.1";
const ENV = { CMDCHAT_CLUSTER_KEY: "A".repeat(43), ...WITH_TOKEN };
const OPEN = ["--rate-limit", "off", "--max-per-address", "off"];

function freePort(): number {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  return listener.addr.port;
}

interface Started {
  readonly nats: NatsCluster;
  readonly identity: string;
}

/** A server on a port that it tells of; `named`: that others are told instead. */
function start(
  { nats, identity }: Started,
  { port = freePort(), named = port }: { readonly port?: number; readonly named?: number } = {},
): Promise<RunningServer> {
  return startServer({
    args: [
      ...OPEN,
      "--nats",
      nats.urls,
      "--identity-file",
      identity,
      "--port",
      String(port),
      "--advertise",
      `${HOST}:${named}`,
      "--admin-listen",
      "0",
    ],
    env: ENV,
  });
}

function chatAt(port: number, name: string, secret?: Uint8Array): LiveChat {
  const dialer = dialerTo(port);
  return new LiveChat({
    name,
    ...(secret === undefined ? {} : { secret }),
    dialer: {
      dial: (place, signal) => dialer.dial(place, signal),
      move: (place, request) => dialer.move(place, request),
    },
  });
}

const listOf = (events: V2Peer["events"]) =>
  events.flatMap((event) => event.kind === "servers" ? [event.list] : []);

/** Waits until `server` tells its clients of one at `port`. */
async function toldOf(server: RunningServer, port: number): Promise<void> {
  const hello = { name: "watcher", rooms: [["elsewhere", 0]] as [string, number][] };
  await using watcher = await V2Peer.join({ port: server.port, hello });
  await watcher.until("servers", ({ list }) => list[0]?.[1] === port);
  await watcher.send({ kind: "bye" });
}

/** Two servers of which the clients of the first know the second. */
async function openPair() {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats(1));
  const identity = stack.use(await makeIdentity());
  const scene = { nats, identity: identity.path };
  const a = stack.use(await start(scene));
  const b = stack.use(await start(scene));
  await toldOf(a, b.port);
  const all = stack.move();
  return { a, b, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function says({ chat }: LiveChat, text: string): Promise<RequestOutcome> {
  return within(chat.say(text), `the answer to ${text}`, 20_000);
}

test("clients are told of the other servers, of those that come and of those that go", async () => {
  await using nats = await startNats(1);
  await using identity = await makeIdentity();
  const scene = { nats, identity: identity.path };
  await using a = await start(scene);
  await using peer = await V2Peer.join({ port: a.port, hello: { name: "ann" } });
  assert.deepEqual(listOf(peer.events), [], "one server alone tells nobody anything");
  await using b = await start(scene);
  await peer.until("servers", ({ list }) => list.length === 1);
  assert.deepEqual(listOf(peer.events), [[[HOST, b.port]]]);
  await using late = await V2Peer.join({ port: a.port, hello: { name: "bob" } });
  await late.until("servers", ({ list }) => list[0]?.[1] === b.port);
  // One that takes nobody is no place to go to, and comes back when it does.
  const told = async (count: number, change: Promise<unknown>) => {
    peer.events.length = 0;
    await change;
    await peer.until("servers", ({ list }) => list.length === count);
  };
  await told(0, pagesOf(b).then((pages) => adminAnswer(pages, "drain")));
  await told(1, pagesOf(b).then((pages) => adminAnswer(pages, "drain", "off")));
  await told(0, b.stop());
});

test("a client that knows one server goes on at another when it dies, in the same session", async () => {
  await using pair = await openPair();
  const { a, b } = pair;
  await using ann = chatAt(a.port, "ann");
  await using bob = chatAt(b.port, "bob");
  await ann.until(() => ann.chat.room.roster.names.length === 2, "both");
  await a.logged(/client joined/);
  assert.equal(await says(ann, "before"), "confirmed");
  await a.stop("SIGKILL");
  assert.equal(await says(ann, "after"), "confirmed");
  await bob.until(() => bob.heard.length === 2, "both messages");
  assert.deepEqual(bob.heard.map(({ text }) => text), ["before", "after"]);
  assert.ok(!bob.notes.some((text) => /ann left/.test(text)), bob.notes.join("\n"));
});

test("another identity at the named place is told nothing, and the client comes back to its own server", async () => {
  await using nats = await startNats(1);
  await using identity = await makeIdentity();
  await using another = await makeIdentity();
  await using stranger = await startServer({
    args: [...OPEN, "--identity-file", another.path],
  });
  const scene = { nats, identity: identity.path };
  const port = freePort();
  const a = await start(scene, { port });
  // It sends clients to the stranger: by mistake, or to get at what they say first.
  await using _b = await start(scene, { named: stranger.port });
  await toldOf(a, stranger.port);
  await using ann = chatAt(port, "ann");
  await ann.chat.whenConnected();
  await a.stop("SIGKILL");
  await ann.until(() => ann.notes.some((text) => /trying again/.test(text)), "the outage");
  await stranger.logged(/gone|refused/, 10_000).catch(() => {});
  assert.doesNotMatch(stranger.log, /client joined/);
  await using back = await start(scene, { port });
  assert.equal(await says(ann, "home again"), "confirmed");
  await back.logged(/client joined/);
  assert.ok(!ann.notes.some((text) => /another/i.test(text)), ann.notes.join("\n"));
});

test("who is asked to move goes on elsewhere: nothing lost, doubled, out of order or shown", async () => {
  await using pair = await openPair();
  const { a, b } = pair;
  await using stack = new AsyncDisposableStack();
  const movers = ["ann", "bea", "cas"].map((name) => stack.use(chatAt(a.port, name)));
  const [ann] = movers as [LiveChat];
  await using talker = chatAt(b.port, "dan");
  const chats = [...movers, talker];
  for (const chat of chats) {
    await chat.until(() => chat.chat.room.roster.names.length === 4, "all four");
  }
  const before = chats.map(({ lines }) => lines.length);
  // Somebody talks all the while, in the room and to one who moves.
  let said = 0;
  const talking = new AbortController();
  const talk = (async () => {
    while (!talking.signal.aborted) {
      assert.equal(await says(talker, `n${said}`), "confirmed");
      const to = talker.chat.room.roster.find("ann")?.client as number;
      const direct = { kind: "direct", to, text: `d${said}` } as const;
      assert.equal(
        await within(talker.chat.requests.add(direct), "an answer", 20_000),
        "confirmed",
      );
      said++;
    }
  })();
  await drained(a);
  talking.abort();
  await talk;
  const outcomes = await Promise.all(movers.map((chat, n) => says(chat, `moved ${n}`)));
  assert.deepEqual(outcomes, ["confirmed", "confirmed", "confirmed"]);
  for (const chat of chats) {
    await chat.until(() => chat.heard.filter(({ to }) => !to).length >= said + 3, "all");
    const texts = chat.heard.filter(({ to }) => !to).map(({ text }) => String(text));
    assert.deepEqual(
      texts.filter((text) => text.startsWith("n")),
      Array.from({ length: said }, (_, n) => `n${n}`),
    );
    assert.equal(texts.length, said + 3);
  }
  const directs = ann.lines.filter(({ kind }) => kind === "direct").map(({ text }) => text);
  assert.deepEqual(directs, Array.from({ length: said }, (_, n) => `d${n}`));
  for (const [n, { lines }] of chats.entries()) {
    const others = lines.slice(before[n]).filter(({ kind }) =>
      kind !== "chat" && kind !== "direct"
    );
    assert.deepEqual(others, [], "nothing is shown of it");
  }
});

/** Waits until a server has asked all its clients to go on elsewhere, and they did. */
async function drained(server: RunningServer): Promise<void> {
  const pages = await pagesOf(server);
  const end = performance.now() + 60_000;
  while (!/connected: 0/.test(await adminAnswer(pages, "drain"))) {
    assert.ok(performance.now() < end, "somebody stays");
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

test("members of a sealed room move as others do, from its home and from another server", async () => {
  for (const isFromHome of [true, false]) {
    await using pair = await openPair();
    const { a, b } = pair;
    await using stack = new AsyncDisposableStack();
    const secret = crypto.getRandomValues(new Uint8Array(32));
    // Who is first has the home of the room at its server.
    const first = stack.use(chatAt(isFromHome ? a.port : b.port, "ann", secret));
    await first.until(() => first.chat.room.roster.names.length === 1, "the room");
    const names = ["bea", "cas", "dan"];
    const chats = [first];
    for (const [n, name] of names.entries()) {
      const isMover = isFromHome ? n < 2 : n > 0;
      const chat = stack.use(chatAt(isMover ? a.port : b.port, name, secret));
      chats.push(chat);
      for (const each of chats) {
        await each.until(() => each.chat.room.roster.names.length === n + 2, `${n + 2} members`);
      }
      await chat.until(() => chat.lines.some(({ text }) => /confirms that/.test(`${text}`)), "in");
    }
    const talker = (isFromHome ? chats.at(-1) : first) as LiveChat;
    const before = chats.map(({ lines }) => lines.length);
    let said = 0;
    const talking = new AbortController();
    const talk = (async () => {
      while (!talking.signal.aborted) {
        assert.equal(await says(talker, `n${said}`), "confirmed");
        said++;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    await drained(a);
    talking.abort();
    await talk;
    for (const [n, chat] of chats.entries()) {
      assert.equal(await says(chat, `moved ${n}`), "confirmed");
    }
    for (const chat of chats) {
      await chat.until(() => chat.heard.length >= said + chats.length, "all");
      const texts = chat.heard.map(({ text }) => String(text));
      const talked = Array.from({ length: said }, (_, n) => `n${n}`);
      assert.deepEqual(texts, [...talked, ...chats.map((_, n) => `moved ${n}`)]);
    }
    for (const [n, { lines }] of chats.entries()) {
      const others = lines.slice(before[n]).filter(({ kind }) => kind !== "chat");
      assert.deepEqual(others, [], "nothing is shown of it");
    }
    assert.ok(said > 5, `${said}`);
  }
});
