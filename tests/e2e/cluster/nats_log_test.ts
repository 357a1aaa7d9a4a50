// The shared log over real nats-servers, some of which are killed.

import assert from "node:assert/strict";
import { openNats } from "../../../server/nats/nats_backplane.ts";
import { STREAM_BYTES } from "../../../server/config/limits.ts";
import { SharedLog } from "../../../server/cluster/shared_log.ts";
import { startNats } from "../../helpers/system/nats.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const test = skipWithout("nats-server");
const SUBJECT = "cmdchat.room.test";
const DECODER = new TextDecoder();

interface Writer extends AsyncDisposable {
  readonly words: string[];
  readonly log: SharedLog<string>;
  readonly states: boolean[];
}

async function openWriter(servers: string, replicas: number): Promise<Writer> {
  const states: boolean[] = [];
  const words: string[] = [];
  const none = { user: undefined, password: undefined, token: undefined, nkey: undefined };
  const backplane = await openNats({
    ...none,
    tls: undefined,
    servers,
    replicas,
    streamBytes: STREAM_BYTES,
  }, {
    onState: (isUp) => states.push(isUp),
    onTrouble() {},
    onReconnected() {},
    onRefused() {},
    onWaiting() {},
  });
  const log = new SharedLog<string>({
    backplane,
    subject: SUBJECT,
    machine: {
      write: (proposals, whole) => ({
        taken: proposals.length,
        body: new TextEncoder().encode(JSON.stringify([whole ? [...words] : null, proposals])),
      }),
      apply: ({ body }) => {
        const [before, more] = JSON.parse(DECODER.decode(body));
        if (before !== null) words.splice(0, words.length, ...before);
        words.push(...more);
      },
      refuse: () => [],
      skipped() {},
      lost() {},
      empty: false,
    },
    seal: (body) => body,
    open: (body) => body,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    onFault: (error) => {
      throw error;
    },
  });
  return {
    words,
    log,
    states,
    async [Symbol.asyncDispose]() {
      log.close();
      await backplane.close();
    },
  };
}

async function until(what: () => boolean, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!what() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(what(), "it did not come to that in time");
}

test("three servers write one log over three NATS nodes; a node that dies and comes back costs no word", async () => {
  await using nats = await startNats(3);
  const urls = nats.nodes.map(({ url }) => url);
  await using a = await openWriter(nats.urls, 3);
  await using b = await openWriter([...urls].reverse().join(","), 3);
  await using c = await openWriter(`${urls[1]},${urls[2]},${urls[0]}`, 3);
  const writers = [a, b, c];
  const say = async (round: number) => {
    for (let n = 0; n < 50; n++) {
      writers.forEach(({ log }, w) => log.propose(`${round} ${w} ${n}`));
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const agreed = (count: number) =>
    until(() => writers.every(({ words }) => words.length === count), 40_000);
  await say(0);
  await agreed(150);
  await nats.nodes[0]?.kill();
  await say(1);
  await agreed(300);
  await nats.nodes[0]?.start();
  await nats.nodes[0]?.healthy();
  await nats.nodes[1]?.kill();
  await say(2);
  await agreed(450);
  for (const { words } of writers) {
    assert.deepEqual(words, a.words);
    assert.equal(new Set(words).size, 450);
  }
});

test("NATS that loses all it had in memory: the log begins anew with the state of the servers", async () => {
  await using nats = await startNats(1);
  await using a = await openWriter(nats.urls, 1);
  await using b = await openWriter(nats.urls, 1);
  a.log.propose("before");
  await until(() => b.words.length === 1);
  await nats.nodes[0]?.kill();
  await until(() => a.states.includes(false));
  b.log.propose("meanwhile");
  await nats.nodes[0]?.start();
  a.log.propose("after");
  await until(() => a.words.length === 3 && b.words.length === 3, 30_000);
  assert.deepEqual(a.words, b.words);
  assert.equal(a.states.at(-1), true);
});
