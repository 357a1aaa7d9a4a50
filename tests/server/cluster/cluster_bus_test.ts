import assert from "node:assert/strict";
import type { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import type { Audience, Channel, PlacedEvent, Position } from "../../../server/room/bus.ts";
import { randomSlot, type Slot, slotOf } from "../../../server/cluster/client_numbers.ts";
import { ClusterBus } from "../../../server/cluster/cluster_bus.ts";
import { ClusterKey } from "../../../server/cluster/cluster_key.ts";
import type { ClientId } from "../../../shared/messages/ids.ts";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";
import { MemoryCluster } from "../../helpers/fakes/memory_backplane.ts";
import { memoryAccount } from "../../helpers/peers/relay.ts";

const key = new ClusterKey(new Uint8Array(32).fill(7));

interface Side {
  readonly slot: Slot;
  readonly bus: ClusterBus;
  readonly channel: Channel;
  readonly delivered: EncodedEvent["event"][];
  /** Whom the last event was for. */
  audience: Audience;
  breaks: number;
}

interface SideOptions {
  readonly title?: string;
  /** Whether its connection fails now. */
  readonly isCut?: () => boolean;
  readonly onEvent?: (event: EncodedEvent["event"]) => void;
}

async function openSide(
  cluster: MemoryCluster,
  { title = "den", isCut = () => false, onEvent = () => {} }: SideOptions = {},
): Promise<Side> {
  const slot = randomSlot();
  const backplane = cluster.join(isCut);
  const bus = new ClusterBus({
    backplane,
    key,
    slot,
    homeOf: slotOf,
    onFault: (error) => {
      throw error;
    },
  });
  const delivered: EncodedEvent["event"][] = [];
  const side: { -readonly [K in keyof Side]?: Side[K] } = { slot, bus, delivered, breaks: 0 };
  const channel = bus.open({
    room: 1,
    title,
    memoryMs: 60_000,
    memory: memoryAccount(),
    deliver: ({ event }, audience) => {
      delivered.push(event);
      side.audience = audience;
      onEvent(event);
    },
    onBreak: () => side.breaks = (side.breaks ?? 0) + 1,
  });
  side.channel = channel;
  await channel.ready;
  return side as Side;
}

function joined(client: number, name: string): PlacedEvent {
  return { kind: "joined", room: 1, client, name, time: 1, old: false };
}

function chat(client: number, request: number, text: string): PlacedEvent {
  const said = { request, text, action: false, reply: 0 };
  return { kind: "chat", room: 1, client, name: "x", time: 1, ...said };
}

function close(...sides: Side[]): void {
  for (const { channel } of sides) channel.close();
}

Deno.test("one name in one room: who is second, on whichever server, gets a suffix", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  await Promise.all([
    a.channel.publish(joined(a.bus.firstClient, "ann")),
    b.channel.publish(joined(b.bus.firstClient, "Ann")),
  ]);
  const names = (side: Side) => side.channel.view?.occupants.map(({ name }) => name);
  assert.deepEqual(names(a), names(b));
  assert.equal(new Set(names(a)?.map((name) => name.toLowerCase())).size, 2);
  assert.ok(names(a)?.some((name) => name.endsWith("-2")));
  close(a, b);
});

Deno.test("a name that another server gave away meanwhile is refused with place 0", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  const [ann, bob] = [a.bus.firstClient, b.bus.firstClient];
  await a.channel.publish(joined(ann, "ann"));
  await b.channel.publish(joined(bob, "bob"));
  const about = { kind: "renamed", room: 1, time: 1, name: "zoe" } as const;
  const places = await Promise.all([
    a.channel.publish({ ...about, client: ann, previous: "ann" }),
    b.channel.publish({ ...about, client: bob, previous: "bob" }),
  ]);
  assert.equal(places.filter((place) => place === 0).length, 1);
  close(a, b);
});

Deno.test("what both say has one order, places and sequences, and a repeat is said once", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  const [ann, bob] = [a.bus.firstClient, b.bus.firstClient];
  await a.channel.publish(joined(ann, "ann"));
  await b.channel.publish(joined(bob, "bob"));
  await Promise.all([1, 2, 3, 4].flatMap((n) => [
    a.channel.publish(chat(ann, n, `a${n}`)),
    b.channel.publish(chat(bob, n, `b${n}`)),
  ]));
  assert.equal(await b.channel.publish(chat(ann, 4, "a4")), 0);
  const said = (side: Side) =>
    side.delivered.filter((event): event is EventOf<"chat"> => event.kind === "chat")
      .map(({ at, sequence, text }) => [at, sequence, text]);
  assert.deepEqual(said(a), said(b));
  assert.deepEqual(said(a).map(([at, sequence]) => [at, sequence]), [
    [3, 1],
    [4, 2],
    [5, 3],
    [6, 4],
    [7, 5],
    [8, 6],
    [9, 7],
    [10, 8],
  ]);
  close(a, b);
});

Deno.test("a lost server's clients are away, and gone when their time is over", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  const bob = b.bus.firstClient;
  await b.channel.publish(joined(bob, "bob"));
  a.bus.serverLost(b.slot);
  await a.channel.publish(joined(a.bus.firstClient, "ann"));
  assert.equal(a.channel.view?.of(bob)?.state, "away");
  a.bus.serverGone(b.slot);
  await a.channel.publish(chat(a.bus.firstClient, 1, "still here"));
  assert.equal(a.channel.view?.of(bob), undefined);
  close(a, b);
});

Deno.test("a log that was lost goes on far behind what anybody had, and rooms are told", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  const ann = a.bus.firstClient;
  await a.channel.publish(joined(ann, "ann"));
  cluster.forgetAll();
  const at = await a.channel.publish(chat(ann, 1, "after"));
  assert.ok((at ?? 0) > 1_000_000);
  await b.channel.publish(joined(b.bus.firstClient, "bob"));
  assert.deepEqual([a.breaks, b.breaks], [1, 1]);
  assert.equal(b.channel.view?.of(ann)?.name, "ann");
  close(a, b);
});

Deno.test("a room that nobody is in leaves nothing behind", async () => {
  const cluster = new MemoryCluster();
  const a = await openSide(cluster);
  const about = { room: 1, client: a.bus.firstClient, name: "ann", time: 1 };
  await a.channel.publish(joined(about.client, about.name));
  assert.equal([...cluster.logs.values()].flat().length, 1);
  void a.channel.publish({ kind: "left", ...about });
  a.channel.close();
  for (let n = 0; n < 100 && [...cluster.logs.values()].flat().length > 0; n++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.deepEqual([...cluster.logs.values()].flat(), []);
});

Deno.test("the bus holds neither a text nor a name nor a room's name", async () => {
  const cluster = new MemoryCluster();
  const a = await openSide(cluster, { title: "hideout" });
  await a.channel.publish(joined(a.bus.firstClient, "nathalie"));
  await a.channel.publish(chat(a.bus.firstClient, 1, "under the oak"));
  const kept = JSON.stringify([...cluster.logs].map(([subject, entries]) => [
    subject,
    entries.map(({ body }) => new TextDecoder().decode(body)),
  ]));
  for (const word of ["hideout", "nathalie", "oak"]) assert.ok(!kept.includes(word), word);
  close(a);
});

Deno.test("what is for one client alone comes to its server with its number, and what is for all without", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  const pull = {
    kind: "pull",
    room: 1,
    client: a.bus.firstClient,
    file: "f",
    index: 3,
    count: 1,
  } as const;
  const account = { source: "192.0.2.7", sharers: 3 };
  a.channel.pass(pull, { only: b.bus.firstClient, account });
  await heard(b, 1);
  assert.deepEqual(b.delivered, [pull]);
  assert.deepEqual(
    b.audience,
    { only: b.bus.firstClient, account },
    "what a file may cost counts by source",
  );
  a.channel.pass({ kind: "typing", room: 1, client: a.bus.firstClient, name: "ann" }, {
    except: a.bus.firstClient,
  });
  await heard(b, 2);
  assert.equal(b.audience, undefined);
  close(a, b);
});

async function heard({ delivered }: Side, count: number): Promise<void> {
  for (let n = 0; n < 500 && delivered.length < count; n++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.equal(delivered.length, count);
}

/** Answers of the bus to what `side` publishes for `client`: positions and refusals, in the order of the answers. */
function sayAll(side: Side, client: number, requests: readonly number[]): Promise<string[]> {
  return Promise.all(requests.map((request) =>
    new Promise<string>((resolve) => {
      const placed = side.channel.publish(chat(client, request, `text ${request}`), {
        onRefused: resolve,
      });
      void Promise.resolve(placed).then((at) => at === undefined || resolve("placed"));
    })
  ));
}

Deno.test("a server that was cut off for longer than sessions are held rejoins first, and then says what waited", async () => {
  const cluster = new MemoryCluster();
  let cut = false;
  let client = 0;
  const a: Side = await openSide(cluster, {
    isCut: () => cut,
    // As a room does: others believe its member gone, and it is not.
    onEvent: (event) => {
      if (event.kind !== "left" || event.client !== client) return;
      void a.channel.publish(joined(client, "ann"), { isFirst: true });
    },
  });
  const b = await openSide(cluster);
  client = a.bus.firstClient;
  await a.channel.publish(joined(client, "ann"));
  cut = true;
  const answers = sayAll(a, client, [1, 2, 3, 4, 5]);
  b.bus.serverLost(a.slot);
  b.bus.serverGone(a.slot);
  const bob = b.bus.firstClient;
  await b.channel.publish(joined(bob, "bob"));
  b.bus.serverGone(a.slot);
  await b.channel.publish(chat(bob, 1, "is ann gone?"));
  assert.equal(b.channel.view.of(client), undefined);
  cut = false;
  assert.deepEqual(await answers, Array(5).fill("placed"));
  const kinds = b.delivered.filter((event) => "client" in event && event.client === client)
    .map(({ kind }) => kind);
  assert.deepEqual(kinds, ["joined", "away", "left", "joined", ...Array(5).fill("chat")]);
  close(a, b);
});

Deno.test("whoever is not in the room by then gets an answer, and no silence", async () => {
  const cluster = new MemoryCluster();
  const a = await openSide(cluster);
  const gone = await sayAll(a, a.bus.firstClient, [1, 2]);
  assert.deepEqual(gone, Array(2).fill("you are not in that room any more"));
  close(a);
});

Deno.test("what the backplane refuses is answered with words, and members still leave", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  const ann = a.bus.firstClient;
  await a.channel.publish(joined(ann, "ann"));
  await b.channel.publish(joined(b.bus.firstClient, "bob"));
  cluster.refusal = "too_large";
  assert.deepEqual(await sayAll(a, ann, [1]), ["it is larger than the servers can pass on"]);
  cluster.refusal = "full";
  const [full] = await sayAll(a, ann, [2]);
  assert.equal(full, "the servers have no room for it now; try again later");
  const left = a.channel.publish({ kind: "left", room: 1, client: ann, name: "ann", time: 1 });
  cluster.refusal = undefined;
  assert.ok(await left);
  assert.deepEqual(await sayAll(b, b.bus.firstClient, [1]), ["placed"]);
  close(a, b);
});

Deno.test("a room whose state would not fit into an entry takes no more members, and says so", async () => {
  const cluster = new MemoryCluster();
  cluster.limits = { entryBytes: 340_000, logBytes: 4_000_000 };
  const a = await openSide(cluster);
  const b = await openSide(cluster);
  let answer: string | undefined;
  for (let n = 0; answer === undefined; n++) {
    assert.ok(n < 2_000);
    const name = `a-long-name-of-a-member-${n}`;
    const placed = a.channel.publish(joined(a.bus.firstClient + n, name), {
      onRefused: (why) => answer = why,
    });
    await placed;
  }
  assert.equal(answer, "it has as many members as the servers can keep");
  assert.deepEqual(await sayAll(a, a.bus.firstClient, [1]), ["placed"]);
  close(a, b);
});

Deno.test("while the servers cannot be reached, who comes and goes, or loses its connection and is back, leaves one event of each kind to be told", async () => {
  const cluster = new MemoryCluster();
  let cut = false;
  const a = await openSide(cluster, { isCut: () => cut });
  const b = await openSide(cluster);
  const ann = a.bus.firstClient;
  const [bob, carl, dora] = [ann + 1, ann + 2, ann + 3] as const;
  for (const client of [ann, bob, dora]) await a.channel.publish(joined(client, `m${client}`));
  cut = true;
  // On its way already, and to be told in any case.
  const first = a.channel.publish(chat(ann, 1, "hello?"));
  await Promise.resolve();
  const about = (client: ClientId) => ({ room: 1, client, name: `m${client}`, time: 1 });
  const others: Position[] = [];
  const say = (event: PlacedEvent) => void others.push(a.channel.publish(event));
  for (let n = 0; n < 300; n++) {
    say({ kind: "away", ...about(ann) });
    say({ kind: "status", ...about(ann), text: `${n}` });
    say({ kind: "back", ...about(ann) });
    say({ kind: "left", ...about(bob) });
    say(joined(bob, `m${bob}`));
    say(joined(carl, `m${carl}`));
    say({ kind: "status", ...about(carl), text: "out" });
    say({ kind: "left", ...about(carl) });
    say({ kind: "away", ...about(dora) });
  }
  say({ kind: "left", ...about(dora) });
  b.delivered.length = 0;
  cut = false;
  await Promise.all([first, ...others]);
  await b.channel.publish(joined(b.bus.firstClient, "b"));
  const told = (client: number) =>
    b.delivered.filter((event) => "client" in event && event.client === client)
      .map((event) => event.kind === "status" ? event.text : event.kind);
  assert.deepEqual(told(ann), ["chat", "299"], "it is as here as before");
  assert.deepEqual(told(bob), ["left", "joined"]);
  assert.deepEqual(told(carl), [], "nobody saw it come");
  assert.deepEqual(told(dora), ["left"]);
  close(a, b);
});

Deno.test("what somebody said between coming and going while the servers could not be reached is said, and both are told", async () => {
  const cluster = new MemoryCluster();
  let cut = false;
  const a = await openSide(cluster, { isCut: () => cut });
  const b = await openSide(cluster);
  const ann = a.bus.firstClient;
  cut = true;
  const all = [
    a.channel.publish(joined(ann, "ann")),
    a.channel.publish(chat(ann, 1, "hello")),
    a.channel.publish({ kind: "left", room: 1, client: ann, name: "ann", time: 1 }),
  ];
  cut = false;
  assert.ok((await Promise.all(all)).every((place) => place !== undefined && place > 0));
  await b.channel.publish(joined(b.bus.firstClient, "b"));
  assert.deepEqual(b.delivered.map(({ kind }) => kind), ["joined", "chat", "left", "joined"]);
  close(a, b);
});

Deno.test("who goes, is away or is back all at once shares few entries with what the others say, and all is told in order", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [await openSide(cluster), await openSide(cluster)];
  const ann = a.bus.firstClient;
  const clients = Array.from({ length: 60 }, (_, n) => ann + n);
  for (const client of clients) await a.channel.publish(joined(client, `m${client}`));
  const about = (client: number) => ({ room: 1, client, name: `m${client}`, time: 1 });
  const entries = () => [...cluster.logs.values()].flat().at(-1)?.place ?? 0;
  const before = entries();
  b.delivered.length = 0;
  const others = clients.slice(1);
  const all: Position[] = [];
  for (const client of others) all.push(a.channel.publish({ kind: "away", ...about(client) }));
  all.push(a.channel.publish(chat(ann, 1, "where are you?")));
  // Each depends on the one before of the same member.
  await Promise.resolve();
  for (const client of others) all.push(a.channel.publish({ kind: "left", ...about(client) }));
  all.push(a.channel.publish({ kind: "topic", ...about(ann), text: "nobody is here" }));
  await Promise.all(all);
  assert.ok(entries() - before <= 6, `${entries() - before} entries`);
  await b.channel.publish(joined(b.bus.firstClient, "b"));
  assert.deepEqual(b.delivered, a.delivered.slice(-b.delivered.length));
  assert.deepEqual(b.channel.view.occupants, a.channel.view.occupants);
  assert.equal(b.channel.view.size, 2);
  assert.equal(b.delivered.filter(({ kind }) => kind === "left").length, others.length);
  close(a, b);
});
