// Shares the machine: runs beside another file of whole programs.
// A file that is larger than anything held in memory, between real programs over TLS: nobody's memory grows with it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { at, startClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const MIB = 1_048_576;
/** `LARGE_FILE_MIB=2048` for the figures of docs/BENCHMARKS.md. */
const SIZE_MIB = Number(Deno.env.get("LARGE_FILE_MIB") ?? 64);
/** At 8 MiB/s and more. */
const WAIT_MS = 60_000 + SIZE_MIB * 125;
/** What a program may have beside what it has anyway. */
const GROWTH_MAX = (SIZE_MIB > 64 ? 160 : 50) * MIB;

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
  `a file of ${SIZE_MIB} MiB over TLS makes no program grow by more than 50 MiB, and arrives whole`,
  async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile } = certificate;
    const tls = ["--certfile", certFile, "--keyfile", keyFile, "--max-file", "2GiB"];
    await using server = await startServer({ args: tls });
    const sha256 = await writeLarge(`${home}/large.bin`, SIZE_MIB);
    const over = ["--tls", "--ca-file", certFile];
    await Deno.mkdir(`${home}/in`);
    await using taker = startClient(home, {
      args: [
        "recv-file",
        ...at(server, ...over, "--name", "taker", "--download-dir", `${home}/in`),
      ],
    });
    await using sender = startClient(home, {
      args: ["send-file", ...at(server, ...over, "--name", "giver"), `${home}/large.bin`],
    });
    const pids = { server: server.pid, sender: sender.pid, taker: taker.pid };
    const part = async () => {
      const names = Array.from(Deno.readDirSync(`${home}/in`), ({ name }) => name);
      return names[0] === undefined ? 0 : (await Deno.stat(`${home}/in/${names[0]}`)).size;
    };
    // What they have at the beginning of the file: they are warm, and the sender has read it once.
    while (await part() < 16 * MIB) await new Promise((resolve) => setTimeout(resolve, 20));
    const began = performance.now();
    const before = await eachMemory(pids);
    const most = { ...before };
    let isOver = false;
    const ended = Promise.all([sender.end(WAIT_MS), taker.end(WAIT_MS)]).finally(() =>
      isOver = true
    );
    while (!isOver) {
      const now = await eachMemory(pids);
      for (const name of Object.keys(now)) most[name] = Math.max(most[name] ?? 0, now[name] ?? 0);
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    assert.deepEqual(await ended, [0, 0], sender.stderr + taker.stderr);
    assert.match(sender.stdout, new RegExp(`^${sha256}`));
    const seconds = (performance.now() - began) / 1_000;
    const figures =
      Object.keys(pids).map((name) =>
        `${name} ${Math.round((before[name] ?? 0) / MIB)} to ${
          Math.round((most[name] ?? 0) / MIB)
        } MiB`
      ).join(", ") + `; ${((SIZE_MIB - 16) / seconds).toFixed(0)} MiB/s`;
    for (const name of Object.keys(pids)) {
      assert.ok((most[name] ?? 0) - (before[name] ?? 0) < GROWTH_MAX, figures);
    }
    if (SIZE_MIB >= 1_024) {
      Deno.stderr.writeSync(new TextEncoder().encode(`${figures}\n`));
    }
    await Deno.remove(`${home}/large.bin`);
  },
);

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
