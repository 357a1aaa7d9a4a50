// deno-lint-ignore-file no-console
// Somebody else with the login of the NATS that a cluster shares, and without its key: writes what it likes, repeats
// what it heard, and changes the stream. It can keep servers from each other; it must not crash them, fill their logs or
// their memory, say anything in anybody's name, or split a room without a word.

import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { pagesOf } from "../../helpers/programs/admin.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { startNats } from "../../helpers/system/nats.ts";

const test = skipWithout("nats-server");
const MIB = 1_048_576;

interface Heard {
  readonly subject: string;
  readonly data: Uint8Array;
}

/** Two servers with one member each, and somebody who hears and says all. */
class Scene implements AsyncDisposable {
  /** What must have been heard of what was said, in this order. */
  readonly #heard = new Map<V2Peer, string[]>();
  #said = 0;

  private constructor(
    readonly stack: AsyncDisposableStack,
    readonly servers: readonly [RunningServer, RunningServer],
    readonly members: readonly [V2Peer, V2Peer],
    readonly evil: NatsConnection,
    readonly heard: Heard[],
  ) {}

  static async open(): Promise<Scene> {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await startNats(1));
    const identity = stack.use(await makeIdentity());
    const shared = ["--nats", nats.urls, "--identity-file", identity.path];
    const start = async () =>
      stack.use(
        await startServer({
          args: [...shared, "--rate-limit", "off", "--admin-listen", "0"],
          env: { CMDCHAT_CLUSTER_KEY: "A".repeat(43) },
        }),
      );
    const servers = [await start(), await start()] as const;
    const evil = await connect({ servers: nats.urls });
    stack.defer(() => evil.close());
    const heard: Heard[] = [];
    evil.subscribe("cmdchat.>", {
      callback: (_error, { subject, data }) => {
        if (heard.length < 500) heard.push({ subject, data });
      },
    });
    await evil.flush();
    await servers[1].logged(/another server was found/, 10_000);
    const join = async ({ port }: RunningServer, name: string) =>
      stack.use(await V2Peer.join({ port, hello: { name } }));
    const members = [await join(servers[0], "ann"), await join(servers[1], "bob")] as const;
    await members[0].until("joined", ({ name }) => name === "bob");
    const scene = new Scene(stack.move(), servers, members, evil, heard);
    await scene.talk();
    return scene;
  }

  /** The subjects of the room's log and of what is not kept. */
  get subjects(): string[] {
    return [...new Set(this.heard.map(({ subject }) => subject))];
  }

  get log(): string {
    return this.heard.find(({ subject }) => subject.startsWith("cmdchat.room."))?.subject ?? "";
  }

  /** Each says something that both hear, once; with `mayMiss`, or are told that they may have missed something. */
  async talk({ mayMiss = false } = {}): Promise<void> {
    for (const member of this.members) {
      const text = `message ${++this.#said}`;
      const before = this.members.map(({ events }) => events.length);
      await member.say(text);
      for (const [n, one] of this.members.entries()) {
        const isIt = (event: Event): event is Event => event.kind === "chat" && event.text === text;
        const isTold = (event: Event) =>
          mayMiss && event.kind === "entered" && !event.complete &&
          one.events.indexOf(event) >= (before[n] ?? 0);
        const event = await one.untilAny((event): event is Event => isIt(event) || isTold(event));
        if (isIt(event)) this.#heard.set(one, [...this.#heard.get(one) ?? [], text]);
      }
    }
    for (const one of this.members) {
      const texts = one.texts.filter((text) => text.startsWith("message "));
      const certain = this.#heard.get(one) ?? [];
      // What came after somebody was told of a gap came in its place, or not at all.
      assert.deepEqual(texts, texts.toSorted((a, b) => numberOf(a) - numberOf(b)));
      assert.deepEqual(texts.filter((text) => certain.includes(text)), certain);
    }
  }

  /** Somebody who comes to either server finds both. */
  async newcomers(): Promise<void> {
    for (const { port } of this.servers) {
      await using late = await V2Peer.join({ port, hello: { name: "late" } });
      const { list } = await late.until("members");
      const names = list.map(([, name]) => name).sort();
      assert.ok(names.includes("ann") && names.includes("bob"), `${names}`);
    }
  }

  lines(): number {
    return this.servers.reduce((sum, { log }) => sum + log.split("\n").length, 0);
  }

  memory(): number {
    return Math.max(...this.servers.map((server) => server.memory()));
  }

  async foreign(): Promise<number> {
    const response = await fetch(`http://${await pagesOf(this.servers[0])}/metrics`);
    return Number(/^cmdchat_cluster_foreign_total (\S+)$/m.exec(await response.text())?.[1]);
  }

  async [Symbol.asyncDispose]() {
    await this.stack.disposeAsync();
  }
}

function numberOf(text: string): number {
  return Number(text.split(" ")[1]);
}

function random(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  }
  return bytes;
}

test("bytes without sense on every subject, short, cut, large and many, are counted and change nothing", async () => {
  await using scene = await Scene.open();
  const { evil, subjects, heard } = scene;
  const [lines, memory] = [scene.lines(), scene.memory()];
  const live = subjects.filter((subject) => !subject.startsWith("cmdchat.room."));
  assert.ok(live.length >= 1, `${subjects}`);
  for (const subject of live) {
    for (const length of [0, 1, 11, 12, 13, 27, 28, 29, 100, 4_096]) {
      evil.publish(subject, random(length));
    }
  }
  for (const { subject, data } of heard) {
    if (subject.startsWith("cmdchat.room.")) continue;
    evil.publish(subject, data.subarray(0, data.length - 1));
    evil.publish(subject, data.subarray(0, 20));
    const changed = data.slice();
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    evil.publish(subject, changed);
  }
  await scene.talk();
  for (let n = 0; n < 100; n++) evil.publish("cmdchat.messages", random(MIB - 100));
  await evil.flush();
  await scene.talk();
  const small = random(40);
  for (let n = 0; n < 30_000; n++) {
    evil.publish("cmdchat.messages", small);
    if (n % 5_000 === 0) await evil.flush();
  }
  await evil.flush();
  await scene.talk();
  await scene.newcomers();
  // NATS cuts whoever reads too slowly off, and drops the rest.
  const counted = await scene.foreign();
  console.log(
    `foreign ${counted}, ${scene.lines() - lines} lines, ${
      ((scene.memory() - memory) / MIB).toFixed(0)
    } MiB more`,
  );
  assert.ok(counted > 10_000, `${counted}`);
  assert.ok(scene.lines() - lines < 60, scene.servers[0].log.slice(-2_000));
  assert.ok(scene.memory() - memory < 250 * MIB, `${scene.memory() - memory}`);
  assert.doesNotMatch(scene.servers[0].log, /unexpected fault/);
});

test("what was heard and is said again has no second effect", async () => {
  await using scene = await Scene.open();
  const { evil, heard, servers } = scene;
  const lines = scene.lines();
  for (let round = 0; round < 5; round++) {
    for (const { subject, data } of heard) evil.publish(subject, data);
    await evil.flush();
    await scene.talk();
  }
  await scene.newcomers();
  assert.ok(scene.lines() - lines < 30, servers[0].log.slice(-2_000));
  assert.doesNotMatch(servers[0].log, /unexpected fault|another server was (lost|gone)/);
});

test("entries that are written by hand push nothing out of a room, and newcomers find all", async () => {
  await using scene = await Scene.open();
  const { evil, log, heard, members: [ann], servers: [, two] } = scene;
  const lines = scene.lines();
  const stream = jetstream(evil);
  // A room that one server has alone: the other one reads its log when somebody comes.
  const known = new Set(scene.subjects);
  await ann.send({ kind: "join", id: ann.nextId(), title: "den" });
  await ann.until("entered", ({ title }) => title === "den");
  await ann.say("still here", "den");
  await ann.until("chat", ({ text }) => text === "still here");
  const den = scene.subjects.find((subject) =>
    subject.startsWith("cmdchat.room.") && !known.has(subject)
  );
  assert.ok(den);
  for (let n = 0; n < 600; n++) await stream.publish(den, random(64));
  await using guest = await V2Peer.join({
    port: two.port,
    hello: { name: "g", rooms: [["den", 0]] },
  });
  const { list } = await guest.until("members");
  assert.deepEqual(list.map(([, name]) => name).sort(), ["ann", "g"]);
  await guest.say("found you", "den");
  await ann.until("chat", ({ text }) => text === "found you");
  for (let n = 0; n < 1_200; n++) await stream.publish(log, random(n % 200));
  await scene.newcomers();
  for (const { subject, data } of heard) {
    if (subject === log) await stream.publish(log, data);
  }
  for (let n = 0; n < 600; n++) await stream.publish(log, random(64));
  await scene.talk();
  await scene.newcomers();
  console.log(`foreign ${await scene.foreign()}, ${scene.lines() - lines} lines`);
  assert.ok(await scene.foreign() > 1_500);
  assert.ok(scene.lines() - lines < 40, scene.servers[0].log.slice(-2_000));
  assert.doesNotMatch(scene.servers[0].log, /unexpected fault/);
});

test("a stream that is purged, changed, or deleted in use: rooms are whole again, and what went wrong is said", async () => {
  await using scene = await Scene.open();
  const { evil, log } = scene;
  const lines = scene.lines();
  const manager = await jetstreamManager(evil);
  const streamName = async () => {
    for await (const { config } of manager.streams.list()) return config.name;
    return assert.fail("there is no stream");
  };
  const first = await streamName();
  // Purged, and the first entry that comes is nobody's.
  await manager.streams.purge(first);
  await jetstream(evil).publish(log, random(50));
  await scene.newcomers();
  await scene.talk();
  // Single entries are taken out.
  for (let seq = 1; seq < 40; seq++) {
    await manager.streams.deleteMessage(first, seq).catch(() => false);
  }
  await scene.talk();
  await scene.newcomers();
  // It keeps one entry of a room.
  await manager.streams.update(first, { max_msgs_per_subject: 1 });
  await scene.talk({ mayMiss: true });
  await scene.newcomers();
  await manager.streams.delete(first);
  await scene.talk();
  await scene.newcomers();
  assert.ok(scene.lines() - lines < 60);
  assert.doesNotMatch(scene.servers[0].log, /unexpected fault/);
});
