// A room's log that an operator purges in NATS by hand: the room goes on, whoever comes first.

import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type NatsCluster, startNats } from "../../helpers/system/nats.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const test = skipWithout("nats-server");

/** Purges all logs; gives how many entries there were. */
async function purge(nats: NatsCluster): Promise<number> {
  const connection = await connect({ servers: nats.urls });
  const manager = await jetstreamManager(connection);
  let purged = 0;
  for await (const { config } of manager.streams.list()) {
    purged += (await manager.streams.purge(config.name)).purged;
  }
  await connection.close();
  return purged;
}

/** Entries that all logs have now. */
async function entries(nats: NatsCluster): Promise<number> {
  const connection = await connect({ servers: nats.urls });
  const manager = await jetstreamManager(connection);
  let count = 0;
  for await (const { state } of manager.streams.list()) count += state.messages;
  await connection.close();
  return count;
}

test("a room whose log is purged is put back by its servers, at the latest when somebody comes", async (t) => {
  await using nats = await startNats(1);
  await using identity = await makeIdentity();
  const start = () =>
    startServer({
      args: ["--nats", nats.urls, "--identity-file", identity.path],
      env: { CMDCHAT_CLUSTER_KEY: "A".repeat(43) },
    });
  await using one = await start();
  await using two = await start();
  await two.logged(/another server was found others=1/, 10_000);
  const join = ({ port }: RunningServer, name: string, room: string) =>
    V2Peer.join({ port, hello: { name, rooms: [[room, 0]] } });

  await t.step(
    "nobody speaks or comes: the state is back within seconds, maker included",
    async () => {
      await using alice = await join(one, "alice", "den");
      await alice.say("before", "den");
      await alice.until("chat");
      assert.ok(await purge(nats) > 0);
      const end = performance.now() + 10_000;
      while (await entries(nats) === 0) {
        assert.ok(performance.now() < end, "never put back");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await using bob = await join(two, "bob", "den");
      const { list } = await bob.until("members", ({ list }) => list.length === 2);
      assert.deepEqual(list.map(([, name]) => name).sort(), ["alice", "bob"]);
      await alice.until("joined", ({ name }) => name === "bob");
      await bob.say("hello again", "den");
      await alice.until("chat", ({ text }) => text === "hello again");
      await one.logged(/WARNING rooms are missing from NATS/);
    },
  );

  await t.step(
    "a newcomer comes at once: the room is put back first, maker included",
    async () => {
      await using alice = await join(one, "alice", "attic");
      await alice.say("before", "attic");
      await alice.until("chat");
      await purge(nats);
      await using bob = await join(two, "bob", "attic");
      const { maker } = await bob.until("rules");
      assert.equal(maker, alice.welcome.client);
      const { list } = await bob.until("members");
      assert.deepEqual(list.map(([, name]) => name).sort(), ["alice", "bob"]);
      await alice.until("joined", ({ name }) => name === "bob");
      await bob.say("is anybody here?", "attic");
      await alice.until("chat", ({ text }) => text === "is anybody here?");
      await alice.say("yes", "attic");
      await bob.until("chat", ({ text }) => text === "yes");
    },
  );
});
