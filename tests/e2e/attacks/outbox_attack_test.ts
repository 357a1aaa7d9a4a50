// deno-lint-ignore-file no-console -- the figures are what is looked for.
// One address that does not read what it is sent: it takes nothing from anybody else.

import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { frameOf, handshakeOf, RawPeer, V1Peer } from "../../helpers/peers/v1_peer.ts";
import { killSide, startSide } from "../../helpers/hostile/side_process.ts";
import { skipWithoutProc } from "../../helpers/repo/skip.ts";
import { nextMetrics } from "../../helpers/system/metrics_line.ts";
import { startStopwatch, threadMs } from "../../helpers/system/own_time.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const MIB = 1_048_576;
const HOSTILE = 60;
const HONEST = 8;
const TEXT = "z".repeat(6_000);
// Counted in full for each socket that is more than all outboxes together may hold, whatever the system buffers.
const FLOOD_BYTES = 14 * MIB;
// It is some 30 ms, and 90 to 140 where outboxes for which much waits do not take turns behind the others.
const LINE_MS = 80;

Deno.test("60 sockets that do not read cut nobody else, keep no newcomer out, and cost their bytes once", async () => {
  const args = ["--host", "::", "--rate-limit", "off", "--max-message", "7KiB"];
  args.push("--metrics-interval", "1");
  await using server = await startServer({ args });
  const { port } = server;
  await using stack = new AsyncDisposableStack();
  const honest: V2Peer[] = [];
  for (let n = 0; n < HONEST; n++) {
    const hello = { name: `honest${n}` };
    honest.push(stack.use(await V2Peer.join({ port, hostname: "::1", hello })));
  }
  const before = await server.memory();
  for (let n = 0; n < HOSTILE; n++) {
    const mute = stack.use(await RawPeer.connect({ port }));
    await mute.write(frameOf(await handshakeOf({ name: `mute${n}`, room: "den" })));
  }
  const flooder = stack.use(await V1Peer.join({ port, name: "flooder", room: "den", drop: true }));
  const delays: number[] = [];
  for (let sent = 0, n = 0; sent < FLOOD_BYTES; sent += TEXT.length, n++) {
    await flooder.chat(TEXT);
    if (n % 200 !== 0) continue;
    const [speaker, listener] = [honest[0] as V2Peer, honest.at(-1) as V2Peer];
    const elapsed = startStopwatch(server.pid);
    await speaker.say(`line ${n}`);
    await listener.until("chat", ({ text }) => text === `line ${n}`);
    delays.push(elapsed());
  }
  const elapsed = startStopwatch(server.pid);
  await using newcomer = await V2Peer.join({ port, hostname: "::1", hello: { name: "newcomer" } });
  const newcomerMs = elapsed();
  await newcomer.say("I am in");
  for (const peer of honest) await peer.until("chat", ({ text }) => text === "I am in");
  const grown = (await server.memory() - before) / MIB;
  const worst = Math.max(...delays);
  // The numbers of a second after all that.
  const numbers = () => [...server.log.matchAll(/outboxBytes=(\d+)/g)].map(([, n]) => Number(n));
  for (let line = 0; line < 2; line++) await nextMetrics(server);
  const waiting = (numbers().at(-1) ?? 0) / MIB;
  const figures = `honest cut 0 of ${HONEST}, newcomer in after ${newcomerMs.toFixed(0)} ms, ` +
    `slowest line ${worst.toFixed(0)} ms, server grew by ${grown.toFixed(0)} MiB, ` +
    `${waiting.toFixed(0)} MiB wait`;
  console.log(figures);
  // Counted once, 12 MiB are far from any bound: not even those that do not read are cut.
  assert.doesNotMatch(server.log, /does not read fast enough/);
  assert.ok(waiting > 1 && waiting < 3 * FLOOD_BYTES / MIB, figures);
  assert.ok(worst < LINE_MS, figures);
  assert.ok(newcomerMs < 1_000, figures);
  assert.ok(grown < 250, figures);
});

const testLinux = skipWithoutProc();
const LINES = 40;
// 8 ms of reading and 8 ms of sealing a turn, twice, and what a processor that is shared adds.
const OWN_MS = 60;

testLinux(
  "without a rate limit, a flood into 60 sockets that do not read makes no line elsewhere wait for more than a few turns",
  async () => {
    await using server = await startServer({ args: ["--host", "::", "--rate-limit", "off"] });
    const { port, pid } = server;
    await using stack = new AsyncDisposableStack();
    const join = async (name: string) =>
      stack.use(await V2Peer.join({ port, hostname: "::1", hello: { name } }));
    const [speaker, listener] = [await join("speaker"), await join("listener")];
    for (let n = 0; n < HOSTILE; n++) {
      const mute = stack.use(await RawPeer.connect({ port }));
      await mute.write(frameOf(await handshakeOf({ name: `mute${n}`, room: "den" })));
    }
    const flooder = await startSide("hostile/flooder", `${port}`, "den", "chat");
    stack.defer(() => killSide(flooder));
    // What the server's own thread did between a line and its arrival, whatever else this machine does.
    const own: number[] = [];
    for (let n = 0; n < LINES; n++) {
      const before = threadMs(pid);
      await speaker.say(`line ${n}`);
      await listener.until("chat", ({ text }) => text === `line ${n}`);
      own.push(threadMs(pid) - before);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    own.sort((a, b) => a - b);
    const [median, most] = [own[LINES / 2] as number, own[LINES * 0.9] as number];
    const figures = `half of the lines waited for ${median.toFixed(0)} ms of the server's work, ` +
      `nine of ten for less than ${most.toFixed(0)} ms`;
    console.log(figures);
    assert.ok(most < OWN_MS, figures);
  },
);
