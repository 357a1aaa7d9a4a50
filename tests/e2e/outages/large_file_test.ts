// A file that is larger than anything held in memory, between real programs over TLS: nobody's memory grows with it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const MIB = 1_048_576;
/** `LARGE_FILE_MIB=2048` for the figures of docs/BENCHMARKS.md. */
const SIZE_MIB = Number(Deno.env.get("LARGE_FILE_MIB") ?? 64);
/** At 8 MiB/s and more. */
const WAIT_MS = 60_000 + SIZE_MIB * 125;
/** What a program may have beside what it has anyway. */
const GROWTH_MAX = 50 * MIB;
/**
 * How much more the sender may have at its peak than the receiver, which is the same program: it has read the whole file
 * before the first part leaves, so that what it keeps of that is no growth. With 64 MiB it had -2 to 3 MiB more, and 50
 * to 55 while its buffers were left to the collector.
 */
const SENDER_MORE_MAX = 30 * MIB;

const home = temporaryHome();

const testLinux = skipUnless(Deno.build.os === "linux", "memory is read through /proc");

/** Writes `mib` MiB that do not repeat soon. Gives the SHA-256. */
async function writeLarge(path: string, mib: number): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path, { write: true, create: true });
  for (let n = 0; n < mib; n++) {
    const bytes = new Uint8Array(MIB);
    for (let at = 0; at < MIB; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    hash.update(bytes);
    for (let at = 0; at < MIB;) at += await file.write(bytes.subarray(at));
  }
  return hash.digest("hex");
}

testLinux(
  `a file of ${SIZE_MIB} MiB over TLS, with cuts and both programs started anew, makes none grow by more than ${
    GROWTH_MAX / MIB
  } MiB, and arrives whole`,
  async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile } = certificate;
    const tls = ["--certfile", certFile, "--keyfile", keyFile, "--max-file", "2GiB"];
    await using server = await startServer({ args: tls });
    await using network = new FaultyNetwork(server.port);
    const sha256 = await writeLarge(`${home}/large.bin`, SIZE_MIB);
    await Deno.mkdir(`${home}/in`);
    const programs = () => {
      const over = ["--tls", "--ca-file", certFile, "--port", String(network.port)];
      const taking = ["recv-file", ...over, "--name", "taker", "--download-dir", `${home}/in`];
      const sending = ["send-file", ...over, "--name", "giver", `${home}/large.bin`];
      return [startClient(home, { args: taking }), startClient(home, { args: sending })] as const;
    };
    const growths = new Map<string, Growth>();
    const began = performance.now();
    {
      await using stack = new AsyncDisposableStack();
      const [taker, sender] = programs().map((program) => stack.use(program));
      const pids = { server: server.pid, sender: sender!.pid, taker: taker!.pid };
      // The link breaks three times; then both programs end in the middle.
      await watchMemory(pids, growths, async () => {
        for (const share of [0.3, 0.4, 0.5]) {
          await until(async () => await partBytes() >= share * SIZE_MIB * MIB);
          network.cutAll();
        }
        await until(async () => await partBytes() >= 0.6 * SIZE_MIB * MIB);
      });
      for (const pid of [pids.sender, pids.taker]) Deno.kill(pid, "SIGKILL");
    }
    const kept = await partBytes();
    assert.ok(kept >= 0.6 * SIZE_MIB * MIB - MIB, "what came stays");
    await using stack = new AsyncDisposableStack();
    const [taker, sender] = programs().map((program) => stack.use(program));
    const pids = { server: server.pid, sender: sender!.pid, taker: taker!.pid };
    const up = network.bytes.up;
    await watchMemory(pids, growths, async () => {
      const ended = await Promise.all([sender!.end(WAIT_MS), taker!.end(WAIT_MS)]);
      assert.deepEqual(ended, [0, 0], sender!.stderr + taker!.stderr);
    });
    assert.match(sender!.stdout, new RegExp(`^${sha256}`));
    const path = taker!.stdout.trim();
    assert.equal((await Deno.stat(path)).size, SIZE_MIB * MIB);
    assert.ok(network.bytes.up - up < (SIZE_MIB * MIB - kept) * 1.1 + MIB, "the rest alone came");
    const seconds = (performance.now() - began) / 1_000;
    const figures =
      [...growths].map(([name, { before, most }]) =>
        `${name} ${Math.round(before / MIB)} to ${Math.round(most / MIB)} MiB`
      ).join(", ") + `; ${(SIZE_MIB / seconds).toFixed(0)} MiB/s, all starts included`;
    if (SIZE_MIB > 64) Deno.stderr.writeSync(new TextEncoder().encode(`${figures}\n`));
    for (const { before, most } of growths.values()) assert.ok(most - before < GROWTH_MAX, figures);
    const peakOf = (name: string) => growths.get(name)?.peak ?? NaN;
    assert.ok(peakOf("sender") - peakOf("taker") < SENDER_MORE_MAX, figures);
    for (const name of [path, `${home}/large.bin`]) await Deno.remove(name);
  },
);

/** Resident bytes of a program, at the beginning and at most. */
interface Growth {
  readonly before: number;
  readonly most: number;
  /** The most of all that were started with that name. */
  readonly peak: number;
}

/** Bytes of the file that the receiver has. */
async function partBytes(): Promise<number> {
  const [name] = Array.from(Deno.readDirSync(`${home}/in`), ({ name }) => name);
  const info = name === undefined ? undefined : await Deno.stat(`${home}/in/${name}`);
  return info?.size ?? 0;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Looks at the memory of programs while `work` lasts, and keeps the largest growth of each. */
async function watchMemory(
  pids: Readonly<Record<string, number>>,
  growths: Map<string, Growth>,
  work: () => Promise<void>,
): Promise<void> {
  let isOver = false;
  const working = work().finally(() => isOver = true);
  const from = await partBytes();
  // What they have at the beginning of the file: they are warm, and the sender has read it once.
  await Promise.race([working, until(async () => await partBytes() >= from + 8 * MIB)]);
  const before = await eachMemory(pids);
  while (!isOver) {
    for (const [name, most] of Object.entries(await eachMemory(pids))) {
      const begin = before[name] ?? 0;
      const known = growths.get(name);
      const peak = Math.max(known?.peak ?? 0, most);
      const isMore = known === undefined || most - begin > known.most - known.before;
      growths.set(name, isMore ? { before: begin, most, peak } : { ...known, peak });
    }
    await Promise.race([working, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  await working;
}

async function eachMemory(pids: Record<string, number>): Promise<Record<string, number>> {
  const entries = Object.entries(pids).map(async ([name, pid]) =>
    [name, await memoryOf(pid)] as const
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Bytes that the process has now; 0 once it has ended. */
async function memoryOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return 1_024 * Number(/VmRSS:\s*(\d+)/.exec(status)?.[1] ?? 0);
}
