// A NATS node that keeps its connections and does not answer.

import assert from "node:assert/strict";
import { NatsClient } from "../../../server/nats/nats_connection.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { OPEN_NATS, startNats } from "../../helpers/system/nats.ts";

const test = skipWithout("nats-server");
// A try at a node that answers nothing takes 10 s.
const SOON_MS = 45_000;

/** Moves the monotonic clock ahead, as it looks to a process that was stopped, until disposed. */
function clockAhead(ms: number): Disposable {
  const { now } = performance;
  performance.now = () => now.call(performance) + ms;
  return { [Symbol.dispose]: () => void (performance.now = now) };
}

/** It keeps its connections, answers pings, and says nothing to a request of JetStream. */
const withoutJetStream = (config: string) => `${config}\njetstream: false`;

async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = Date.now() + SOON_MS;
  while (!isSo()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Two nodes, and a client of one of them; `other` is the one that it does not use. */
async function openTwo() {
  await using stack = new AsyncDisposableStack();
  // The library tries them in any order: which one took the connection shows in what it takes.
  const [small, large] = ["max_payload: 2MB", "max_payload: 4MB"] as const;
  const a = stack.use(await startNats(1, [], [], small));
  const b = stack.use(await startNats(1, [], [], large));
  const reasons: string[] = [];
  const client = await NatsClient.open({ ...OPEN_NATS, servers: `${a.urls},${b.urls}` }, {
    onState: (isUp, reason) => void (isUp || reasons.push(reason)),
    onTrouble: (reason) => void reasons.push(reason),
    onReconnected() {},
    onNewStream() {},
    onRefused() {},
    onWaiting() {},
  });
  stack.defer(() => client.close());
  const nodes = [{ nats: a, config: small }, { nats: b, config: large }] as const;
  const isFirst = client.maxPayload === 2 * 1_024 ** 2;
  const [used, other] = isFirst ? nodes : [nodes[1], nodes[0]];
  const all = stack.move();
  return { client, reasons, used, other, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("a node that has not answered for 15 s is left for another; one that was not asked is kept", async () => {
  await using scene = await openTwo();
  const { client, reasons, used } = scene;
  const { maxPayload } = client;
  {
    using _ahead = clockAhead(15_000);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(reasons.length, 0, "it answers: this process was away itself");
  }
  await used.nats.configure(withoutJetStream(used.config));
  await until(() => !client.status.isUp, "the silence is noticed");
  assert.equal(client.status.reconnects, 0, "an election takes as long");
  using _ahead = clockAhead(15_000);
  await until(() => client.status.isUp, "another node answers");
  assert.notEqual(client.maxPayload, maxPayload);
  assert.equal(client.status.reconnects, 1);
  assert.ok(reasons.includes("JetStream does not answer"), reasons.join("\n"));
});

test("a node that was left is tried again where the others do not answer either", async () => {
  await using scene = await openTwo();
  const { client, used, other } = scene;
  const { maxPayload } = client;
  for (const { nats, config } of [other, used]) await nats.configure(withoutJetStream(config));
  await until(() => !client.status.isUp, "the silence is noticed");
  using _ahead = clockAhead(15_000);
  await until(() => client.status.reason === "JetStream does not answer", "it is left");
  const [node] = used.nats.nodes;
  await node?.kill();
  await used.nats.configure(used.config);
  await node?.start();
  await until(() => client.status.isUp, "it is found again");
  assert.equal(client.maxPayload, maxPayload);
});

test("a connection is renewed at another node, nobody notices, and not again at once", async () => {
  await using scene = await openTwo();
  const { client, reasons } = scene;
  const { maxPayload } = client;
  const heard: number[] = [];
  using _heard = asDisposable(client.subscribe("cmdchat.word", (body) => heard.push(...body)));
  for (let n = 0; n < 3; n++) client.renew();
  await until(() => client.maxPayload !== maxPayload, "it is renewed");
  client.renew();
  client.publish("cmdchat.word", new Uint8Array([7]));
  await until(() => heard.length > 0, "it listens over the new connection");
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual(heard, [7], "and over that one alone");
  assert.equal(client.status.reconnects, 1);
  assert.deepEqual(reasons, []);
  // Where it is still asked for, once more after a pause.
  using _ahead = clockAhead(6_000);
  client.renew();
  await until(() => client.maxPayload === maxPayload, "it is renewed again");
  assert.deepEqual(reasons, []);
});

test("a connection that is lost while another one is tried is noticed at once, and a closed one is not followed", async () => {
  {
    await using scene = await openTwo();
    const { client, reasons, used, other } = scene;
    // It takes the connection, and answers nothing for 10 s.
    await other.nats.configure(withoutJetStream(other.config));
    client.renew();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await used.nats.nodes[0]?.kill();
    await until(() => client.status.reconnects > 0, "the library finds the other node");
    assert.equal(reasons[0], "no connection");
  }
  await using scene = await openTwo();
  scene.client.renew();
  await scene.client.close();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(scene.client.status.reconnects, 0);
});

function asDisposable({ close }: { close(): void }): Disposable {
  return { [Symbol.dispose]: close };
}
