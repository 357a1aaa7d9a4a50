import assert from "node:assert/strict";
import fc from "fast-check";
import type { OutgoingBody } from "../../../server/delivery/encoded_event.ts";
import { filledSoFar } from "../../../server/delivery/flush_turn.ts";
import { Outbox } from "../../../server/delivery/outbox.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import {
  OUTBOX_BUDGET,
  OUTBOX_BULK_MAX_BYTES,
  OUTBOX_BULK_WRITE_BYTES,
  OUTBOX_MAX_BYTES,
  OUTBOX_PROMPT,
  OUTBOX_WRITE_BYTES,
  PRESENCE,
} from "../../../server/config/limits.ts";
import { PresenceTurns } from "../../../server/delivery/presence_turns.ts";
import { turns } from "../../helpers/fakes/chat_fakes.ts";

/** A body whose content is its number, and that claims to have `bytes`. */
function body(n: number, bytes: number): OutgoingBody<number> {
  return { content: n, bytes, waiting: 0 };
}

/** An outbox whose writes end when the test says so. */
function recorded(
  budget = new FairBudget(OUTBOX_BUDGET),
  source = "192.0.2.1",
  presence?: PresenceTurns,
) {
  const writes: { bodies: number[]; done: PromiseWithResolvers<void> }[] = [];
  const told = { overflow: 0, broken: 0, written: 0 };
  let sealed: number[] = [];
  const outbox = new Outbox<number>(
    {
      mostBodies: Infinity,
      sealOne(body) {
        return this.seal([body]);
      },
      seal(bodies) {
        sealed = bodies.map(({ content }) => content);
        return new Uint8Array(bodies.length);
      },
      write() {
        const done = Promise.withResolvers<void>();
        writes.push({ bodies: sealed, done });
        return done.promise;
      },
      onOverflow: () => void told.overflow++,
      onBroken: () => void told.broken++,
      onWritten: (bytes) => void (told.written += bytes.length),
    },
    { budget, source },
    presence,
  );
  return { outbox, writes, told, budget };
}

Deno.test("what is sent in one turn shares one write, and what comes meanwhile the next", async () => {
  const { outbox, writes, told } = recorded();
  for (const n of [1, 2, 3]) outbox.send(body(n, 10));
  await turns();
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[1, 2, 3]]);
  for (const n of [4, 5]) outbox.send(body(n, 10));
  await turns();
  assert.equal(writes.length, 1, "one write at a time");
  writes[0]?.done.resolve();
  await turns();
  assert.deepEqual(writes[1]?.bodies, [4, 5]);
  writes[1]?.done.resolve();
  await outbox.drained();
  assert.equal(told.written, 5);
});

/** Whether a body of so many bytes counts as one with which whoever sends it fills an outbox that has others. */
async function fills(others: readonly number[], bytes: number): Promise<boolean> {
  const { outbox } = recorded();
  for (const [n, of] of others.entries()) outbox.send(body(n, of));
  const before = filledSoFar();
  outbox.send(body(others.length, bytes));
  const hasFilled = filledSoFar() !== before;
  assert.equal(hasFilled, outbox.isHeavy);
  await turns();
  return hasFilled;
}

Deno.test("a few lines fill no outbox, and more lines or a long one do", async () => {
  const { bytes, bodies } = OUTBOX_PROMPT;
  assert.equal(await fills([], 100), false);
  assert.equal(await fills(Array(bodies - 1).fill(10), 10), false);
  assert.equal(await fills(Array(bodies).fill(10), 10), true);
  assert.equal(await fills([bytes - 10], 10), false);
  assert.equal(await fills([bytes - 10], 11), true);
  assert.equal(await fills([], bytes + 1), true);
});

function presence(n: number): OutgoingBody<number> {
  return { ...body(n, 10), mayWait: true };
}

/** Outboxes of a server where so many clients were told of presence that others wait. */
function crowded() {
  let now = 0;
  const looks: (() => void)[] = [];
  const all = new PresenceTurns(() => now, (_, look) => void looks.push(look));
  while (all.mayTellNow());
  const look = () => {
    now += PRESENCE.waitMs;
    for (const each of looks.splice(0)) each();
  };
  return { ...recorded(undefined, undefined, all), look };
}

Deno.test("a member in whose room a crowd comes and goes is not heavy, but one for whom much was said is", async () => {
  const { outbox } = crowded();
  for (let n = 0; n < 100; n++) outbox.send(presence(n));
  outbox.send(body(100, 300));
  assert.equal(outbox.isHeavy, false);
  for (let n = 0; n < 8; n++) outbox.send(body(101 + n, 10));
  assert.equal(outbox.isHeavy, true, "nine lines");
  await turns();
  const long = crowded().outbox;
  for (let n = 0; n < 100; n++) long.send(presence(n));
  long.send(body(100, 2_049));
  assert.equal(long.isHeavy, true, "a long line");
  await turns();
  const crowd = crowded().outbox;
  for (let n = 0; n < 1_100; n++) crowd.send(presence(n));
  assert.equal(crowd.isHeavy, true, "a crowd that takes as long to seal as talk");
});

Deno.test("who came is told at once where few come", async () => {
  const { outbox, writes } = recorded(undefined, undefined, new PresenceTurns(() => 0));
  outbox.send(presence(1));
  await turns();
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[1]]);
});

Deno.test("where a crowd comes, who came leaves with the next line, and in front of it", async () => {
  const { outbox, writes, look } = crowded();
  outbox.send(presence(1));
  outbox.send(presence(2));
  await turns();
  assert.equal(writes.length, 0);
  outbox.send(body(3, 10));
  await turns();
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[1, 2, 3]]);
  writes[0]?.done.resolve();
  look();
  await turns();
  assert.equal(writes.length, 1, "nothing is left to be told");
  outbox.send(presence(4));
  look();
  await turns();
  assert.deepEqual(writes[1]?.bodies, [4]);
  writes[1]?.done.resolve();
});

Deno.test("what may wait is written before an outbox is drained", async () => {
  const { outbox, writes } = crowded();
  outbox.send(presence(1));
  const drained = outbox.drained();
  await turns();
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[1]]);
  writes[0]?.done.resolve();
  await drained;
});

Deno.test("an outbox that was closed meanwhile is not told who came", async () => {
  const { outbox, writes, budget, look } = crowded();
  outbox.send(presence(1));
  outbox.close();
  look();
  await turns();
  assert.equal(writes.length, 0);
  assert.equal(budget.used, 0);
});

Deno.test("a write takes about OUTBOX_WRITE_BYTES, and a larger body whole", async () => {
  const { outbox, writes } = recorded();
  const half = OUTBOX_WRITE_BYTES / 2;
  for (const n of [1, 2, 3]) outbox.send(body(n, half));
  outbox.send(body(4, OUTBOX_WRITE_BYTES * 4));
  for (let write = 0; write < 3; write++) {
    await turns();
    writes[write]?.done.resolve();
  }
  await outbox.drained();
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[1, 2], [3, 4]]);
});

Deno.test("beyond its bound of talk an outbox is closed and empty, reports once, and takes nothing more", async () => {
  const { outbox, writes, told, budget } = recorded();
  outbox.send(body(1, 1));
  await turns();
  outbox.send(body(2, OUTBOX_MAX_BYTES));
  assert.equal(told.overflow, 0);
  assert.equal(budget.used, OUTBOX_MAX_BYTES + 1);
  outbox.send(body(3, 1));
  outbox.send(body(4, 1));
  assert.equal(told.overflow, 1);
  assert.equal(budget.used, 0);
  writes[0]?.done.resolve();
  await turns();
  assert.equal(writes.length, 1);
});

Deno.test("where all outboxes hold too much, the heaviest source is disconnected and not who is sent something", () => {
  const budget = new FairBudget({ most: 1_000, reserve: 10 });
  const attackers = [1, 2, 3].map(() => recorded(budget, "192.0.2.66"));
  for (const { outbox } of attackers) outbox.send(body(1, 300));
  const [small, newcomer] = [recorded(budget, "192.0.2.1"), recorded(budget, "192.0.2.2")];
  small.outbox.send(body(1, 90));
  newcomer.outbox.send(body(1, 20));
  assert.deepEqual([small.told.overflow, newcomer.told.overflow], [0, 0]);
  assert.equal(attackers.filter(({ told }) => told.overflow === 1).length, 1);
  assert.equal(budget.used, 710);
  for (const { outbox } of [...attackers, small, newcomer]) outbox.close();
  assert.equal(budget.used, 0, "each byte is given back once");
});

Deno.test("a body that waits in many outboxes counts once, until the last of them has written it", async () => {
  const budget = new FairBudget(OUTBOX_BUDGET);
  const [first, second] = [recorded(budget), recorded(budget)];
  const shared = body(2, 50_000);
  for (const { outbox } of [first, second]) outbox.send(body(1, 1));
  await turns();
  for (const { outbox } of [first, second]) outbox.send(shared);
  assert.equal(budget.used, 50_000 + 2, "the writes in flight count as well");
  first.writes[0]?.done.resolve();
  await turns();
  assert.equal(budget.used, 50_000 + 2);
  second.outbox.close();
  assert.equal(budget.used, 1);
});

Deno.test("talk leaves before parts of files, and a write has few of them", async () => {
  const { outbox, writes } = recorded();
  outbox.send(body(0, 1));
  await turns();
  const part = OUTBOX_BULK_WRITE_BYTES / 2;
  for (const n of [1, 2, 3]) assert.ok(outbox.sendBulk(body(n, part)));
  outbox.send(body(10, 10));
  for (let write = 0; write < 3; write++) {
    writes[write]?.done.resolve();
    await turns();
  }
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[0], [10, 1, 2], [3]]);
});

Deno.test("parts of files beyond their bound are refused, and the client stays", () => {
  const { outbox, told } = recorded();
  assert.ok(outbox.sendBulk(body(1, OUTBOX_BULK_MAX_BYTES)));
  assert.equal(outbox.sendBulk(body(2, 1)), false);
  outbox.send(body(3, OUTBOX_MAX_BYTES));
  assert.equal(told.overflow, 0);
});

Deno.test("who has to pay pays with parts of files first, and then with the connection", () => {
  const budget = new FairBudget({ most: 1_000, reserve: 10 });
  const { outbox, told } = recorded(budget);
  outbox.send(body(1, 100));
  assert.ok(outbox.sendBulk(body(2, 800)));
  assert.equal(outbox.sendBulk(body(3, 200)), false);
  assert.deepEqual([told.overflow, outbox.bulkDrops, budget.used], [0, 1, 100]);
  outbox.send(body(4, 1_000));
  assert.deepEqual([told.overflow, budget.used], [1, 0]);
});

Deno.test("a write that fails closes the outbox and is reported once; after close() nothing is", async () => {
  const broken = recorded();
  broken.outbox.send(body(1, 1));
  await turns();
  broken.outbox.send(body(2, 1));
  broken.writes[0]?.done.reject(new Error("the connection is lost"));
  await broken.outbox.drained();
  assert.deepEqual([broken.told.broken, broken.writes.length], [1, 1]);
  assert.equal(broken.budget.used, 0);

  const closed = recorded();
  closed.outbox.send(body(1, 1));
  await turns();
  closed.outbox.close();
  await closed.outbox.drained();
  closed.writes[0]?.done.reject(new Error("the connection is lost"));
  await turns();
  assert.equal(closed.told.broken, 0);
});

/** Two outboxes, one of which throws at this step, and what is told of both. */
async function toldWhereOneThrows(step: "seal" | "write"): Promise<string[]> {
  const told: string[] = [];
  const outboxes = ["bad", "good"].map((name) => {
    const pass = (at: typeof step) => {
      if (name === "bad" && at === step) throw new Error("the keys or the connection are gone");
    };
    return new Outbox<number>({
      mostBodies: Infinity,
      sealOne() {
        pass("seal");
        return new Uint8Array(1);
      },
      seal() {
        throw new Error("there is one body");
      },
      write() {
        pass("write");
        return Promise.resolve(void told.push(`${name} written`));
      },
      onOverflow() {},
      onBroken: () => void told.push(`${name} broken`),
      onWritten() {},
    }, { budget: new FairBudget(OUTBOX_BUDGET), source: name });
  });
  for (const outbox of outboxes) outbox.send(body(1, 1));
  await Promise.all(outboxes.map((outbox) => outbox.drained()));
  return told;
}

Deno.test("what cannot be sealed breaks its own outbox and no other", async () => {
  assert.deepEqual(await toldWhereOneThrows("seal"), ["bad broken", "good written"]);
});

Deno.test("a write that throws instead of rejecting breaks its own outbox and no other", async () => {
  assert.deepEqual(await toldWhereOneThrows("write"), ["bad broken", "good written"]);
});

Deno.test("waiting for an outbox to drain ends when it is closed", async () => {
  const { outbox } = recorded();
  outbox.send(body(1, 1));
  const drained = outbox.drained();
  await turns();
  outbox.close();
  await drained;
});

Deno.test("whatever the pace of writes, bodies leave once, in order, and the budget returns to 0", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: OUTBOX_WRITE_BYTES }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.boolean()), async (sizes, finishes) => {
      const { outbox, writes, budget } = recorded();
      let finished = 0;
      for (const [n, size] of sizes.entries()) {
        outbox.send(body(n, size));
        if (!finishes.next().value) continue;
        await Promise.resolve();
        if (finished < writes.length) writes[finished++]?.done.resolve();
      }
      const drained = outbox.drained();
      while (budget.used > 0 || finished < writes.length) {
        if (finished < writes.length) writes[finished++]?.done.resolve();
        await turns();
      }
      await drained;
      assert.deepEqual(writes.flatMap(({ bodies }) => bodies), [...sizes.keys()]);
    }),
    { numRuns: 50 },
  );
});

Deno.test("the buffer of a part of a file is given back when the last outbox has sealed it, and not before", async () => {
  const { buffer } = new Uint8Array(32_768);
  const part = { ...body(1, 32_768), buffer };
  const [first, second] = [recorded(), recorded()];
  second.outbox.send(body(0, 1));
  await turns();
  for (const { outbox } of [first, second]) outbox.sendBulk(part);
  await turns();
  assert.deepEqual(first.writes[0]?.bodies, [1]);
  assert.equal(buffer.byteLength, 32_768, "another write is in flight there");
  second.writes[0]?.done.resolve();
  await turns();
  assert.deepEqual(second.writes[1]?.bodies, [1]);
  assert.equal(buffer.byteLength, 0);
  for (const { writes } of [first, second]) writes.at(-1)?.done.resolve();
  await Promise.all([first, second].map(({ outbox }) => outbox.drained()));
});
