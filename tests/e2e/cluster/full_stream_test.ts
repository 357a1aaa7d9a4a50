// Rooms that fill NATS cost a quiet room nothing: over a real nats-server, with more text than its stream holds.

import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { randomSlot, slotOf } from "../../../server/cluster/client_numbers.ts";
import { ClusterBus } from "../../../server/cluster/cluster_bus.ts";
import { ClusterKey } from "../../../server/cluster/cluster_key.ts";
import { openNats } from "../../../server/nats/nats_backplane.ts";
import type { Channel, PlacedEvent } from "../../../server/room/bus.ts";
import { startNats } from "../../helpers/system/nats.ts";
import { memoryAccount } from "../../helpers/peers/relay.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const test = skipWithout("nats-server");
const MIB = 1_024 * 1_024;
const ROOMS = 140;
const ROUNDS = 30;
const TEXT = "x".repeat(4 * 1_024);
const STREAM_BYTES = 8 * MIB;
const FIT_MS = 200;

async function openServer(servers: string) {
  const none = { user: undefined, password: undefined, token: undefined, nkey: undefined };
  const refused: string[] = [];
  const backplane = await openNats({
    ...none,
    tls: undefined,
    servers,
    replicas: 1,
    streamBytes: STREAM_BYTES,
  }, {
    onState() {},
    onTrouble() {},
    onReconnected() {},
    onRefused: (kind) => refused.push(kind),
    onWaiting() {},
  });
  const bus = new ClusterBus({
    backplane,
    key: new ClusterKey(new Uint8Array(32).fill(7)),
    slot: randomSlot(),
    homeOf: slotOf,
    onFault: (error) => {
      throw error;
    },
  });
  // As a cluster does with each beat.
  const timer = setInterval(() => bus.fit(), FIT_MS);
  const channels: Channel[] = [];
  return {
    bus,
    refused,
    async open(title: string): Promise<Channel> {
      const channel = bus.open({
        room: channels.length + 1,
        title,
        memoryMs: 0,
        memory: memoryAccount(),
        deliver() {},
        onBreak() {},
      });
      channels.push(channel);
      await channel.ready;
      return channel;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await backplane.close();
    },
  };
}

const about = { room: 1, name: "x", time: 1 } as const;

function joined(client: number): PlacedEvent {
  return { kind: "joined", ...about, client, old: false };
}

function chat(client: number, request: number): PlacedEvent {
  return { kind: "chat", ...about, client, request, text: TEXT, action: false, reply: 0 };
}

test("more text than the stream holds, in 140 rooms: nothing is refused, and a quiet room is whole", async () => {
  await using nats = await startNats(1);
  await using one = await openServer(nats.urls);
  await using two = await openServer(nats.urls);
  const client = one.bus.firstClient;
  const quiet = await one.open("quiet");
  await quiet.publish(joined(client));
  const rooms = await Promise.all(Array.from({ length: ROOMS }, (_, n) => one.open(`loud ${n}`)));
  await Promise.all(rooms.map((room) => room.publish(joined(client))));
  for (let round = 1; round <= ROUNDS; round++) {
    await Promise.all(rooms.map((room) => room.publish(chat(client, round))));
    // Slower than the servers look at how full the stream is; a real one takes minutes to fill.
    await new Promise((resolve) => setTimeout(resolve, FIT_MS));
  }
  assert.deepEqual(one.refused, []);
  const there = await two.open("quiet");
  assert.deepEqual(there.view.occupants.map((occupant) => occupant.client), [client]);
  const loud = await two.open("loud 7");
  assert.equal(loud.view.of(client)?.request, ROUNDS);
  const connection = await connect({ servers: nats.urls });
  const manager = await jetstreamManager(connection);
  for await (const { state } of manager.streams.list()) {
    assert.ok(state.bytes < 0.9 * STREAM_BYTES, `${state.bytes} bytes`);
    assert.ok(state.last_seq * TEXT.length > STREAM_BYTES, `${state.last_seq} entries`);
  }
  await connection.close();
});
