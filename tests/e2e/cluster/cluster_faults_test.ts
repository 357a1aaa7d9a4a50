// deno-lint-ignore-file no-console
// Three servers over three NATS nodes, whose members talk all the while: servers and nodes are killed and come back, and
// are cut off. What was acknowledged is at everybody once, in one order. Where namespaces can be made, each is on a
// machine of its own and its cable is pulled; elsewhere all are on this one, and a proxy cuts.

import type { Stage } from "../../helpers/system/cluster_in_namespaces.ts";
import {
  nodeKilled,
  resultLines,
  serverKilled,
  talkThrough,
} from "../../helpers/hostile/fault_talk.ts";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { startNats } from "../../helpers/system/nats.ts";
import { openNetwork, whyNoNamespaces } from "../../helpers/system/network_namespaces.ts";
import { runHelper } from "../../helpers/programs/programs.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";

const noNats = whyMissing("nats-server");
const noNamespaces = await whyNoNamespaces();
const MEMBERS = 30;
const SERVERS = 3;
const SECRET = "A".repeat(43);
const PLAY_MS = 400_000;

const testOnMachines = skipUnless(
  (noNats ?? noNamespaces) === undefined,
  noNats ?? noNamespaces ?? "",
);
const testOnOne = skipUnless(
  noNats === undefined && noNamespaces !== undefined,
  noNats ?? "the same was done on machines of their own",
);

testOnMachines(
  "30 members of three servers on machines of their own: processes killed, cables pulled, and all back",
  async () => {
    await using network = await openNetwork({
      s1: ["front", "back"],
      s2: ["front", "back"],
      s3: ["front", "back"],
      n1: ["back"],
      n2: ["back"],
      n3: ["back"],
    });
    const named = (names: readonly string[]) =>
      names.flatMap((name) => network.machines.get(name) ?? []);
    // A regular expression; all of them take some five minutes: CLUSTER_FAULTS=.
    const only = Deno.env.get("CLUSTER_FAULTS");
    const stage: Stage = {
      ...(only ? { only } : {}),
      servers: named(["s1", "s2", "s3"]),
      nodes: named(["n1", "n2", "n3"]),
    };
    const { under } = network.middle;
    console.log(await runHelper("system/cluster_in_namespaces.ts", stage, { under, ms: PLAY_MS }));
  },
);

testOnOne(
  "30 members of three servers: a server killed, a NATS node killed, a server cut off, and back",
  async () => {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await startNats(3));
    const identity = stack.use(await makeIdentity());
    const [first = "", ...others] = nats.nodes.map(({ url }) => url);
    // The third server reaches NATS through a network of its own, which can be cut.
    const wire = stack.use(new FaultyNetwork(Number(new URL(first).port), () => undefined));
    const { target } = wire;
    const urls = [first, others.join(","), `nats://127.0.0.1:${wire.port}`];
    const start = (n: number, port = 0) =>
      startServer({
        args: [
          "--rate-limit",
          "off",
          "--max-per-address",
          "off",
          "--port",
          String(port),
          "--nats",
          urls[n] ?? "",
          "--nats-replicas",
          "3",
          "--identity-file",
          identity.path,
        ],
        env: { CMDCHAT_CLUSTER_KEY: SECRET },
      });
    const servers: RunningServer[] = [];
    for (let n = 0; n < SERVERS; n++) servers.push(stack.use(await start(n)));
    const { port } = servers[0] as RunningServer;
    const results = await talkThrough({
      members: MEMBERS,
      endpoints: () => servers.map((server) => ({ host: "127.0.0.1", port: server.port })),
      faults: [
        serverKilled(servers, {
          again: async () => stack.use(await start(0, port)),
          lastsMs: 6_000,
        }),
        nodeKilled(nats),
        {
          what: "a server is cut off from NATS, and back",
          begin: () => {
            // Nobody listens there.
            wire.target = 1;
            wire.cutAll();
          },
          lastsMs: 7_000,
          end: () => void (wire.target = target),
          restMs: 3_000,
          told: /^The other servers cannot be reached/,
        },
      ],
    });
    console.log(resultLines(results));
  },
);
