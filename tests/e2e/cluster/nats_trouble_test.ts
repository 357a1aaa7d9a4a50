// What goes wrong with NATS: it is not there, refuses the login, freezes, lacks rights or room, or is somebody else's.

import assert from "node:assert/strict";
import { connect } from "@nats-io/transport-node";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { pagesOf } from "../../helpers/programs/admin.ts";
import {
  type RunningServer,
  runServer,
  startServer,
} from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { type NatsCluster, startNats } from "../../helpers/system/nats.ts";

const test = skipWithout("nats-server");
const KEY = { CMDCHAT_CLUSTER_KEY: "A".repeat(43) };
const RIGHT = "right-password";
const CREDENTIALS = { ...KEY, CMDCHAT_NATS_USER: "chat", CMDCHAT_NATS_PASSWORD: RIGHT };

/** A nats-server whose configuration a test writes. */
function startConfigured(config: string): Promise<NatsCluster> {
  return startNats(1, ["--no_advertise"], [], config);
}

const login = (password: string, permissions = "") =>
  `authorization { users = [{ user: chat, password: "${password}"${permissions} }] }`;

interface ServerOptions {
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
}

function startOn(
  nats: Pick<NatsCluster, "urls">,
  { env = KEY, args = [] }: ServerOptions = {},
): Promise<RunningServer> {
  return startServer({ args: ["--nats", nats.urls, "--admin-listen", "0", ...args], env });
}

async function isReady(pages: string): Promise<boolean> {
  const response = await fetch(`http://${pages}/ready`);
  await response.body?.cancel();
  return response.ok;
}

async function becomes(wanted: boolean, pages: string): Promise<void> {
  const end = performance.now() + 30_000;
  while (await isReady(pages) !== wanted) {
    assert.ok(performance.now() < end, `/ready never became ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the server says as it refuses to start; it must end by itself. */
async function refusalOn(urls: string, { env = KEY, args = [] }: ServerOptions = {}) {
  const { code, stderr } = await runServer({ args: ["--nats", urls, ...args], env });
  assert.equal(code, 3, stderr);
  return stderr;
}

test("NATS that refuses the login for a while: the log says why, members are told, and all goes on afterwards", async () => {
  await using nats = await startConfigured(login(RIGHT));
  await using identity = await makeIdentity();
  const args = ["--identity-file", identity.path];
  await using one = await startOn(nats, { env: CREDENTIALS, args });
  await using two = await startOn(nats, { env: CREDENTIALS, args });
  const pages = await pagesOf(one);
  await two.logged(/another server was found/);
  await using ann = await V2Peer.join({ port: one.port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: two.port, hello: { name: "bob" } });
  await ann.until("joined", ({ name }) => name === "bob");
  const [node] = nats.nodes;
  await node?.kill();
  await nats.configure(login("another-password"));
  await node?.start();
  await one.logged(/NATS refused an operation kind="authorization".*authorization violation/);
  await ann.until("notice", ({ text }) => /cannot be reached/.test(text));
  await becomes(false, pages);
  // Two refused logins are where the library gives up by itself.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await ann.say("said meanwhile");
  await node?.kill();
  await nats.configure(login(RIGHT));
  await node?.start();
  await ann.until("notice", ({ text }) => /reached again/.test(text));
  await bob.until("chat", ({ text }) => text === "said meanwhile");
  await ann.until("chat", ({ text }) => text === "said meanwhile");
  await becomes(true, pages);
  assert.ok(!one.log.includes(RIGHT) && !one.log.includes("another-password"));
});

test("a server whose login NATS refuses at the start waits, and says why", async () => {
  await using nats = await startConfigured(login("another-password"));
  const [node] = nats.nodes;
  let attempts = 0;
  await using wire = new FaultyNetwork(
    Number(new URL(nats.urls).port),
    () => void attempts++,
  );
  const urls = `nats://127.0.0.1:${wire.port}`;
  const starting = startOn({ urls }, { env: CREDENTIALS });
  // The library tries at most twice before it says so.
  while (attempts < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  await node?.kill();
  await nats.configure(login(RIGHT));
  await node?.start();
  await using server = await starting;
  await server.logged(/waiting for NATS reason="'?authorization violation/);
  assert.ok(!server.log.includes(RIGHT));
});

test("a server whose NATS is not there yet waits for it", async () => {
  await using nats = await startNats(1);
  const [node] = nats.nodes;
  await node?.kill();
  const witness = Deno.listen({ hostname: "127.0.0.1", port: Number(new URL(nats.urls).port) });
  const starting = startOn(nats);
  (await witness.accept()).close();
  witness.close();
  await node?.start();
  await using server = await starting;
  await server.logged(/waiting for NATS reason=/);
  await using _ann = await V2Peer.join({ port: server.port });
});

test("a NATS that freezes: not ready within seconds, members are told, and it goes on where it stopped", async () => {
  await using nats = await startNats(1);
  await using server = await startOn(nats);
  const pages = await pagesOf(server);
  await using ann = await V2Peer.join({ port: server.port });
  const [node] = nats.nodes;
  const start = performance.now();
  node?.signal("SIGSTOP");
  await becomes(false, pages);
  assert.ok(performance.now() - start < 12_000);
  await ann.until("notice", ({ text }) => /cannot be reached/.test(text));
  await ann.say("while it is frozen");
  node?.signal("SIGCONT");
  await ann.until("chat", ({ text }) => text === "while it is frozen");
  await becomes(true, pages);
});

test("newcomers during an outage are told the truth, hold no place as ghosts, and get in afterwards", async () => {
  await using nats = await startNats(1);
  await using server = await startOn(nats, { args: ["--max-connections", "4"] });
  const { port } = server;
  const pages = await pagesOf(server);
  await using ann = await V2Peer.join({ port, hello: { name: "ann" } });
  const [node] = nats.nodes;
  await node?.kill();
  await ann.until("notice", ({ text }) => /cannot be reached/.test(text));
  for (let n = 0; n < 8; n++) {
    await using late = await V2Peer.connect({ port, hello: { name: `late${n}` } });
    assert.equal((await late.until("refused")).reason, "unavailable");
  }
  await assert.rejects(V1Peer.join({ port }), /unavailable/);
  await node?.start();
  await becomes(true, pages);
  await using bob = await V2Peer.join({ port, hello: { name: "bob" } });
  const { list } = await bob.until("members");
  assert.deepEqual(list.map(([, name]) => name), ["ann", "bob"]);
});

test("a server that is cut off from NATS for longer than --hold rejoins, and nothing it took is lost", async () => {
  await using nats = await startNats(1, ["--no_advertise"]);
  await using identity = await makeIdentity();
  await using wire = new FaultyNetwork(Number(new URL(nats.urls).port), () => undefined);
  const { target } = wire;
  const args = ["--identity-file", identity.path, "--hold", "2", "--rate-limit", "off"];
  await using one = await startOn({ urls: `nats://127.0.0.1:${wire.port}` }, { args });
  await using two = await startOn(nats, { args });
  await two.logged(/another server was found/);
  await using ann = await V2Peer.join({ port: one.port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: two.port, hello: { name: "bob" } });
  await ann.until("joined", ({ name }) => name === "bob");
  // Nothing listens there.
  wire.target = 1;
  wire.cutAll();
  await ann.until("notice", ({ text }) => /what you send waits/.test(text));
  const texts = ["one", "two", "three", "four", "five"];
  for (const text of texts) await ann.say(text);
  await bob.until("left", ({ name }) => name === "ann");
  await bob.say("is she gone?");
  wire.target = target;
  for (const text of texts) {
    await bob.until("chat", (chat) => chat.text === text);
    await ann.until("chat", (chat) => chat.text === text);
  }
  await ann.until("chat", ({ text }) => text === "is she gone?");
  await bob.until("joined", ({ name }) => name === "ann");
  await ann.say("still here");
  await bob.until("chat", ({ text }) => text === "still here");
  assert.ok(!ann.events.some(({ kind }) => kind === "declined"));
});

test("rights that NATS takes away while servers run: not ready, with the reason, and all goes on once they are back", async () => {
  await using nats = await startConfigured(login(RIGHT));
  await using identity = await makeIdentity();
  const args = ["--identity-file", identity.path];
  await using one = await startOn(nats, { env: CREDENTIALS, args });
  await using two = await startOn(nats, { env: CREDENTIALS, args });
  const pages = await pagesOf(one);
  await two.logged(/another server was found/);
  await using ann = await V2Peer.join({ port: one.port, hello: { name: "ann" } });
  await using bob = await V2Peer.join({ port: two.port, hello: { name: "bob" } });
  await ann.until("joined", ({ name }) => name === "bob");
  const [node] = nats.nodes;
  await node?.kill();
  await nats.configure(login(RIGHT, ', permissions: { subscribe: { deny: "cmdchat.>" } }'));
  await node?.start();
  await becomes(false, pages);
  await one.logged(/NATS still cannot be used reason=".*may not subscribe to/);
  await ann.say("without rights");
  await node?.kill();
  await nats.configure(login(RIGHT));
  await node?.start();
  await becomes(true, pages);
  await bob.until("chat", ({ text }) => text === "without rights");
  await bob.say("and back");
  await ann.until("chat", ({ text }) => text === "and back");
});

test("tls:// sends nothing to a NATS without TLS", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: string[] = [];
  (async () => {
    for await (const conn of listener) {
      const info = { server_id: "x", version: "2.9.10", proto: 1, max_payload: 1_048_576 };
      await conn.write(new TextEncoder().encode(`INFO ${JSON.stringify(info)}\r\n`));
      const buffer = new Uint8Array(4_096);
      const count = await conn.read(buffer).catch(() => null) ?? 0;
      received.push(new TextDecoder().decode(buffer.subarray(0, count)));
      conn.close();
    }
  })().catch(() => {});
  const { port } = listener.addr;
  const stderr = await refusalOn(`tls://127.0.0.1:${port}`, { env: CREDENTIALS });
  assert.match(stderr, /Cannot use NATS: server does not support 'tls'\nhint: tls:\/\/ needs/);
  assert.equal(received.join(""), "");
});

test("what waiting does not heal is refused at the start, by name", async () => {
  const rows: readonly (readonly [config: string, pattern: RegExp])[] = [
    ["max_payload: 2048", /its max_payload is 2048 bytes, at least 524288 are needed/],
    [
      login(RIGHT, ', permissions: { publish: { deny: "cmdchat.>" } }'),
      /may not publish to "cmdchat\.live\./,
    ],
    [
      login(RIGHT, ', permissions: { subscribe: { deny: "cmdchat.>" } }'),
      /may not subscribe to "cmdchat\./,
    ],
    [
      login(RIGHT, ', permissions: { publish: { deny: "$JS.API.>" } }'),
      /may not publish to "\$JS\.API\.INFO"/,
    ],
  ];
  for (const [config, pattern] of rows) {
    await using nats = await startConfigured(config);
    assert.match(await refusalOn(nats.urls, { env: CREDENTIALS }), pattern);
  }
});

test("a stream that somebody else made is refused with what differs", async () => {
  await using nats = await startNats(1);
  const connection = await connect({ servers: nats.urls });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: "MINE",
    subjects: ["cmdchat.>"],
    storage: StorageType.File,
    max_age: 60_000_000_000,
  });
  const stderr = await refusalOn(nats.urls);
  assert.match(
    stderr,
    /Cannot use the NATS stream "MINE": it keeps rooms in files, not in memory; /,
  );
  assert.match(stderr, /its subjects are "cmdchat\.>"; .*it drops entries by age/);
  await manager.streams.delete("MINE");
  await using server = await startOn(nats);
  await using _ann = await V2Peer.join({ port: server.port });
  const other = await refusalOn(nats.urls, { args: ["--nats-replicas", "3"] });
  assert.match(other, /it keeps 1 copies, and --nats-replicas is 3/);
  await connection.close();
});

test("empty variables count as not set", async () => {
  await using nats = await startNats(1);
  const names = ["USER", "PASSWORD", "TOKEN", "NKEY", "CA", "CERTFILE", "KEYFILE"];
  const empty = Object.fromEntries(names.map((name) => [`CMDCHAT_NATS_${name}`, ""]));
  await using server = await startOn(nats, { env: { ...KEY, ...empty, CMDCHAT_ADMIN_TOKEN: "" } });
  await using _ann = await V2Peer.join({ port: server.port });
});
