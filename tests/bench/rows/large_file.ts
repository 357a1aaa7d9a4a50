// Row file-1gb: a file from one client's disk to another's, with our own programs at both ends and TLS on both ways,
// beside a copy of as many bytes over one TLS link that neither reads nor writes a disk.

import { randomBytes } from "node:crypto";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { pause, type Size } from "../load/load.ts";
import { startProgram, startRelay } from "../processes.ts";
import type { Row } from "../row.ts";
import { plainlyRelayedCopies, rawCopies } from "./file_copy.ts";

const MIB = 1_048_576;
const LOOK_MS = 5;

/** MiB; `BENCH_FILE_MIB=64` for a shorter run. */
const SIZES: Readonly<Record<Size, number>> = {
  full: Number(Deno.env.get("BENCH_FILE_MIB") ?? 1_024),
  tiny: 4,
};

/** Measures the row. */
export async function largeFile(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const mib = SIZES[size];
  const amount = { bytes: mib * MIB, copies: 1, isKept: false };
  const raw = await rawCopies(certificate, amount);
  const plain = await plainlyRelayedCopies(certificate, amount);
  const ours = await betweenDisks(certificate, mib);
  const speed = (seconds: number) => amount.bytes / seconds / 1e6;
  const each = ours.programs.map(({ name, cpuMs, peakMiB }) =>
    `${name} ${(cpuMs / mib).toFixed(1)} ms a MiB, ${peakMiB.toFixed(0)} MiB at most`
  );
  return {
    row: "file-1gb",
    value: speed(ours.seconds),
    unit: "MB/s",
    reference: "a copy of as many bytes over one TLS link in Deno, without disks",
    referenceValue: speed(raw),
    goal: { of: "ratio", limit: 0.5, better: "more" },
    notes: [
      `${mib} MiB in ${
        ours.seconds.toFixed(1)
      } s, from the first byte on the receiver's disk to its name`,
      `CPU time with all starts, and resident memory: ${each.join("; ")}`,
      `${
        speed(plain.seconds).toFixed(0)
      } MB/s through a plain relay over node:tls in the same run, ` +
      `ratio ${(plain.seconds / ours.seconds).toFixed(2)}; its CPU time ${
        (plain.cpuMs / mib).toFixed(1)
      } ms a MiB`,
      "the receiver compares the SHA-256 before the file gets its name",
    ],
  };
}

interface Copied {
  readonly seconds: number;
  readonly programs: readonly {
    readonly name: string;
    readonly cpuMs: number;
    readonly peakMiB: number;
  }[];
}

async function betweenDisks(
  certificate: TestCertificate,
  mib: number,
): Promise<Copied> {
  const home = await Deno.makeTempDir({ prefix: "cmdchat-bench-" });
  try {
    await writeFile(`${home}/large.bin`, mib);
    await Deno.mkdir(`${home}/in`);
    await using server = await startRelay(certificate, { args: ["--max-file", "16GiB"] });
    const over = ["--tls", "--ca-file", certificate.certFile, "--port", `${server.port}`];
    const { DENO_DIR = `${Deno.env.get("HOME")}/.cache/deno` } = Deno.env.toObject();
    const env = { HOME: home, DENO_DIR };
    const start = (...args: readonly string[]) =>
      startProgram({ path: "client/main.ts", args: [...args, ...over], env });
    const into = ["--name", "taker", "--download-dir", `${home}/in`];
    await using receiver = start("recv-file", ...into);
    await using sender = start("send-file", "--name", "giver", `${home}/large.bin`);
    const began = firstByteIn(`${home}/in`);
    await receiver.until(/large\.bin\n/);
    const seconds = (performance.now() - await began) / 1_000;
    const all = { server, sender, receiver };
    const programs = Object.entries(all).map(([name, program]) => (
      { name, cpuMs: program.cpuMs(), peakMiB: program.peakMemory() / MIB }
    ));
    return { seconds, programs };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function writeFile(path: string, mib: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let n = 0; n < mib; n++) {
    const bytes = new Uint8Array(randomBytes(MIB));
    for (let at = 0; at < MIB;) at += await file.write(bytes.subarray(at));
  }
}

/** When the first file of the folder had its first byte, monotonic ms. */
async function firstByteIn(folder: string): Promise<number> {
  for (;;) {
    for await (const { name } of Deno.readDir(folder)) {
      const info = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
      if ((info?.size ?? 0) > 0) return performance.now();
    }
    await pause(LOOK_MS);
  }
}
