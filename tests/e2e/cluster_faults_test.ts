// Three servers over three NATS nodes, whose members talk all the while: servers and nodes are killed and come back, a
// server is cut off from the others. What was acknowledged is at everybody once, in one order.

import assert from "node:assert/strict";
import { FaultyNetwork } from "../helpers/faulty_network.ts";
import { makeIdentity } from "../helpers/identities.ts";
import { LiveChat } from "../helpers/live_chat.ts";
import { natsProgram, startNats } from "../helpers/nats.ts";
import { type RunningServer, startServer } from "../helpers/server_process.ts";
import { skipUnless } from "../helpers/skip.ts";

const test = skipUnless(natsProgram() !== undefined, "nats-server is not installed");
const MEMBERS = 30;
const SERVERS = 3;
const SECRET = "A".repeat(43);

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Talk {
  stop(): Promise<Map<string, string>>;
  readonly said: number;
}

/** Everybody says something now and then; what became of each text. */
function talk(chats: readonly LiveChat[]): Talk {
  const outcomes = new Map<string, string>();
  const settled: Promise<void>[] = [];
  let over = false;
  let said = 0;
  const all = chats.map(async ({ chat }, n) => {
    for (let message = 0; !over; message++) {
      if (chat.requests.unsent < 5) {
        const text = `${n}.${message}`;
        said++;
        settled.push(chat.say(text).then((outcome) => void outcomes.set(text, outcome)));
      }
      await pause(400 + 10 * n);
    }
  });
  return {
    get said() {
      return said;
    },
    async stop() {
      over = true;
      await Promise.all(all);
      await Promise.all(settled);
      return outcomes;
    },
  };
}

test("30 members of three servers: a server killed, a NATS node killed, a server cut off, and back", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats(3, ["--no_advertise"]));
  const identity = stack.use(await makeIdentity());
  const [first = "", ...others] = nats.nodes.map(({ url }) => url);
  // The third server reaches NATS through a network of its own, which can be cut.
  const wire = stack.use(new FaultyNetwork(Number(new URL(first).port), () => undefined));
  const urls = [first, others.join(","), `nats://127.0.0.1:${wire.port}`];
  const start = (n: number, port = 0) =>
    startServer({
      args: [
        ...["--rate-limit", "off", "--max-per-address", "off", "--port", String(port)],
        ...["--nats", urls[n] ?? "", "--nats-replicas", "3", "--identity-file", identity.path],
      ],
      env: { CMDCHAT_CLUSTER_KEY: SECRET },
    });
  const servers: RunningServer[] = [];
  for (let n = 0; n < SERVERS; n++) servers.push(stack.use(await start(n)));
  const chats = Array.from({ length: MEMBERS }, (_, n) => {
    let attempt = n;
    return stack.use(
      new LiveChat({
        name: `m${n}`,
        // As behind one name with several addresses: the next attempt goes to the next server.
        port: () => (servers[attempt++ % SERVERS] as RunningServer).port,
      }),
    );
  });
  for (const chat of chats) {
    await chat.until(() => chat.chat.room.roster.names.length === MEMBERS, "all in", 30_000);
  }

  const talking = talk(chats);
  await pause(2_000);
  const { port } = servers[0] as RunningServer;
  await (servers[0] as RunningServer).stop("SIGKILL");
  await pause(6_000);
  servers[0] = stack.use(await start(0, port));
  await pause(1_500);
  await nats.nodes[1]?.kill();
  await pause(4_000);
  await nats.nodes[1]?.start();
  await nats.nodes[1]?.healthy();
  const { target } = wire;
  // Nobody listens there.
  wire.target = 1;
  wire.cutAll();
  await pause(7_000);
  wire.target = target;
  await pause(4_000);
  const outcomes = await talking.stop();

  assert.ok(outcomes.size > 500, `${outcomes.size} were said`);
  const confirmed = [...outcomes].filter(([, outcome]) => outcome === "confirmed");
  const unsure = [...outcomes].filter(([, outcome]) => outcome !== "confirmed");
  assert.deepEqual(unsure, []);
  for (const chat of chats) {
    await chat.until(() => chat.heard.length >= confirmed.length, "all messages", 20_000);
    const texts = chat.heard.map(({ text }) => String(text));
    assert.equal(new Set(texts).size, texts.length, "nothing twice");
    assert.deepEqual(texts, chats[0]?.heard.map(({ text }) => String(text)));
  }
});
