// deno-lint-ignore-file no-console
// Clients come, talk and go for as long as SOAK_MINUTES says: memory, handles and latency must stay where they are.
// Half a minute in the ordinary run, where only a leak that is fast shows; `SOAK_MINUTES=60 deno task test soak` is
// an hour, as docs/OPERATIONS.md tells of. What the machine does meanwhile is seen beside an echo. Each resident
// counts what the others say: no message is lost, doubled or out of order.

import assert from "node:assert/strict";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { readSamples, type Samples } from "../../../server/telemetry/prometheus_reader.ts";
import { startListening } from "../../bench/processes.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { StallMeter } from "../../helpers/system/own_time.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const MINUTES = Number(Deno.env.get("SOAK_MINUTES") || 0.5);
const RESIDENTS = 20;
// Each pass of a visitor: come, say a few things, and go in one of the ways in which people go.
const VISITORS = 4;
const TALK_EVERY_MS = 100;
const WINDOWS = 8;
/** How often a window looks at the memory. */
const LOOKS = 25;
// Garbage of the second since the last collection, and what one more probe may take on a busy machine.
const HEAP_SLACK = 6 * 2 ** 20;
const LATENCY_SLACK_MS = 50;
// The server ends a handshake after 10 s: a load that stood still for most of that has itself to blame.
const FORGIVEN_STALL_MS = 5_000;

const test = skipUnless(Deno.build.os === "linux", "memory and handles are read from /proc");

interface Window {
  /** Live JavaScript heap, and the whole process, which V8 lets grow and shrink as it likes; bytes. */
  readonly heap: number;
  readonly memory: number;
  readonly handles: number;
  /** 99 of 100 messages came back to their sender within this; ms. */
  readonly p99: number;
  /** The same of an echo on this machine, which has nothing to remember. */
  readonly echo: number;
  readonly visits: number;
}

/** What residents heard of residents, each of whom counts aloud. */
class Count {
  heard = 0;
  lost = 0;
  doubled = 0;
  unordered = 0;

  /** Follows what one listener hears. */
  listener(): (event: Event) => void {
    const last = new Map<number, number>();
    return (event) => {
      const [, said] = event.kind === "chat" ? /^resident (\d+)$/.exec(event.text) ?? [] : [];
      if (event.kind !== "chat" || said === undefined) return;
      const [n, before] = [Number(said), last.get(event.client)];
      this.heard++;
      if (before !== undefined) {
        if (n > before + 1) this.lost += n - before - 1;
        if (n === before) this.doubled++;
        if (n < before) this.unordered++;
      }
      last.set(event.client, n);
    };
  }

  get text(): string {
    const { lost, doubled, unordered } = this;
    return `${lost} lost, ${doubled} doubled, ${unordered} out of order`;
  }
}

function waitMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function samplesAt(pages: string): Promise<Samples> {
  return readSamples(await (await fetch(`http://${pages}/metrics`)).text());
}

interface Visitors {
  readonly port: number;
  readonly stalls: StallMeter;
  count(): void;
}

/** Comes and goes until `signal`. A visit that failed because the load itself stood still is made again. */
async function visitAgainAndAgain(visitors: Visitors, number: number, signal: AbortSignal) {
  for (let n = number; !signal.aborted; n++) {
    const before = visitors.stalls.total;
    try {
      await visit(visitors.port, `visitor-${number}`, n);
      visitors.count();
    } catch (error) {
      if (visitors.stalls.total - before < FORGIVEN_STALL_MS) throw error;
    }
  }
}

async function visit(port: number, name: string, n: number): Promise<void> {
  if (n % 4 === 0) {
    await using peer = await V1Peer.join({ port, name });
    return await peer.chat("an old client says hello");
  }
  const room = `room-${n % 7}`;
  await using peer = await V2Peer.join({ port, hello: { name, rooms: [[room, 0]] } });
  for (let said = 0; said < 3; said++) await peer.say(`${name} says ${said}`, room);
  await peer.until("chat", ({ text }) => text === `${name} says 2`);
  // Some say goodbye, some are cut off and stay held for a while.
  if (n % 4 === 1) await peer.send({ kind: "bye" });
  else peer.cut();
}

/** Has one small message after another come back from a mere echo, until `signal`; notes how long each took. */
async function echo(port: number, signal: AbortSignal, note: (ms: number) => void) {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  const buffer = new Uint8Array(64);
  while (!signal.aborted) {
    const began = performance.now();
    await conn.write(buffer);
    for (let got = 0; got < buffer.length;) got += await conn.read(buffer) ?? Infinity;
    note(performance.now() - began);
    await waitMs(TALK_EVERY_MS);
  }
}

interface Resident {
  readonly peer: V2Peer;
  readonly room: string;
}

/** Says one thing after another until `signal`; notes how long each took to come back, but for the load's stalls. */
async function reside(
  { peer, room, stalls }: Resident & { readonly stalls: StallMeter },
  signal: AbortSignal,
  note: (ms: number) => void,
) {
  for (let n = 0; !signal.aborted; n++) {
    const [began, stalled] = [performance.now(), stalls.total];
    const id = await peer.say(`resident ${n}`, room);
    await peer.until(
      "chat",
      ({ client, request }) => client === peer.welcome.client && request === id,
    );
    note(performance.now() - began - (stalls.total - stalled));
    // A peer remembers all it heard, which an hour of a test must not.
    const old = peer.events.splice(0, Math.max(peer.events.length - 200, 0));
    peer.events.unshift(...old.filter(({ kind }) => kind === "welcome" || kind === "entered"));
    await waitMs(TALK_EVERY_MS);
  }
}

async function observe(
  { server, pages }: { readonly server: RunningServer; readonly pages: string },
  ms: number,
  { latencies, echoes }: Readonly<Record<"latencies" | "echoes", number[]>>,
  visits: { readonly n: number },
): Promise<Window> {
  latencies.length = echoes.length = 0;
  const before = visits.n;
  // What is live is the least that was seen: the rest is garbage that a busy machine has not collected.
  let [heap, memory] = [Infinity, Infinity];
  for (let look = 0; look < LOOKS; look++) {
    await waitMs(ms / LOOKS);
    const samples = await samplesAt(pages);
    heap = Math.min(heap, samples.get("cmdchat_heap_used_bytes") ?? NaN);
    memory = Math.min(memory, samples.get("process_resident_memory_bytes") ?? NaN);
  }
  return {
    heap,
    memory,
    handles: server.handles(),
    p99: p99Of(latencies),
    echo: p99Of(echoes),
    visits: visits.n - before,
  };
}

function p99Of(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Infinity;
}

test(`for ${MINUTES} minutes clients come, talk and go: memory, handles and latency stay flat`, async () => {
  const unbounded = ["--rate-limit", "off", "--max-per-address", "off", "--metrics-interval", "1"];
  await using server = await startServer({
    command: {
      path: Deno.execPath(),
      args: [
        "run",
        "--no-check",
        "--no-prompt",
        "--v8-flags=--expose-gc",
        "--preload=tests/helpers/programs/collect_garbage.ts",
        "-A",
        "server/main.ts",
      ],
    },
    args: [...unbounded, "--hold", "2", "--admin-listen", "0"],
  });
  const { port } = server;
  const [, pages = ""] = await server.printed(/^admin pages on http:\/\/(\S+)$/m);
  await using stack = new AsyncDisposableStack();
  console.log(
    `${(server.memory() / 2 ** 20).toFixed(1)} MiB and ${server.handles()} handles at start`,
  );
  const residents: Resident[] = [];
  const count = new Count();
  for (let n = 0; n < RESIDENTS; n++) {
    const room = `room-${n % 3}`;
    const hello = { name: `resident-${n}`, rooms: [[room, 0]] as [string, number][] };
    residents.push({
      room,
      peer: stack.use(await V2Peer.join({ port, hello, onEvent: count.listener() })),
    });
  }
  const ending = new AbortController();
  const heard = { latencies: [] as number[], echoes: [] as number[] };
  const reference = stack.use(
    await startListening({ path: "tests/bench/references/echo_server.ts" }),
  );
  const visits = { n: 0 };
  const stalls = stack.use(new StallMeter());
  const visitors = { port, stalls, count: () => visits.n++ };
  const working = [
    ...residents.map((resident) =>
      reside({ ...resident, stalls }, ending.signal, (ms) => heard.latencies.push(ms))
    ),
    echo(reference.port, ending.signal, (ms) => heard.echoes.push(ms)),
    ...Array.from(
      { length: VISITORS },
      (_, n) => visitAgainAndAgain(visitors, n, ending.signal),
    ),
  ];
  const broken = Promise.all(working).then(() => {}, (cause) => {
    const stall = `the load stood still for ${Math.round(stalls.longest)} ms at most`;
    const last = server.log.slice(-2_000);
    throw new Error(`somebody got no further; ${stall}; the server's last lines:\n${last}`, {
      cause,
    });
  });
  const seen: Window[] = [];
  for (let n = 0; n < WINDOWS; n++) {
    const window = observe({ server, pages }, MINUTES * 60_000 / WINDOWS, heard, visits);
    await Promise.race([window, broken]);
    seen.push(await window);
    const { heap, memory, handles, p99, echo, visits: came } = seen.at(-1) as Window;
    const [live, all] = [heap, memory].map((bytes) => (bytes / 2 ** 20).toFixed(1));
    console.log(
      `${live} of ${all} MiB live, ${handles} handles, p99 ${p99.toFixed(1)} ms ` +
        `(an echo ${
          echo.toFixed(1)
        }), ${came} visits, ${count.heard} messages heard so far: ${count.text}`,
    );
  }
  ending.abort();
  await broken;
  // The first window warms up; the second is what the last is held against.
  const [, early, ...later] = seen as [Window, Window, ...Window[]];
  const last = later.at(-1) as Window;
  assert.ok(visits.n > 10, `${visits.n} visits`);
  assert.ok(count.heard > 10 * RESIDENTS, `${count.heard} messages heard`);
  assert.equal(count.text, "0 lost, 0 doubled, 0 out of order");
  assert.ok(last.heap < early.heap * 1.1 + HEAP_SLACK, "memory grew");
  // A busy machine makes both slow; what grows with time makes only one of them.
  const grown = last.p99 / early.p99;
  const busier = Math.max(1, last.echo / early.echo);
  assert.ok(last.p99 < early.p99 * 2 * busier + LATENCY_SLACK_MS, `latency grew ${grown} times`);
  assert.ok(last.handles <= early.handles + VISITORS * 3, "handles were left open");

  // Everybody goes, and nothing of them stays.
  await stack.disposeAsync();
  const end = performance.now() + 20_000;
  for (;;) {
    const samples = await samplesAt(pages);
    const left = ["cmdchat_connections", 'cmdchat_rooms{kind="open"}', "cmdchat_outbox_bytes"]
      .map((name) => samples.get(name));
    if (left.every((value) => value === 0)) break;
    assert.ok(performance.now() < end, `left over: ${left}`);
    await waitMs(100);
  }
  const { stderr } = await server.stop();
  assert.ok(!stderr.includes("unexpected fault"), stderr);
});
