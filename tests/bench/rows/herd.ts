// Row herd: the server is killed and started again with its identity file, and all clients come back.

import { generateIdentity, identityToText } from "../../../shared/crypto/identity.ts";
import { ServerBusyError } from "../../../shared/channel/handshake_error.ts";
import { pause, type Size } from "../load/load.ts";
import { Talkers } from "../load/talkers.ts";
import { type Program, startProgram, startRelay } from "../processes.ts";
import { quantile, type Row } from "../row.ts";

const SIZES = {
  full: { clients: 5_000, perRoom: 50 },
  tiny: { clients: 20, perRoom: 5 },
} as const;

const FURTHER_HANDLES = 500;
const SLOWEST_LINE_MS = 500;
const GOAL_S = 6;
const TRIES = 10;
const PATIENCE_MS = 120_000;

/** Measures the row. */
export async function herd(size: Size): Promise<Row> {
  const identity = await makeIdentity();
  try {
    return await measure(SIZES[size], identity);
  } finally {
    await Deno.remove(identity);
  }
}

async function measure(
  { clients, perRoom }: typeof SIZES[Size],
  identity: string,
): Promise<Row> {
  const handles = clients + FURTHER_HANDLES;
  const args = ["--max-connections", `${2 * clients}`, "--identity-file", identity];
  await using first = await startRelay(undefined, { args, handles });
  const { port } = first;
  await using crowd = startProgram({
    path: "tests/bench/load/herd.ts",
    args: [`${port}`, `${clients}`, `${perRoom}`],
    handles,
  });
  await crowd.until(new RegExp(`joined ${clients}\\.`));
  // It is killed, and says nothing to anybody.
  await first[Symbol.asyncDispose]();
  await using server = await startRelay(undefined, {
    args: [...args, "--port", `${port}`],
    handles,
  });
  const start = performance.now();
  const talkers = await joinInTheEnd(port);
  const returning = allBack(crowd, clients);
  const lines = await talkers.talkUntil(returning);
  const { at, late } = await returning;
  talkers.close();
  const slowest = Math.max(...lines);
  return {
    row: "herd",
    value: (at - start) / 1_000,
    unit: "s",
    reference: "",
    referenceValue: undefined,
    goal: { of: "value", limit: GOAL_S, better: "less" },
    conditions: [
      { text: `no attempt is given up: ${late}`, met: late === 0 },
      {
        text: `no line between two members takes more than ${SLOWEST_LINE_MS} ms: ` +
          `${slowest.toFixed(0)} ms, p99 ${quantile(lines, 0.99).toFixed(0)} ms`,
        met: slowest <= SLOWEST_LINE_MS,
      },
    ],
    notes: [
      `${clients} v2 members in rooms of ${perRoom}; the server is killed, and started again with its identity`,
      "from its first word to the last member in its room; clients pause as the real one does, 1 to 2 s at first",
      `CPU time of the server: ${(server.cpuMs() / 1_000).toFixed(1)} s`,
    ],
  };
}

async function makeIdentity(): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "cmdchat-bench-" });
  await Deno.writeTextFile(path, await identityToText(await generateIdentity()));
  await Deno.chmod(path, 0o600);
  return path;
}

// On a machine with much other work the deadline of a handshake may pass while all come back.
async function joinInTheEnd(port: number): Promise<Talkers> {
  for (let tries = 1;; tries++) {
    try {
      return await Talkers.join(port);
    } catch (error) {
      if (error instanceof ServerBusyError) await pause(error.pauseMs);
      else if (tries >= TRIES) throw error;
    }
  }
}

async function allBack(
  crowd: Program,
  clients: number,
): Promise<{ readonly at: number; readonly late: number }> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`not all were back within ${PATIENCE_MS / 1_000} s`));
  }, PATIENCE_MS);
  const [, given] = await Promise.race([
    crowd.until(new RegExp(`back ${clients} late (\\d+)\\.`)),
    late.promise,
  ]);
  clearTimeout(timer);
  return { at: performance.now(), late: Number(given) };
}
