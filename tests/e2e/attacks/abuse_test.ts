// What one bad client can do to the others, as THREAT-MODEL.md lists it: nothing. Against the real process.

import assert from "node:assert/strict";
import { OUTBOX_MAX_BYTES } from "../../../server/config/limits.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { INTRUSIONS } from "../../helpers/hostile/v1_intrusions.ts";
import { gauge, nextMetrics } from "../../helpers/system/metrics_line.ts";
import { startStopwatch } from "../../helpers/system/own_time.ts";
import { killSide, startSide } from "../../helpers/hostile/side_process.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { pause } from "../../bench/load/load.ts";
import { startListening } from "../../bench/processes.ts";
import { skipWithoutProc } from "../../helpers/repo/skip.ts";
import {
  frameOf,
  handshakeOf,
  type Payload,
  RawPeer,
  V1Peer,
} from "../../helpers/peers/v1_peer.ts";

const MIB = 1_048_576;
const OPEN = ["--max-per-address", "off", "--rate-limit", "off"];
// What handshakes get, and what a busy machine may add.
const DEADLINE_MS = 10_000;
const SLACK_MS = 4_000;
// What a message may wait at most while others flood, beside the time that other programs take from both ends.
const FLOOD_WAIT_MS = 2_000;

const testLinux = skipWithoutProc();
const testTls = skipWithoutProc("openssl");

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

/** How long each of the senders' messages takes over the server to the probe, at the same pace for `ms`. */
async function latencies(
  pid: number,
  senders: readonly V1Peer[],
  probe: V1Peer,
  { ms, everyMs, text }: { ms: number; everyMs: number; text: string },
): Promise<number[]> {
  const sent = new Map<string, () => number>();
  const heard: number[] = [];
  const run = crypto.randomUUID();
  const until = performance.now() + ms;
  const sending = (async () => {
    for (let n = 0; performance.now() < until; n++) {
      for (const [index, sender] of senders.entries()) {
        const label = `${run} ${index} ${n} ${text}`;
        sent.set(label, startStopwatch(pid));
        await sender.chat(label);
      }
      await pause(everyMs);
    }
    // Each says its own: what another said before may come later.
    for (const sender of senders) await sender.chat(`end ${run}`);
  })();
  for (let ends = 0; ends < senders.length;) {
    const { message } = await probe.next("chat", 20_000);
    if (message === `end ${run}`) ends++;
    const elapsed = sent.get(String(message));
    if (elapsed !== undefined) heard.push(elapsed());
  }
  await sending;
  assert.equal(heard.length, sent.size, "every message arrived");
  return heard;
}

testLinux(
  "a member that stops reading slows nobody down, costs its outbox and is closed",
  async () => {
    await using server = await startServer({ args: [...OPEN, "--metrics-interval", "1"] });
    const { port, pid } = server;
    await using cleanup = new AsyncDisposableStack();
    const join = async (room: string, name: string, drop: boolean) =>
      cleanup.use(await V1Peer.join({ port, room, name, drop }));
    const senders: V1Peer[] = [];
    for (let n = 0; n < 10; n++) senders.push(await join("main", `sender ${n}`, true));
    const probe = await join("main", "probe", false);
    for (let n = 0; n < 88; n++) await join("main", `member ${n}`, true);
    const load = { ms: 3_000, everyMs: 60, text: "x".repeat(1_000) };
    await latencies(pid, senders, probe, { ...load, ms: 1_000 });
    const before = await latencies(pid, senders, probe, load);

    // Its socket and most of its outbox are filled in a room of two, which is quick; then it comes in.
    const filler = await join("fill", "filler", true);
    const slow = await join("fill", "slow", true);
    slow.hold();
    const memory = server.memory();
    const full = "y".repeat(4_000);
    for (const until = performance.now() + 20_000; performance.now() < until;) {
      if (gauge(server, "outboxBytes") > OUTBOX_MAX_BYTES * 0.6) break;
      for (let n = 0; n < 10; n++) await filler.chat(full);
      await pause(20);
    }
    await slow.send({ type: "switch_room", room: "main" });
    await probe.system(/^slow joined/);
    const after = await latencies(pid, senders, probe, load);
    // Exactly bounded is what waits; around it, the collector takes its time.
    const waiting = [...server.log.matchAll(/outboxBytes=(\d+)/g)].map(([, bytes]) =>
      Number(bytes)
    );
    assert.ok(Math.max(...waiting) <= OUTBOX_MAX_BYTES + MIB);
    assert.ok(server.memory() - memory < OUTBOX_MAX_BYTES + 96 * MIB);

    // A tenth, and what a machine with two cores and other work adds: a room that waits adds seconds.
    for (const [share, noiseMs] of [[0.5, 60], [0.99, 150]] as const) {
      const [then, now] = [percentile(before, share), percentile(after, share)];
      assert.ok(now < 1.1 * then + noiseMs, `p${share * 100}: ${then} ms before, ${now} ms after`);
    }
    await slow.send({ type: "switch_room", room: "fill" });
    await probe.system(/^slow left/);
    await floodUntilClosed(server, filler);
    await nextMetrics(server);
    assert.equal(gauge(server, "slowClosed"), 1);
    assert.ok(gauge(server, "outboxBytes") < MIB);
  },
);

/** Sends 4 KB messages until the server gives a member up, for half a minute at most. */
async function floodUntilClosed(server: RunningServer, sender: V1Peer): Promise<void> {
  const until = performance.now() + 30_000;
  while (!server.log.includes("does not read fast enough") && performance.now() < until) {
    for (let n = 0; n < 20; n++) await sender.chat("z".repeat(4_000));
    await pause(10);
  }
  await server.logged(/ WARNING client does not read fast enough, closed client=\d+/, 1_000);
}

/** Connects `count` clients that never get further than `bytes`, some of them a byte at a time. */
async function halfHandshakes(
  server: RunningServer,
  { count, starts }: { count: number; starts: readonly Uint8Array[] },
): Promise<{ peers: RawPeer[]; stop: () => void }> {
  const peers: RawPeer[] = [];
  for (let n = 0; n < count; n++) {
    const peer = await RawPeer.connect({ port: server.port });
    await peer.write(starts[n % starts.length] as Uint8Array);
    peers.push(peer);
  }
  const drip = setInterval(() => {
    for (let n = 0; n < peers.length; n += 5) {
      peers[n]?.conn.write(new Uint8Array([0])).catch(() => {});
    }
  }, 2_000);
  return { peers, stop: () => clearInterval(drip) };
}

async function endureHalfHandshakes(
  server: RunningServer,
  caCert: string | undefined,
  starts: readonly Uint8Array[],
): Promise<void> {
  // The first client takes what the runtime keeps for good.
  await (await V1Peer.join({ port: server.port, caCert }))[Symbol.asyncDispose]();
  const [handles, memory] = [server.handles(), server.memory()];
  const begin = performance.now();
  const { peers, stop } = await halfHandshakes(server, { count: 500, starts });
  const elapsed = startStopwatch(server.pid);
  const real = await V1Peer.join({ port: server.port, name: "real", caCert });
  assert.ok(elapsed() < 1_000, "a real client gets in within 1 s");
  const took = await Promise.all(peers.map(async (peer) => {
    await peer.rest(DEADLINE_MS + SLACK_MS);
    return performance.now() - begin;
  }));
  stop();
  for (const peer of peers) peer.close();
  assert.ok(Math.max(...took) < DEADLINE_MS + SLACK_MS);
  await real.chat("still here");
  await real.hears("still here");
  await real[Symbol.asyncDispose]();
  for (let n = 0; n < 40 && server.handles() > handles; n++) await pause(100);
  assert.ok(server.handles() <= handles, `handles: ${handles} before, ${server.handles()} after`);
  assert.ok(server.memory() - memory < 48 * MIB, "memory returns");
}

testTls(
  "500 half handshakes and 500 half TLS handshakes are gone by the deadline, and real clients get in meanwhile",
  async () => {
    await using made = await makeCertificate();
    const tls = ["--certfile", made.certFile, "--keyfile", made.keyFile];
    await using plain = await startServer({ args: OPEN });
    await using secured = await startServer({ args: [...OPEN, ...tls] });
    const whole = frameOf(await handshakeOf());
    const starts = [
      new Uint8Array(0),
      new Uint8Array([0, 0]),
      new Uint8Array([0, 0, 255, 255]),
      whole.slice(0, whole.length - 200),
    ];
    const hello = new Uint8Array(200).fill(7);
    hello.set([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
    const startsOfTls = [
      new Uint8Array(0),
      new Uint8Array([0x16, 3]),
      hello.subarray(0, 6),
      hello,
    ];
    // Both at once: each waits for the deadline of 10 s.
    await Promise.all([
      endureHalfHandshakes(plain, undefined, starts),
      endureHalfHandshakes(secured, made.cert, startsOfTls),
    ]);
  },
);

testTls("a TLS client that stops reading is closed, and its socket with it", async () => {
  await using made = await makeCertificate();
  const tls = ["--certfile", made.certFile, "--keyfile", made.keyFile];
  await using server = await startServer({ args: [...OPEN, ...tls] });
  const caCert = made.cert;
  await using loud = await V1Peer.join({ port: server.port, caCert, name: "loud", drop: true });
  const handles = server.handles();
  const slow = await V1Peer.join({ port: server.port, caCert, name: "slow" });
  slow.hold();
  await floodUntilClosed(server, loud);
  for (let n = 0; n < 30 && server.handles() > handles; n++) await pause(100);
  assert.equal(server.handles(), handles);
  slow.close();
  await slow.closed.catch(() => {});
});

for (const kind of ["chat", "pong", "system", "rename", "chunk"]) {
  Deno.test(`four clients that send ${kind} without end do not slow a quiet room down`, async () => {
    await using server = await startServer();
    await using alice = await V1Peer.join({ port: server.port, room: "quiet", name: "alice" });
    // From before the first of them floods: a flood that nothing slows down may be cut before the last one has begun.
    let left = Infinity;
    const flooders = Promise.all(
      Array.from(
        { length: 4 },
        () => startSide("hostile/flooder", `${server.port}`, "flood", kind),
      ),
    ).finally(() => left = 5);
    try {
      const took: number[] = [];
      for (let n = 0; left-- > 0; n++) {
        const elapsed = startStopwatch(server.pid);
        await alice.chat(`${n}`);
        await alice.hears(`${n}`);
        took.push(elapsed());
        // So that the rate limit lets all of them pass.
        await pause(450);
      }
      // Without turns one of them waits until the flood is cut, which is seconds; with them a few ms.
      const [median, worst] = [percentile(took, 0.5), Math.max(...took)];
      assert.ok(median < 100 && worst < FLOOD_WAIT_MS, `median ${median} ms, worst ${worst} ms`);
    } finally {
      await Promise.all((await flooders).map(killSide));
    }
  });
}

Deno.test("a client that is killed leaves its room at once", async () => {
  await using server = await startServer();
  await using watcher = await V1Peer.join({ port: server.port, name: "watcher" });
  const victim = await startSide("programs/member_process", `${server.port}`, "lobby", "victim");
  await watcher.system(/^victim joined/);
  await killSide(victim);
  await watcher.system(/^victim left/, 3_000);
});

Deno.test("fifty clients that send random commands do not hold the event loop", async () => {
  await using server = await startServer({ args: [...OPEN, "--metrics-interval", "1"] });
  await using cleanup = new AsyncDisposableStack();
  const peers: V1Peer[] = [];
  for (let n = 0; n < 50; n++) {
    peers.push(cleanup.use(
      await V1Peer.join({ port: server.port, name: `p${n}`, room: `r${n % 5}`, drop: true }),
    ));
  }
  const watchdog = cleanup.use(
    await V1Peer.join({ port: server.port, name: "watchdog", room: "kennel" }),
  );
  // Reproducible: a small linear generator instead of Math.random().
  let seed = 20_240_613;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const commands: readonly (() => Payload)[] = [
    ...INTRUSIONS.map((payload) => () => payload),
    () => ({ type: "rename", name: `n${random(60)}` }),
    () => ({ type: "switch_room", room: `r${random(8)}` }),
    () => ({ type: "chat", message: "x".repeat(1 + random(4_000)) }),
  ];
  // A mere echo beside it: what this machine and this process add to every answer.
  const echo = cleanup.use(
    await startListening({ path: "tests/bench/references/echo_server.ts" }),
  );
  const mirror = cleanup.use(await RawPeer.connect({ port: echo.port }));
  let busy = true;
  const took: number[] = [];
  const echoes: number[] = [];
  const timed = async (figures: number[], ask: () => Promise<unknown>) => {
    const before = performance.now();
    await ask();
    figures.push(performance.now() - before);
  };
  const watching = (async () => {
    for (let n = 0; busy; n++) {
      await Promise.all([
        timed(took, async () => {
          await watchdog.chat(`${n}`);
          await watchdog.hears(`${n}`);
        }),
        timed(echoes, async () => {
          await mirror.write(frameOf(`${n}`));
          await mirror.frame();
        }),
      ]);
      await pause(20);
    }
  })();
  for (let round = 0; round < 60; round++) {
    await Promise.all(peers.map((peer) => peer.send((commands[random(commands.length)]!)())));
    await pause(0);
  }
  busy = false;
  await watching;
  await nextMetrics(server);
  const [p95, reference] = [percentile(took, 0.95), percentile(echoes, 0.95)];
  assert.ok(p95 < Math.max(500, 4 * reference), `p95 ${p95} ms, of an echo ${reference} ms`);
  assert.doesNotMatch(server.log, / ERROR | CRITICAL /);
  assert.equal(gauge(server, "members"), 51);
});
