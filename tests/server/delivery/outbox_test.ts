import assert from "node:assert/strict";
import fc from "fast-check";
import { Outbox, type OutboxBudget } from "../../../server/delivery/outbox.ts";
import {
  OUTBOX_MAX_BYTES,
  OUTBOX_TOTAL_MAX_BYTES,
  OUTBOX_WRITE_BYTES,
} from "../../../server/config/limits.ts";
import { turns } from "../../helpers/fakes/chat_fakes.ts";

/** A body that says which it is and how large it claims to be. */
interface Body {
  readonly n: number;
  readonly size: number;
}

/** An outbox whose writes end when the test says so. */
function recorded(budget: OutboxBudget = { queuedBytes: 0 }) {
  const writes: { bodies: number[]; done: PromiseWithResolvers<void> }[] = [];
  const told = { overflow: 0, broken: 0, written: 0 };
  let sealed: number[] = [];
  const outbox = new Outbox<Body>({
    sizeOf: ({ size }) => size,
    seal(bodies) {
      sealed = bodies.map(({ n }) => n);
      return new Uint8Array(bodies.length);
    },
    write() {
      const done = Promise.withResolvers<void>();
      writes.push({ bodies: sealed, done });
      return done.promise;
    },
    onOverflow: () => void told.overflow++,
    onBroken: () => void told.broken++,
    onWritten: (bytes) => void (told.written += bytes),
  }, budget);
  return { outbox, writes, told, budget };
}

Deno.test("what is sent in one turn shares one write, and what comes meanwhile the next", async () => {
  const { outbox, writes, told } = recorded();
  for (const n of [1, 2, 3]) outbox.send({ n, size: 10 });
  await turns();
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[1, 2, 3]]);
  for (const n of [4, 5]) outbox.send({ n, size: 10 });
  await turns();
  assert.equal(writes.length, 1, "one write at a time");
  writes[0]?.done.resolve();
  await turns();
  assert.deepEqual(writes[1]?.bodies, [4, 5]);
  writes[1]?.done.resolve();
  await outbox.drained();
  assert.equal(told.written, 5);
});

Deno.test("a write takes about OUTBOX_WRITE_BYTES, and a larger body whole", async () => {
  const { outbox, writes } = recorded();
  const half = OUTBOX_WRITE_BYTES / 2;
  for (const n of [1, 2, 3]) outbox.send({ n, size: half });
  outbox.send({ n: 4, size: OUTBOX_WRITE_BYTES * 4 });
  for (let write = 0; write < 3; write++) {
    await turns();
    writes[write]?.done.resolve();
  }
  await outbox.drained();
  assert.deepEqual(writes.map(({ bodies }) => bodies), [[1, 2], [3, 4]]);
});

Deno.test("beyond its bound an outbox is closed and empty, tells once, and takes nothing more", async () => {
  const { outbox, writes, told, budget } = recorded();
  outbox.send({ n: 1, size: 1 });
  await turns();
  outbox.send({ n: 2, size: OUTBOX_MAX_BYTES });
  assert.equal(told.overflow, 0);
  assert.equal(budget.queuedBytes, OUTBOX_MAX_BYTES);
  outbox.send({ n: 3, size: 1 });
  outbox.send({ n: 4, size: 1 });
  assert.equal(told.overflow, 1);
  assert.equal(budget.queuedBytes, 0);
  writes[0]?.done.resolve();
  await turns();
  assert.equal(writes.length, 1);
});

Deno.test("all outboxes together are bounded as well, and the one who asks for more is given up", () => {
  const budget = { queuedBytes: OUTBOX_TOTAL_MAX_BYTES - 100 };
  const [first, second] = [recorded(budget), recorded(budget)];
  first.outbox.send({ n: 1, size: 90 });
  second.outbox.send({ n: 1, size: 20 });
  assert.deepEqual([first.told.overflow, second.told.overflow], [0, 1]);
  second.outbox.close();
  first.outbox.close();
  first.outbox.close();
  assert.equal(budget.queuedBytes, OUTBOX_TOTAL_MAX_BYTES - 100, "each byte is given back once");
});

Deno.test("a write that fails closes the outbox and is told once; after close() nobody is told", async () => {
  const broken = recorded();
  broken.outbox.send({ n: 1, size: 1 });
  await turns();
  broken.outbox.send({ n: 2, size: 1 });
  broken.writes[0]?.done.reject(new Error("the link is gone"));
  await broken.outbox.drained();
  assert.deepEqual([broken.told.broken, broken.writes.length], [1, 1]);
  assert.equal(broken.budget.queuedBytes, 0);

  const closed = recorded();
  closed.outbox.send({ n: 1, size: 1 });
  await turns();
  closed.outbox.close();
  await closed.outbox.drained();
  closed.writes[0]?.done.reject(new Error("the link is gone"));
  await turns();
  assert.equal(closed.told.broken, 0);
});

Deno.test("what cannot be sealed breaks its own outbox and no other", async () => {
  const told: string[] = [];
  const [bad, good] = ["bad", "good"].map((name) =>
    new Outbox<Body>({
      sizeOf: ({ size }) => size,
      seal() {
        if (name === "bad") throw new Error("the keys are gone");
        return new Uint8Array(1);
      },
      write: () => Promise.resolve(void told.push(`${name} written`)),
      onOverflow() {},
      onBroken: () => void told.push(`${name} broken`),
      onWritten() {},
    }, { queuedBytes: 0 })
  ) as [Outbox<Body>, Outbox<Body>];
  for (const outbox of [bad, good]) outbox.send({ n: 1, size: 1 });
  await Promise.all([bad.drained(), good.drained()]);
  assert.deepEqual(told, ["bad broken", "good written"]);
});

Deno.test("who waits for an outbox to drain waits no longer than until it is closed", async () => {
  const { outbox } = recorded();
  outbox.send({ n: 1, size: 1 });
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
        outbox.send({ n, size });
        if (!finishes.next().value) continue;
        await Promise.resolve();
        if (finished < writes.length) writes[finished++]?.done.resolve();
      }
      const drained = outbox.drained();
      while (budget.queuedBytes > 0 || finished < writes.length) {
        if (finished < writes.length) writes[finished++]?.done.resolve();
        await turns();
      }
      await drained;
      assert.deepEqual(writes.flatMap(({ bodies }) => bodies), [...sizes.keys()]);
    }),
    { numRuns: 50 },
  );
});
