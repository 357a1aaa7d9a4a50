// `send --lines` over a link that breaks: `tail -F log | cmdchat-client send --lines` for days.

import assert from "node:assert/strict";
import { startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { type Fault, FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const home = temporaryHome();

/** The first connections break, some in the middle of a record, each direction in its turn. */
const FAULTS: readonly Fault[] = [
  { kind: "kill", after: "up", bytes: 6_000 },
  { kind: "kill", after: "down", bytes: 9_003 },
  { kind: "kill", after: "up", bytes: 7_777 },
];

Deno.test("send --lines over a link that breaks: every line arrives once, in order, and the code is 0", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  const faults = [...FAULTS];
  await using network = new FaultyNetwork(server.port, () => faults.shift());
  await using bob = await V2Peer.join({ port: server.port, hello: { name: "bob" } });
  await using client = startClient(home, {
    args: ["send", "--lines", "--json", "--port", String(network.port)],
  });
  const lines = Array.from({ length: 400 }, (_, n) => `${n} ${"some words of a log ".repeat(3)}`);
  await client.type(lines.join("\n"));
  await client.endInput();
  assert.equal(await client.end(), 0, client.stderr);
  assert.equal(network.damage.kills, FAULTS.length);
  assert.match(client.stderr, /trying again[\s\S]*Connected again/);
  const results = client.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(results.map(({ ok, text }) => [ok, text]), lines.map((line) => [true, line]));
  await bob.until("chat", ({ text }) => text === lines.at(-1));
  assert.deepEqual(bob.texts, lines);
});
