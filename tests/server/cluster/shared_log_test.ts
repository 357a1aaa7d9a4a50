import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Backplane } from "../../../server/cluster/backplane.ts";
import { SharedLog } from "../../../server/cluster/shared_log.ts";
import { MemoryCluster } from "../../helpers/fakes/memory_backplane.ts";

const SUBJECT = "cmdchat.room.test";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A list of words that several writers append to; an entry that is whole begins with all that was before. */
class Words {
  words: string[] = [];
  readonly settled: string[] = [];
  readonly log: SharedLog<string>;
  readonly refused: string[] = [];
  skips = 0;
  /** The words that were known at each loss of the log. */
  readonly losses: string[][] = [];
  readonly faults: unknown[] = [];

  constructor(backplane: Backplane) {
    this.log = new SharedLog<string>({
      backplane,
      subject: SUBJECT,
      machine: {
        write: (proposals, whole) => ({
          taken: Math.min(proposals.length, 8),
          body: encoder.encode(JSON.stringify({
            ...(whole ? { before: this.words } : {}),
            words: proposals.slice(0, 8),
          })),
        }),
        apply: ({ body }, own) => {
          const { before, words } = JSON.parse(decoder.decode(body));
          if (before !== undefined) this.words = before;
          this.words.push(...words);
          this.settled.push(...own);
        },
        refuse: (own) => {
          this.refused.push(...own.filter((word) => !word.startsWith("keep")));
          return own.filter((word) => word.startsWith("keep"));
        },
        skipped: () => this.skips++,
        lost: () => this.losses.push([...this.words]),
        empty: false,
      },
      seal: (body) => body,
      open: (body) => body,
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 100)),
      onFault: (error) => this.faults.push(error),
    });
  }
}

async function until(what: () => boolean): Promise<void> {
  for (let n = 0; n < 5_000 && !what(); n++) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(what(), "it did not come to that");
}

Deno.test("two writers have one order, and each word is there once", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [new Words(cluster.join()), new Words(cluster.join())];
  for (let n = 0; n < 100; n++) {
    a.log.propose(`a${n}`);
    b.log.propose(`b${n}`);
    if (n % 7 === 0) await undefined;
  }
  await until(() => a.words.length === 200 && b.words.length === 200);
  assert.deepEqual(a.words, b.words);
  assert.deepEqual(a.words.filter((word) => word.startsWith("a")), a.settled);
  assert.deepEqual(b.words.filter((word) => word.startsWith("b")), b.settled);
  a.log.close();
  b.log.close();
});

Deno.test("who comes late to a log that was trimmed has the whole state", async () => {
  const cluster = new MemoryCluster();
  cluster.keep = 130;
  const first = new Words(cluster.join());
  for (let n = 0; n < 400; n++) {
    first.log.propose(`${n}`);
    await until(() => first.settled.length === n + 1);
  }
  const late = new Words(cluster.join());
  await late.log.caughtUp();
  assert.deepEqual(late.words, first.words);
  first.log.close();
  late.log.close();
});

Deno.test("a log that the bus lost begins anew from what its writers have", async () => {
  const cluster = new MemoryCluster();
  const [a, b] = [new Words(cluster.join()), new Words(cluster.join())];
  a.log.propose("before");
  await until(() => b.words.length === 1);
  cluster.forgetAll();
  b.log.propose("after");
  await until(() => a.words.length === 2);
  assert.deepEqual(a.words, ["before", "after"]);
  assert.deepEqual(b.words, ["before", "after"]);
  a.log.close();
  b.log.close();
});

Deno.test("whatever connections fail and wherever, each word is there once, in one order for all", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.nat({ max: 99 })),
      fc.integer({ min: 0, max: 40 }),
      async (chances, percent) => {
        const chance = () => (chances.next().value as number) < percent;
        const delay = () =>
          chance() ? new Promise<void>((resolve) => setTimeout(resolve, 1)) : Promise.resolve();
        const cluster = new MemoryCluster();
        cluster.racy = chance;
        const writers = [1, 2, 3].map(() => new Words(cluster.join(chance, delay)));
        for (let n = 0; n < 20; n++) {
          writers.forEach((writer, w) => writer.log.propose(`${w}.${n}`));
          await delay();
        }
        await until(() => writers.every(({ words }) => words.length >= 60));
        writers.forEach((writer, w) => {
          assert.deepEqual(writer.words, writers[0]?.words);
          assert.equal(new Set(writer.words).size, 60);
          assert.deepEqual(writer.words.filter((word) => word.startsWith(`${w}.`)), writer.settled);
          assert.deepEqual(writer.faults, []);
          writer.log.close();
        });
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("what the backplane refuses goes back to its machine, and what must last is written once it can be", async () => {
  const cluster = new MemoryCluster();
  const writer = new Words(cluster.join());
  const { log, refused, faults } = writer;
  cluster.refusal = "full";
  for (const word of ["one", "keep two", "three"]) log.propose(word);
  await until(() => refused.length === 2);
  assert.deepEqual(refused, ["one", "three"]);
  log.propose("four");
  await until(() => refused.length === 3);
  cluster.refusal = undefined;
  log.propose("five");
  await until(() => writer.words.length === 2);
  assert.deepEqual(writer.words, ["keep two", "five"]);
  assert.deepEqual(faults, []);
  log.close();
});

Deno.test("what is first goes before all that waits", async () => {
  const cluster = new MemoryCluster();
  const writer = new Words(cluster.join());
  const { log } = writer;
  for (const word of ["a", "b"]) log.propose(word);
  log.propose("first", { isFirst: true });
  await until(() => writer.words.length === 3);
  assert.deepEqual(writer.words, ["first", "a", "b"]);
  log.close();
});

Deno.test("fit() keeps a log within its bytes, whoever joins late has all, and a server that fell behind knows it", async () => {
  const cluster = new MemoryCluster();
  cluster.limits = { entryBytes: 1_000_000, logBytes: 2_000 };
  const writer = new Words(cluster.join());
  let isSlow = false;
  const slow = new Words(
    cluster.join(() => false, async () => {
      while (isSlow) await new Promise((resolve) => setTimeout(resolve, 1));
    }),
  );
  const bytes = () =>
    (cluster.logs.get(SUBJECT) ?? []).reduce((sum, { body }) => sum + body.length, 0);
  await slow.log.caughtUp();
  for (let n = 0; n < 300; n++) {
    isSlow = n >= 10;
    writer.log.propose(`word ${n}`);
    await until(() => writer.words.length === n + 1);
    writer.log.fit();
  }
  await until(() => {
    writer.log.fit();
    return bytes() < 20_000;
  });
  const late = new Words(cluster.join());
  await late.log.caughtUp();
  assert.deepEqual(late.words, writer.words);
  assert.equal(late.skips, 0);
  isSlow = false;
  await until(() => slow.words.length === 300);
  assert.equal(slow.skips, 1);
  late.log.propose("and on");
  await until(() => [writer, slow, late].every(({ words }) => words.at(-1) === "and on"));
  assert.deepEqual(slow.words, writer.words);
  for (const { log, faults } of [writer, slow, late]) {
    assert.deepEqual(faults, []);
    log.close();
  }
});

Deno.test("a proposal is written whenever it comes, also as the writer is about to rest", async () => {
  const writer = new Words(new MemoryCluster().join());
  for (let microtasks = 0; microtasks < 60; microtasks++) {
    const { length } = writer.words;
    writer.log.propose(`a ${microtasks}`);
    await until(() => writer.words.length > length);
    for (let n = 0; n < microtasks; n++) await undefined;
    writer.log.propose(`b ${microtasks}`);
    await until(() => writer.words.length === length + 2);
  }
  writer.log.close();
});

Deno.test("a log that was lost and is written anew is another one before anything of it counts, however late that is noticed", async () => {
  const cluster = new MemoryCluster();
  const { promise: noticed, resolve: notice } = Promise.withResolvers<void>();
  const backplane = cluster.join();
  const slow: Backplane = {
    ...backplane,
    async first(subject) {
      await noticed;
      return backplane.first(subject);
    },
  };
  const [quick, late] = [new Words(cluster.join()), new Words(slow)];
  await late.log.caughtUp();
  quick.log.propose("old");
  await until(() => late.words.length === 1);
  const [old] = cluster.logs.get(SUBJECT) ?? [];
  assert.ok(old);
  // All is gone, and somebody writes again what was there first.
  cluster.logs.set(SUBJECT, []);
  cluster.append(SUBJECT, old.body, 0);
  await until(() => quick.losses.length === 1);
  // Enough of them that one has the whole state.
  for (let n = 0; n < 70; n++) {
    quick.log.propose(`fresh ${n}`);
    await until(() => quick.words.includes(`fresh ${n}`));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  notice();
  await until(() => late.words.includes("fresh 69"));
  late.log.propose("newest");
  await until(() => [quick, late].every(({ words }) => words.includes("newest")));
  assert.deepEqual(late.words, quick.words);
  assert.deepEqual(late.losses, [["old"]], "what was written after the loss is not lost with it");
  for (const { log, faults } of [quick, late]) {
    assert.deepEqual(faults, []);
    log.close();
  }
});

Deno.test("entries that nobody can read, and that take the place of all others, leave whoever joins late with the whole state", async () => {
  const cluster = new MemoryCluster();
  cluster.keep = 20;
  const writer = new Words(cluster.join());
  writer.log.propose("kept");
  await until(() => writer.words.length === 1);
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 30; n++) {
      const last = cluster.logs.get(SUBJECT)?.at(-1)?.place ?? 0;
      cluster.append(SUBJECT, crypto.getRandomValues(new Uint8Array(40)).fill(9, 0, 1), last);
    }
    await until(() => cluster.logs.get(SUBJECT)?.at(-1)?.body[0] === 1);
    const late = new Words(cluster.join());
    await late.log.caughtUp();
    assert.deepEqual(late.words, ["kept"]);
    late.log.close();
  }
  assert.deepEqual(writer.faults, []);
  writer.log.close();
});
