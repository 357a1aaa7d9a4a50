// A NATS node that keeps its connections and does not answer.

import assert from "node:assert/strict";
import { NatsClient } from "../../../server/nats/nats_connection.ts";
import { STREAM_BYTES } from "../../../server/nats/nats_options.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { startNats } from "../../helpers/system/nats.ts";

const test = skipWithout("nats-server");
const OPTIONS = {
  user: undefined,
  password: undefined,
  token: undefined,
  nkey: undefined,
  tls: undefined,
  replicas: 1,
  streamBytes: STREAM_BYTES,
};
// Two probes of 2 s each go unanswered, at most 2 s after the node fell silent.
const SOON_MS = 20_000;

/** Moves the monotonic clock ahead, as it looks to a process that was stopped, until disposed. */
function clockAhead(ms: number): Disposable {
  const { now } = performance;
  performance.now = () => now.call(performance) + ms;
  return { [Symbol.dispose]: () => void (performance.now = now) };
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = Date.now() + SOON_MS;
  while (!isSo()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a node that has not answered for 15 s is left for another; one that was not asked is kept", async () => {
  // The library tries them in any order: which one took the connection shows in what it takes.
  const [small, large] = ["max_payload: 2MB", "max_payload: 4MB"] as const;
  await using a = await startNats(1, [], [], small);
  await using b = await startNats(1, [], [], large);
  const reasons: string[] = [];
  const client = await NatsClient.open({ ...OPTIONS, servers: `${a.urls},${b.urls}` }, {
    onState: (isUp, reason) => void (isUp || reasons.push(reason)),
    onTrouble: (reason) => void reasons.push(reason),
    onReconnected() {},
    onNewStream() {},
    onRefused() {},
    onWaiting() {},
  });
  try {
    const { maxPayload } = client;
    const [node, config] = maxPayload === 2 * 1_024 ** 2 ? [a, small] : [b, large];
    {
      using _ahead = clockAhead(15_000);
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      assert.equal(reasons.length, 0, "it answers: this process was away itself");
    }
    // It keeps its connections, answers pings, and says nothing to a request of JetStream.
    await node.configure(`${config}\njetstream: false`);
    await until(() => !client.status.isUp, "the silence is noticed");
    assert.equal(client.status.reconnects, 0, "an election takes as long");
    using _ahead = clockAhead(15_000);
    await until(() => client.status.isUp, "another node answers");
    assert.notEqual(client.maxPayload, maxPayload);
    assert.equal(client.status.reconnects, 1);
    assert.ok(reasons.includes("JetStream does not answer"), reasons.join("\n"));
  } finally {
    await client.close();
  }
});
