import assert from "node:assert/strict";
import { HandshakeQueue } from "../../../server/limits/handshake_queue.ts";

/** A handshake that runs until the test ends it. */
function handshakes(queue: HandshakeQueue) {
  const running: { readonly name: string; readonly end: () => void }[] = [];
  const begin = (address: string, name: string) =>
    queue.run(address, () => {
      const { promise, resolve } = Promise.withResolvers<string>();
      running.push({ name, end: () => resolve(name) });
      return promise;
    });
  /** Resolves once one runs. */
  const started = async () => {
    while (running.length === 0) await turn();
  };
  /** Ends `count` handshakes, one after another, until the next one runs. */
  const endAll = async (count: number, before: () => void) => {
    for (let n = 0; n < count; n++) {
      await started();
      before();
      running.shift()?.end();
    }
    await started();
  };
  return { running, begin, started, endAll };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("no more handshakes run at a time than are allowed, and all of them run", async () => {
  const { running, begin } = handshakes(new HandshakeQueue(() => 2));
  const all = ["a", "b", "c", "d"].map((name) => begin("192.0.2.1", name));
  const seen: string[] = [];
  while (seen.length < 4) {
    await turn();
    assert.ok(running.length <= 2);
    const one = running.shift();
    if (one !== undefined) seen.push(one.name);
    one?.end();
  }
  assert.deepEqual(await Promise.all(all), ["a", "b", "c", "d"]);
});

Deno.test("a source with fifty connections does not go before one with one", async () => {
  const { running, begin, started } = handshakes(new HandshakeQueue(() => 1));
  for (let n = 0; n < 50; n++) void begin("192.0.2.1", `flood ${n}`);
  void begin("192.0.2.2", "newcomer");
  await started();
  running.shift()?.end();
  await started();
  running.shift()?.end();
  await started();
  // The one that ran, one that had its turn, and then the other source.
  assert.ok(["flood 1", "newcomer"].includes(running[0]?.name ?? ""));
  const before = running[0]?.name;
  running.shift()?.end();
  await started();
  assert.ok(before === "newcomer" || running[0]?.name === "newcomer");
});

/** How many of `flood`, which come first, have their turn before one from `address`. */
async function turnsBefore(flood: readonly string[], address: string): Promise<number> {
  const { running, begin, started } = handshakes(new HandshakeQueue(() => 1));
  for (const from of flood) void begin(from, "flood");
  void begin(address, "newcomer");
  for (let turns = 0;; turns++) {
    await started();
    const { name, end } = running.shift()!;
    if (name === "newcomer") return turns;
    end();
  }
}

Deno.test("an IPv6 /48 has one turn, and its sources take turns in that", async () => {
  const site = Array.from({ length: 50 }, (_, n) => `2001:db8:7:${n}::1`);
  assert.ok(await turnsBefore(site, "192.0.2.2") <= 2);
  const source = Array.from({ length: 50 }, (_, n) => `2001:db8:7:1::${n}`);
  assert.ok(await turnsBefore(source, "2001:db8:7:2::1") <= 2, "a neighbor");
});

Deno.test("a handshake that fails gives its turn to the next", async () => {
  const queue = new HandshakeQueue(() => 1);
  await assert.rejects(queue.run("192.0.2.1", () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await queue.run("192.0.2.1", () => Promise.resolve(7)), 7);
});

Deno.test("a queue that rests leaves half of the time to others while handshakes wait", async () => {
  const queue = new HandshakeQueue(() => 1, { rests: true });
  let working = 0;
  const work = () => {
    const began = performance.now();
    while (performance.now() - began < 5);
    working += performance.now() - began;
    return Promise.resolve();
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: 20 }, () => queue.run("192.0.2.1", work)));
  const took = performance.now() - began;
  assert.ok(took > 1.8 * working, `${working} ms of ${took}`);
});

Deno.test("clients whose turn would come too late are told one time after another, and other sources none", async () => {
  let now = 0;
  const queue = new HandshakeQueue(() => 1, { now: () => now });
  const { begin, endAll } = handshakes(queue);
  const flood = "192.0.2.1";
  for (let n = 0; n < 1_000; n++) {
    assert.equal(queue.pauseFor(flood), undefined);
    void begin(flood, `${n}`);
  }
  // Each takes 7.5 ms from now on.
  await endAll(150, () => now += 7.5);
  const early = queue.pauseFor(flood) ?? 0;
  assert.equal(early, 1_000, "a process that starts becomes faster");
  now += 4_000;
  const [first = 0, second = 0, third = 0] = [0, 0, 0].map(() => queue.pauseFor(flood));
  // The turn comes after 6.3 s.
  assert.ok(first > 2_500 && first < 2_800, `${first}`);
  assert.ok(second - first >= 5 && second - first <= 7, `${second - first}`);
  assert.ok(third > second);
  for (let n = 0; n < 10_000; n++) assert.ok((queue.pauseFor(flood) ?? 0) <= 30_000);
  assert.equal(queue.pauseFor("192.0.2.2"), undefined, "its turn is the next");
});

Deno.test("a client that is sent away comes back while others still wait, and is let in then", async () => {
  let now = 0;
  const queue = new HandshakeQueue(() => 1, { now: () => now });
  const { begin, endAll } = handshakes(queue);
  const herd = "192.0.2.1";
  for (let n = 0; n < 1_600; n++) void begin(herd, `${n}`);
  await endAll(600, () => now += 6);
  const told = queue.pauseFor(herd) ?? 0;
  // With the longest addition.
  await endAll(Math.min(Math.round(1.25 * told / 6), queue.waiting), () => now += 6);
  assert.ok(queue.waiting > 0, `after ${told} ms nobody waits any more`);
  assert.equal(queue.pauseFor(herd), undefined);
});

Deno.test("what is known of a handshake before the first client says how many are let in, and no more once one was sent away", () => {
  const herd = "192.0.2.1";
  const queue = new HandshakeQueue(() => 0);
  queue.expectPace(2);
  const letIn = () => {
    for (let count = 0;; count++) {
      if (queue.pauseFor(herd) !== undefined) return count;
      void queue.run(herd, () => Promise.resolve());
    }
  };
  assert.equal(letIn(), 2_001);
  queue.expectPace(1);
  assert.equal(letIn(), 0);
});

Deno.test("a trial that was held up sends nobody away whom a slow server could answer", () => {
  const queue = new HandshakeQueue(() => 0);
  queue.expectPace(10_000);
  for (let n = 0; n < 500; n++) {
    assert.equal(queue.pauseFor("192.0.2.1"), undefined, `${n} wait`);
    void queue.run("192.0.2.1", () => Promise.resolve());
  }
});

Deno.test("a moment in which nothing is computed sends nobody away for longer", async () => {
  let now = 0;
  const queue = new HandshakeQueue(() => 1, { now: () => now });
  const { begin, endAll } = handshakes(queue);
  const herd = "192.0.2.1";
  for (let n = 0; n < 2_500; n++) void begin(herd, `${n}`);
  await endAll(600, () => now += 2);
  await endAll(20, () => now += 40);
  const told = queue.pauseFor(herd) ?? 0;
  assert.equal(
    told,
    1_000,
    "the turn comes after 3.8 s, and after 15 s at the pace of that moment",
  );
});

Deno.test("a neighbor in the /48 of a crowd is let in, and of a /48 that is a crowd nobody more than of a source", () => {
  const queue = new HandshakeQueue(() => 0);
  for (let n = 0; n < 10_000; n++) void queue.run("2001:db8:7:1::1", () => Promise.resolve());
  assert.notEqual(queue.pauseFor("2001:db8:7:1::2"), undefined);
  assert.equal(queue.pauseFor("2001:db8:7:2::1"), undefined);
  const wide = new HandshakeQueue(() => 0);
  const address = (n: number) => `2001:db8:7:${n.toString(16)}::1`;
  for (let n = 0; n < 10_000; n++) void wide.run(address(n), () => Promise.resolve());
  assert.notEqual(wide.pauseFor(address(10_000)), undefined);
  assert.equal(wide.pauseFor("192.0.2.2"), undefined);
});

Deno.test("a slow start keeps nobody away once it is over", async () => {
  let now = 0;
  const queue = new HandshakeQueue(() => 1, { now: () => now });
  const { begin, endAll } = handshakes(queue);
  const herd = "192.0.2.1";
  for (let n = 0; n < 2_000; n++) void begin(herd, `${n}`);
  await endAll(64, () => now += 50);
  const told = queue.pauseFor(herd) ?? 0;
  assert.ok(told > 9_600 && told < 10_400, `${told} ms: as if a handshake took 8 ms`);
  await endAll(1_300, () => now += 1);
  assert.equal(queue.pauseFor(herd), undefined);
});

Deno.test("one lucky moment of a busy machine does not let in more than can be answered in time", async () => {
  let now = 0;
  const queue = new HandshakeQueue(() => 1, { now: () => now });
  const { begin, endAll } = handshakes(queue);
  const herd = "192.0.2.1";
  for (let n = 0; n < 2_000; n++) void begin(herd, `${n}`);
  // Its turns come in clumps: 20 handshakes at once each 100 ms.
  let ended = 0;
  await endAll(400, () => now += ended++ % 20 === 0 ? 100 : 0);
  for (let n = 0; n < 40; n++) {
    assert.notEqual(queue.pauseFor(herd), undefined, "1,600 that take 5 ms each");
    await endAll(1, () => now += ended++ % 20 === 0 ? 100 : 0);
  }
});
