// deno-lint-ignore-file no-console -- the figures are what is looked for.
// One address that does not read what it is sent: it takes nothing from anybody else.

import assert from "node:assert/strict";
import type { Event } from "../../../shared/messages/messages_v2.ts";
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

/** A member that answers pings: on a busy machine a test may take longer than the server waits for one. */
async function joinHonest(port: number, name: string): Promise<V2Peer> {
  const joined: { peer?: V2Peer } = {};
  const onEvent = ({ kind }: Event) => {
    if (kind === "ping") joined.peer?.send({ kind: "pong" }).catch(() => {});
  };
  return joined.peer = await V2Peer.join({ port, hostname: "::1", hello: { name }, onEvent });
}

Deno.test("60 sockets that do not read cut nobody else, keep no newcomer out, and cost their bytes once", async () => {
  const args = ["--host", "::", "--rate-limit", "off", "--max-message", "7KiB"];
  args.push("--metrics-interval", "1");
  await using server = await startServer({ args });
  const { port } = server;
  await using stack = new AsyncDisposableStack();
  const honest: V2Peer[] = [];
  for (let n = 0; n < HONEST; n++) {
    honest.push(stack.use(await joinHonest(port, `honest${n}`)));
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
const LINES = 20;
// Above what one address may have: 60 that do not read, and all that flood.
const PER_ADDRESS = "100";
// Some 10 to 30 ms of turns, and what a processor that is shared adds; 60 to 110 where a line to a quiet room waits until all
// that the floods have filled is written, and 170 to 230 where each of them also goes on for 4 ms in a turn.
const OWN_MS = 50;

testLinux(
  "without a rate limit, floods into 60 sockets that do not read make no line elsewhere wait for more than a few turns",
  async (t) => {
    const args = ["--host", "::", "--rate-limit", "off", "--max-per-address", PER_ADDRESS];
    await using server = await startServer({ args });
    const { port, pid } = server;
    await using stack = new AsyncDisposableStack();
    const speaker = stack.use(await joinHonest(port, "speaker"));
    const listener = stack.use(await joinHonest(port, "listener"));
    for (let n = 0; n < HOSTILE; n++) {
      const mute = stack.use(await RawPeer.connect({ port }));
      await mute.write(frameOf(await handshakeOf({ name: `mute${n}`, room: "den" })));
    }
    for (const [kind, count] of [["chat", 1], ["chat", 8], ["chat-v2", 8]] as const) {
      await t.step(`${count} clients send ${kind} without end`, async () => {
        const flood = await startSide("hostile/flooder", `${port}`, "den", kind, `${count}`);
        // What the server's own thread did between a line and its arrival, whatever else this machine does.
        const own: number[] = [];
        try {
          while (own.length < LINES) {
            const text = crypto.randomUUID();
            const before = threadMs(pid);
            await speaker.say(text);
            await listener.until("chat", (chat) => chat.text === text);
            own.push(threadMs(pid) - before);
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        } finally {
          await killSide(flood);
        }
        own.sort((a, b) => a - b);
        const [median, most] = [own[LINES / 2] as number, own[LINES * 0.9] as number];
        const figures = `half of the lines waited for ${median.toFixed(0)} ms of the server's ` +
          `work, nine of ten for less than ${most.toFixed(0)} ms`;
        console.log(figures);
        assert.ok(most < OWN_MS, figures);
      });
    }
  },
);
