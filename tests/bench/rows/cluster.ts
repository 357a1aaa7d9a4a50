// Row cluster: one load in one room whose members are spread over several servers, beside one server without a bus.

import { hasProgram } from "../../helpers/repo/system_needs.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { startNats } from "../../helpers/system/nats.ts";
import { roomLoad, throughServer } from "./fanout_v2.ts";
import {
  connectTls,
  deliveriesOf,
  describeLoad,
  FAN_OUT,
  type Load,
  runLoad,
  type Size,
} from "../load/load.ts";
import { type Listening, startRelay } from "../processes.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { drawCurve, median, type Row } from "../row.ts";
import { joinAll } from "../load/v2_member.ts";

const SERVERS: Readonly<Record<Size, readonly number[]>> = { full: [1, 2, 4], tiny: [2] };
const HOPS = 101;
const SECRET = "A".repeat(43);

/** Measures the row. */
export async function cluster(size: Size): Promise<Row> {
  const load = FAN_OUT[size];
  const unit = "deliveries/s";
  const about = { row: "cluster", unit, reference: "the same load on one server without a bus" };
  const goal = { of: "ratio", limit: 0.2, better: "more" } as const;
  if (!hasProgram("nats-server")) {
    const notes = ["nats-server is not installed: apt-get install nats-server"];
    return { ...about, goal, value: undefined, referenceValue: undefined, notes };
  }
  await using certificate = await makeCertificate();
  const alone = await throughServer(load, certificate);
  const curve: [number, number][] = [];
  const costs: string[] = [];
  for (const count of SERVERS[size]) {
    const { seconds, hopMs } = await throughCluster(load, certificate, count);
    curve.push([count, deliveriesOf(load) / seconds]);
    costs.push(`${count}: ${hopMs.toFixed(2)} ms`);
  }
  return {
    ...about,
    goal,
    value: curve[Math.min(1, curve.length - 1)]?.[1],
    referenceValue: deliveriesOf(load) / alone.seconds,
    notes: [
      `${describeLoad(load)}, spread over two servers and one NATS node`,
      ...drawCurve("deliveries/s by servers on the bus", curve),
      `from a message to the screen of another server's member, in a quiet room, by servers: ${
        costs.join(", ")
      }`,
    ],
  };
}

async function throughCluster(
  load: Load,
  certificate: TestCertificate,
  count: number,
): Promise<{ readonly seconds: number; readonly hopMs: number }> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats(1));
  const servers: Listening[] = [];
  for (let n = 0; n < count; n++) {
    servers.push(stack.use(
      await startRelay(certificate, {
        args: ["--nats", nats.urls],
        env: { CMDCHAT_CLUSTER_KEY: SECRET },
      }),
    ));
  }
  let next = 0;
  const connect = () => connectTls(servers[next++ % count]?.port ?? 0, certificate.cert);
  const run = async (room: string) => {
    const members = await joinAll({ count: load.members, room, connect });
    const { members: loads, check } = roomLoad(load, members);
    const seconds = await runLoad(loads);
    await check();
    return seconds;
  };
  await run("warm-up");
  const seconds = await run("bench");
  const hopMs = await quietHop(servers.map(({ port }) => port), certificate);
  return { seconds, hopMs };
}

/** Median ms from one member's message to another's screen, on two servers where there are two; nothing else happens. */
async function quietHop(ports: readonly number[], { cert }: TestCertificate): Promise<number> {
  const [here = 0, there = here] = ports;
  const room = { rooms: ["quiet"], tlsCa: cert };
  await using sender = await V2Peer.join({ port: here, hello: { name: "sender" }, ...room });
  await using screen = await V2Peer.join({ port: there, hello: { name: "screen" }, ...room });
  const took: number[] = [];
  for (let n = 0; n < HOPS; n++) {
    const before = performance.now();
    await sender.say(`${n}`, "quiet");
    await screen.until("chat", ({ text }) => text === `${n}`);
    took.push(performance.now() - before);
  }
  return median(took);
}
