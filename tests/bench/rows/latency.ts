// Row latency-p99: from a sender's Enter to two other screens of a room of 200, beside a TCP echo in the same seconds.

import { decodeEvent } from "../../../shared/messages/codec_v2.ts";
import { pause, readExactly, type Size, writeAll } from "../load/load.ts";
import { startListening, startProgram, startRelay } from "../processes.ts";
import { quantile, type Row } from "../row.ts";
import { makeLoadKeys, V2Member } from "../load/v2_member.ts";

const SIZES = {
  full: { members: 200, messages: 1_000, everyMs: 50 },
  tiny: { members: 5, messages: 5, everyMs: 20 },
} as const;

const MESSAGE_BYTES = 100;
const ROOM = "bench 0";

/** Measures the row. */
export async function latencyP99(size: Size): Promise<Row> {
  const amount = SIZES[size];
  await using echo = await startListening({ path: "tests/bench/references/echo_server.ts" });
  await using server = await startRelay();
  const { sender, screens, crowd } = await fill(server.port, amount.members);
  await using _crowd = crowd;
  const conn = await Deno.connect({ port: echo.port });
  conn.setNoDelay(true);
  const sent: number[] = [];
  const relayed = Promise.all(screens.map((screen) => watch(screen, sent, amount.messages)));
  const echoed: number[] = [];
  for (let n = 0; n < amount.messages; n++) {
    const due = performance.now() + amount.everyMs;
    const text = `${n}:`.padEnd(MESSAGE_BYTES, "x");
    sent.push(performance.now());
    const record = sender.seal({
      kind: "chat",
      id: n + 1,
      room: sender.entered.room,
      text,
      action: false,
      reply: 0,
    });
    await writeAll(sender.conn, record);
    await pause(amount.everyMs / 2);
    echoed.push(await echoOnce(conn, record.length));
    await pause(Math.max(0, due - performance.now()));
  }
  const took = (await relayed).flat();
  for (const { conn } of [sender, ...screens]) conn.close();
  conn.close();
  const halves = (values: readonly number[]) =>
    `median ${quantile(values, 0.5).toFixed(2)} ms, p90 ${quantile(values, 0.9).toFixed(2)} ms`;
  return {
    row: "latency-p99",
    value: quantile(took, 0.99),
    unit: "ms",
    reference: "a TCP echo of as many bytes in Deno",
    referenceValue: quantile(echoed, 0.99),
    goal: { of: "ratio", limit: 3, better: "less" },
    notes: [
      `${amount.members} members, ${
        1_000 / amount.everyMs
      } messages/s of ${MESSAGE_BYTES} bytes, ${amount.messages} of them`,
      "from before it is sealed to after it is opened, at the first and the last member of the room",
      `${halves(took)}; echo: ${halves(echoed)}`,
    ],
  };
}

/** The sender and a screen, then the crowd, then another screen: the last to be served. */
async function fill(port: number, members: number) {
  const load = await makeLoadKeys();
  const join = async (name: string) => {
    const conn = await Deno.connect({ port });
    conn.setNoDelay(true);
    return await V2Member.join(conn, { load, name, room: ROOM });
  };
  const sender = await join("sender");
  const first = await join("first");
  const count = members - 3;
  const crowd = startProgram({
    path: "tests/bench/load/crowd.ts",
    args: [`${port}`, `${count}`, `${count}`, "bench"],
  });
  await crowd.until(new RegExp(`joined ${count}\\.`));
  const last = await join("last");
  void sender.attend();
  return { sender, screens: [first, last], crowd };
}

async function watch(
  screen: V2Member,
  sent: readonly number[],
  messages: number,
): Promise<number[]> {
  const took: number[] = [];
  while (took.length < messages) {
    const [body] = await screen.take(1);
    const event = decodeEvent(body as Uint8Array);
    const now = performance.now();
    if (event.kind !== "chat") continue;
    const n = parseInt(event.text);
    if (n !== took.length) throw new Error(`message ${n} came where ${took.length} was due`);
    took.push(now - (sent[n] as number));
  }
  return took;
}

async function echoOnce(conn: Deno.Conn, bytes: number): Promise<number> {
  const start = performance.now();
  await writeAll(conn, new Uint8Array(bytes));
  await readExactly(conn, bytes);
  return performance.now() - start;
}
