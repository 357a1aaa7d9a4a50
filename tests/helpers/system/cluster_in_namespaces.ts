// deno-lint-ignore-file no-console
// Run in the middle of a network of namespaces, by tests/e2e/cluster/cluster_faults_test.ts: three servers over three NATS nodes,
// each on a machine of its own, whose cables are pulled while members talk. Standard input has the machines.

import { jetstream, JetStreamApiError, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import {
  type Fault,
  nodeKilled,
  pause,
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
  /** The faults to try, as a regular expression; those that differ most unless told. */
  readonly only?: string;
  readonly servers: readonly Machine[];
  readonly nodes: readonly Machine[];
}

const MEMBERS = 30;
// In a network of its own every port is free.
const PORT = 5_050;
const SECRET = "A".repeat(43);
const HOLD_S = 10;
const RIGHT = "right-password";

// What the others show, these show as well; the rest is run by hand.
const SHORT = "is killed, and|cable to NATS is pulled, and|password|is full|max_payload";

async function play(stage: Stage): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const places = stage.nodes.map(({ addresses, under }) => ({
    address: addresses.back ?? "",
    under,
  }));
  const nats = stack.use(await startNats(places.length, [], places, login(RIGHT)));
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
      env: {
        CMDCHAT_CLUSTER_KEY: SECRET,
        CMDCHAT_NATS_USER: "chat",
        CMDCHAT_NATS_PASSWORD: RIGHT,
      },
    });
  const servers: RunningServer[] = [];
  for (const [n, machine] of stage.servers.entries()) {
    servers.push(stack.use(await start(machine, n)));
  }
  const [first, , third] = stage.servers as [Machine, Machine, Machine];
  const [, , thirdNode] = stage.nodes as [Machine, Machine, Machine];
  let emptyStream = async () => {};
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
    {
      what: "NATS has another password, and the right one again",
      begin: () => nats.configure(login("another-password")),
      lastsMs: 8_000,
      end: () => nats.configure(login(RIGHT)),
      // Until all is answered, before the stream is full.
      restMs: 10_000,
      told: /^The other servers cannot be reached/,
    },
    {
      what: "the stream of NATS is full, and has room again",
      begin: async () => {
        emptyStream = await fillStream(urls);
      },
      lastsMs: 5_000,
      end: () => emptyStream(),
      restMs: 3_000,
      refuses: /the servers have no room for it now/,
    },
    {
      what: "NATS takes 4 KB at once (max_payload), and more again",
      begin: () => nats.configure(`${login(RIGHT)}\nmax_payload: 4096`),
      lastsMs: 6_000,
      end: () => nats.configure(login(RIGHT)),
      restMs: 3_000,
      refuses: /larger than the servers can pass on/,
      more: (message) => message % 8 === 0 ? "x".repeat(4_000) : "",
    },
  ];
  const wanted = new RegExp(stage.only ?? SHORT);
  const endpoints = stage.servers.map(({ addresses }) => ({
    host: addresses.front ?? "",
    port: PORT,
  }));
  console.log(
    resultLines(
      await talkThrough({
        members: MEMBERS,
        endpoints: () => endpoints,
        faults: faults.filter(({ what }) => wanted.test(what)),
      }),
    ),
  );
}

// The system's account has to be named: nats-server 2.9 loses the one that it makes itself at a reload.
const login = (password: string) =>
  `system_account: SYS, accounts { SYS {}, CHAT { jetstream: enabled, ` +
  `users: [{ user: chat, password: "${password}" }] } }`;

const JUNK = "cmdchat.room.junk";

// The stream is full, of bytes or of its account's memory.
const FULL: readonly number[] = [10_023, 10_028, 10_047, 10_077];
const REFILL_MS = 20;

/** Somebody with the rights of a server fills the stream, and whatever room servers make in it, until the returned end. */
async function fillStream(servers: readonly string[]): Promise<() => Promise<void>> {
  const connection = await connect({ servers: [...servers], user: "chat", pass: RIGHT });
  const client = jetstream(connection);
  // What fails for another reason, as while NATS elects a leader, says nothing of the room that there is.
  const fits = (bytes: number) =>
    client.publish(JUNK, new Uint8Array(bytes))
      .then(
        () => true,
        (error) => !(error instanceof JetStreamApiError && FULL.includes(error.code)),
      );
  const fill = async () => {
    for (const bytes of [1_000_000, 32_000, 1_000, 100]) while (await fits(bytes));
  };
  await fill();
  const ending = new AbortController();
  const refilling = (async () => {
    while (!ending.signal.aborted) {
      await pause(REFILL_MS);
      while (!ending.signal.aborted && await fits(100));
    }
  })();
  return async () => {
    ending.abort();
    await refilling;
    const manager = await jetstreamManager(connection);
    for await (const { config } of manager.streams.list()) {
      await manager.streams.purge(config.name, { filter: JUNK });
    }
    await connection.close();
  };
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
