// deno-lint-ignore-file no-console
// Run in the middle of a network of namespaces, by tests/e2e/cluster/cluster_faults_test.ts: three servers over three NATS nodes,
// each on a machine of its own, whose cables are pulled while members talk. Standard input has the machines.

import {
  type Fault,
  nodeKilled,
  resultLines,
  serverKilled,
  talkThrough,
} from "../hostile/fault_talk.ts";
import { makeIdentity } from "../fakes/identities.ts";
import { startNats } from "./nats.ts";
import { type Machine, setCable } from "./network_namespaces.ts";
import { type RunningServer, startServer } from "../programs/server_process.ts";

/** What it is told. */
export interface Stage {
  readonly servers: readonly Machine[];
  readonly nodes: readonly Machine[];
}

const MEMBERS = 30;
// In a network of its own every port is free.
const PORT = 5_050;
const SECRET = "A".repeat(43);
const HOLD_S = 10;

async function play(stage: Stage): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const places = stage.nodes.map(({ addresses, under }) => ({
    address: addresses.back ?? "",
    under,
  }));
  const nats = stack.use(await startNats(places.length, ["--no_advertise"], places));
  const identity = stack.use(await makeIdentity());
  const urls = nats.nodes.map(({ url }) => url);
  const start = ({ under }: Machine, n: number): Promise<RunningServer> =>
    startServer({
      under,
      args: [
        "--rate-limit",
        "off",
        "--max-per-address",
        "off",
        "--identity-file",
        identity.path,
        "--host",
        "0.0.0.0",
        "--port",
        String(PORT),
        "--hold",
        String(HOLD_S),
        "--nats-replicas",
        "3",
        // Each asks another node first.
        "--nats",
        [...urls.slice(n), ...urls.slice(0, n)].join(","),
      ],
      env: { CMDCHAT_CLUSTER_KEY: SECRET },
    });
  const servers: RunningServer[] = [];
  for (const [n, machine] of stage.servers.entries()) {
    servers.push(stack.use(await start(machine, n)));
  }
  const [first, , third] = stage.servers as [Machine, Machine, Machine];
  const [, , thirdNode] = stage.nodes as [Machine, Machine, Machine];
  const faults: Fault[] = [
    serverKilled(servers, {
      again: async () => stack.use(await start(first, 0)),
      lastsMs: 4_000,
    }),
    nodeKilled(nats),
    cut("a server's cable to NATS is pulled, and put back", third, "back", 7_000, {
      told: /^The other servers cannot be reached/,
    }),
    cut("a NATS node's cable is pulled, and put back", thirdNode, "back", 7_000),
    cut("a server's cable to its members is pulled, and put back", third, "front", 3_000),
    cut(
      "a server's cable to NATS is pulled for longer than --hold, and put back",
      third,
      "back",
      13_000,
      {
        told: /^The other servers cannot be reached/,
      },
    ),
    frozen("a server is frozen, and goes on", 8_000, () => servers.slice(1, 2)),
    frozen("all of NATS is frozen, and goes on", 7_000, () => nats.nodes, {
      told: /^The other servers cannot be reached/,
    }),
  ];
  const endpoints = stage.servers.map(({ addresses }) => ({
    host: addresses.front ?? "",
    port: PORT,
  }));
  console.log(
    resultLines(await talkThrough({ members: MEMBERS, endpoints: () => endpoints, faults })),
  );
}

function cut(
  what: string,
  machine: Machine,
  segment: "front" | "back",
  lastsMs: number,
  more: Partial<Fault> = {},
): Fault {
  return {
    what,
    lastsMs,
    restMs: 1_500,
    begin: () => setCable(machine, segment, "down"),
    end: () => setCable(machine, segment, "up"),
    ...more,
  };
}

/** Processes that stand still for a while; their connections stay open. */
function frozen(
  what: string,
  lastsMs: number,
  processes: () => readonly { signal(signal: Deno.Signal): void }[],
  more: Partial<Fault> = {},
): Fault {
  return {
    what,
    lastsMs,
    restMs: 3_000,
    begin: () => processes().forEach((process) => process.signal("SIGSTOP")),
    end: () => processes().forEach((process) => process.signal("SIGCONT")),
    ...more,
  };
}

if (import.meta.main) {
  await play(JSON.parse(await new Response(Deno.stdin.readable).text()));
  Deno.exit(0);
}
