// What whoever has the bus can do with words that it once carried: repeat them, as they are.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Slot } from "../../../server/cluster/client_numbers.ts";
import { Cluster } from "../../../server/cluster/cluster.ts";
import type { ClusterHost, SharedSession } from "../../../server/cluster/cluster_contract.ts";
import { ClusterKey } from "../../../server/cluster/cluster_key.ts";
import { type ClusterMessage, OPEN_MAX } from "../../../server/cluster/cluster_messages.ts";
import { sha256 } from "../../../shared/crypto/hkdf.ts";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";
import type { ServerLoad } from "../../../server/cluster/server_places.ts";
import { MemoryCluster } from "../../helpers/fakes/memory_backplane.ts";

// As in server/cluster/cluster.ts.
const SUBJECT = "cmdchat.messages";
const SECRET = new Uint8Array(32).fill(7);
const MESSAGE: EventOf<"direct"> = {
  kind: "direct",
  room: 1,
  client: 1,
  name: "ann",
  time: 1,
  to: 2,
  toName: "bob",
  request: 3,
  text: "psst",
};

interface Server {
  readonly cluster: Cluster;
  /** Direct messages and admin decisions that it followed. */
  readonly followed: ClusterMessage[];
  /** What was told of other servers. */
  readonly seen: string[];
  /** Lists of the other servers, as clients were told them. */
  readonly told: readonly string[];
  /** How many clients were to go where. */
  readonly passed: readonly string[];
  readonly stop: AbortController;
}

interface ServerOptions {
  readonly secret?: Uint8Array;
  readonly identity?: string;
  readonly load?: ServerLoad;
  readonly holdMs?: number;
  readonly giveUp?: ClusterHost["giveUp"];
  readonly sessions?: readonly SharedSession[];
}

function startServer(bus: MemoryCluster, slot: number, options: ServerOptions = {}): Server {
  const { secret = SECRET, identity = "fingerprint", load, holdMs = 60_000 } = options;
  const [followed, seen, stop] = [[] as ClusterMessage[], [] as string[], new AbortController()];
  const [told, passed] = [[] as string[], [] as string[]];
  const cluster = new Cluster({
    backplane: bus.join(),
    key: new ClusterKey(secret),
    identity,
    onMismatch: (what) => seen.push(`another ${what}`),
    slot: slot as Slot,
    holdMs,
    onFault(error) {
      throw error;
    },
    onServers: (what) => seen.push(what),
  });
  const host: ClusterHost = {
    guestPass: () => undefined,
    sessions: () => options.sessions ?? [],
    standing: () => [],
    followRoom: () => {},
    giveUp: options.giveUp ?? (() => Promise.resolve(undefined)),
    direct: (word) => followed.push(word) > 0,
    follow: (word) => void followed.push(word),
    expel: () => undefined,
    load: () => load,
    tellServers: (list) => void told.push(list.map(({ host, port }) => `${host}:${port}`).join()),
    passOn: ({ to, count }) => void passed.push(`${count} to ${to.host}:${to.port}`),
  };
  cluster.run(host, stop.signal);
  return { cluster, followed, seen, told, passed, stop };
}

/** Lets all that was said arrive, and be answered. */
async function settle(): Promise<void> {
  for (let n = 0; n < 50; n++) await Promise.resolve();
}

/** All that the bus carries from now on, as it was sealed. */
function record(bus: MemoryCluster): Uint8Array[] {
  const carried: Uint8Array[] = [];
  bus.join().subscribe(SUBJECT, (body) => carried.push(body.slice()));
  return carried;
}

/** Says again what was said. */
function repeat(bus: MemoryCluster, carried: readonly Uint8Array[]): void {
  assert.ok(carried.length > 0, "nothing was recorded");
  const evil = bus.join();
  for (const body of [...carried]) evil.publish(SUBJECT, body);
}

Deno.test("two servers find each other, and what one says the other follows", async () => {
  const bus = new MemoryCluster();
  const [one, two] = [startServer(bus, 1), startServer(bus, 2)];
  await settle();
  assert.deepEqual([one.seen, two.seen], [["found"], ["found"]]);
  assert.equal(await one.cluster.direct(MESSAGE, "den"), true);
  assert.equal(two.followed.length, 1);
  for (const { stop } of [one, two]) stop.abort();
});

Deno.test("words that are repeated have no second effect: no direct message, no announcement, no goodbye", async () => {
  const bus = new MemoryCluster();
  const carried = record(bus);
  const [one, two] = [startServer(bus, 1), startServer(bus, 2)];
  await settle();
  await one.cluster.direct(MESSAGE, "den");
  one.cluster.sendAll({ kind: "announced", text: "soon" });
  await settle();
  assert.equal(two.followed.length, 2);
  repeat(bus, carried);
  await settle();
  assert.equal(two.followed.length, 2);
  assert.deepEqual(two.seen, ["found"]);

  // A server that comes later has heard none of it, and believes no more of it.
  const three = startServer(bus, 3);
  await settle();
  assert.deepEqual(three.seen, ["found", "found"]);
  repeat(bus, carried.slice(0, 12));
  await settle();
  assert.deepEqual([three.followed, three.seen], [[], ["found", "found"]]);
  for (const { stop } of [one, two, three]) stop.abort();
});

Deno.test("a server that is gone does not come back by its old words", async () => {
  const bus = new MemoryCluster();
  const carried = record(bus);
  const [one, two] = [startServer(bus, 1), startServer(bus, 2)];
  await settle();
  await two.cluster.direct(MESSAGE, "den");
  two.cluster.bye();
  two.stop.abort();
  await settle();
  assert.deepEqual(one.seen, ["found", "lost"]);
  repeat(bus, carried);
  await settle();
  assert.deepEqual(one.seen, ["found", "lost"]);
  assert.equal(one.followed.length, 1);
  one.stop.abort();
});

Deno.test("while a server is silent, another connection is asked for; a goodbye is no silence", async () => {
  const bus = new MemoryCluster();
  const one = startServer(bus, 1, { holdMs: 3_000 });
  const [two, three] = [startServer(bus, 2), startServer(bus, 3)];
  await settle();
  assert.deepEqual(one.seen, ["found", "found"]);
  three.cluster.bye();
  three.stop.abort();
  await delay(2_200);
  assert.equal(bus.renewals, 0);
  two.stop.abort();
  const end = Date.now() + 10_000;
  while (bus.renewals < 2) {
    assert.ok(Date.now() < end, "it asks at each beat");
    await delay(100);
  }
  const four = startServer(bus, 4);
  await settle();
  await delay(4_500);
  const asked = bus.renewals;
  await delay(2_200);
  assert.equal(
    bus.renewals,
    asked,
    "what is silent for too long is forgotten, where another one is heard",
  );
  for (const { stop } of [one, four]) stop.abort();
});

Deno.test("the last server asks for no other connection once the only other one is given up", async () => {
  const bus = new MemoryCluster();
  const [one, two] = [startServer(bus, 1, { holdMs: 1_000 }), startServer(bus, 2)];
  await settle();
  two.stop.abort();
  const end = Date.now() + 10_000;
  while (!one.seen.includes("gone")) {
    assert.ok(Date.now() < end, "it is given up");
    await delay(100);
  }
  const asked = bus.renewals;
  await delay(2_200);
  assert.ok(bus.renewals > asked, "a moment is no proof: its own connection may be at fault");
  const now = performance.now.bind(performance);
  performance.now = () => now() + 60_000;
  try {
    await delay(1_200);
    const before = bus.renewals;
    await delay(2_200);
    assert.equal(bus.renewals, before);
  } finally {
    performance.now = now;
  }
  one.stop.abort();
});

Deno.test("another key or another identity on the same backplane is noticed", async () => {
  const bus = new MemoryCluster();
  const one = startServer(bus, 1);
  const two = startServer(bus, 2, { identity: "another" });
  await settle();
  assert.ok(one.seen.includes("another identity") && two.seen.includes("another identity"));
  assert.deepEqual(one.cluster.status.others, [{ server: 2, hasOurIdentity: false }]);
  assert.equal(one.cluster.status.foreignMessages, 0);
  const stranger = startServer(bus, 3, { secret: new Uint8Array(32).fill(9) });
  await settle();
  assert.ok(one.seen.includes("another key"));
  assert.ok(one.cluster.status.foreignMessages > 0);
  assert.equal(one.cluster.others, 1);
  for (const { stop } of [one, two, stranger]) stop.abort();
});

Deno.test("a session whose ticket was changed goes to another server by either secret, until one was shown", async () => {
  const bus = new MemoryCluster();
  const [one, two] = [startServer(bus, 1), startServer(bus, 2)];
  await settle();
  const id = new Uint8Array(16).fill(5);
  const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const comes = async (secret: Uint8Array) => (await two.cluster.take(id, secret))?.client;
  const wait = (found: Promise<unknown>) => Promise.race([found, settle().then(() => "asked")]);
  one.cluster.opened({ id: 9, ticket: { id, secret: second, former: [sha256(first)] } });
  await settle();
  for (const secret of [first, second]) assert.equal(await wait(comes(secret)), "asked");
  assert.equal(await comes(new Uint8Array(32).fill(3)), undefined);
  one.cluster.opened({ id: 9, ticket: { id, secret: second } });
  await settle();
  assert.equal(await comes(first), undefined, "shown: the one before is worth nothing");
  assert.equal(await wait(comes(second)), "asked");
  one.stop.abort();
  two.stop.abort();
});

Deno.test("a server that has just started waits until the others have told it of their sessions, and for none that is gone", async () => {
  const bus = new MemoryCluster();
  const [id, secret] = [new Uint8Array(16).fill(5), new Uint8Array(32).fill(1)];
  const sessions = [{ id: 9, ticket: { id, secret } }];
  const giveUp = () =>
    Promise.resolve({ request: 1, mail: [], unsettled: { open: [], declined: [] } });
  const carried = record(bus);
  const old = startServer(bus, 1, { sessions, giveUp });
  const gone = startServer(bus, 2);
  await settle();
  gone.cluster.bye();
  gone.stop.abort();
  await settle();
  const fresh = startServer(bus, 3);
  assert.equal(await fresh.cluster.take(id, secret), undefined, "nobody has told it yet");
  const most = 60_000;
  await fresh.cluster.introductions.over({ hello: 1, most });
  assert.equal((await fresh.cluster.take(id, secret))?.client, 9);
  // One whose old words are repeated, or that hangs, says nothing of itself: it holds up for a while, and not forever.
  const later = startServer(bus, 4);
  repeat(bus, carried.slice(0, 3));
  await settle();
  let isOver = false;
  const over = later.cluster.introductions.over({ hello: 1, most: 100 }).then(() => isOver = true);
  await delay(20);
  assert.equal(isOver, false);
  await over;
  for (const { stop } of [old, fresh, later]) stop.abort();
});

Deno.test("what was not decided goes along with a session, also where its server tells of it anew meanwhile", async () => {
  const bus = new MemoryCluster();
  const [id, secret] = [new Uint8Array(16).fill(5), new Uint8Array(32).fill(1)];
  const unsettled = { open: [2], declined: [[3, "Cannot send it"]] } as const;
  const one = startServer(bus, 1, {
    giveUp() {
      one.cluster.opened({ id: 9, ticket: { id, secret } });
      return Promise.resolve({ request: 3, mail: [], unsettled });
    },
  });
  const two = startServer(bus, 2);
  await settle();
  one.cluster.opened({ id: 9, ticket: { id, secret } });
  await settle();
  const taken = await two.cluster.take(id, secret);
  assert.deepEqual([taken?.request, taken?.unsettled], [3, unsettled]);
  for (const { stop } of [one, two]) stop.abort();
});

Deno.test("a session with more undecided requests than can be told goes as one of which no request is known, with its mail", async () => {
  const bus = new MemoryCluster();
  const [id, secret] = [new Uint8Array(16).fill(5), new Uint8Array(32).fill(1)];
  const open = Array.from({ length: OPEN_MAX + 1 }, (_, n) => n + 1);
  const mail = [["lobby", new Uint8Array([7])]] as const;
  const one = startServer(bus, 1, {
    giveUp: () => Promise.resolve({ request: 9_999, mail, unsettled: { open, declined: [] } }),
  });
  const two = startServer(bus, 2);
  await settle();
  one.cluster.opened({ id: 9, ticket: { id, secret } });
  await settle();
  const taken = await two.cluster.take(id, secret);
  assert.equal(taken?.request, undefined);
  assert.deepEqual(taken?.mail, mail);
  assert.deepEqual(taken?.unsettled, { open: [], declined: [] });
  for (const { stop } of [one, two]) stop.abort();
});

Deno.test("servers that say where clients reach them are told of, each to the others, and have their share", async () => {
  const bus = new MemoryCluster();
  const load = { port: 5_050, takes: true };
  const [full, empty, silent] = [
    startServer(bus, 1, { load: { ...load, host: "a.example.org", members: 600 } }),
    startServer(bus, 2, { load: { ...load, host: "b.example.org", members: 0 } }),
    startServer(bus, 3),
  ];
  const end = performance.now() + 10_000;
  while (
    full.passed.length === 0 || empty.told.length === 0 || !silent.told.at(-1)?.includes(",")
  ) {
    assert.ok(performance.now() < end, "nothing was told or passed on");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(full.told, ["b.example.org:5050"]);
  assert.deepEqual(empty.told, ["a.example.org:5050"]);
  assert.equal(silent.told.at(-1), "a.example.org:5050,b.example.org:5050");
  assert.equal(full.passed[0], "5 to b.example.org:5050", "a minute's part of 300");
  assert.deepEqual([empty.passed, silent.passed], [[], []]);
  for (const { stop } of [full, empty, silent]) stop.abort();
});
