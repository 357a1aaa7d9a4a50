import assert from "node:assert/strict";
import { TURN_MS } from "../../../server/config/limits.ts";
import { ThreadTurns } from "../../../server/limits/thread_turns.ts";

Deno.test("a turn is over after a bounded time of work, idle time not counted, and begins again", async () => {
  let now = 0;
  const turns = new ThreadTurns(() => now);
  now += 10 * TURN_MS;
  turns.begin();
  assert.equal(turns.isOver, false, "nothing was done before");
  now += TURN_MS;
  assert.equal(turns.isOver, false);
  now += 1;
  assert.equal(turns.isOver, true);
  await turns.next();
  assert.equal(turns.isOver, false);
});

Deno.test("work of several short turns adds up until the sockets were looked at", async () => {
  let now = 0;
  const turns = new ThreadTurns(() => now);
  for (let n = 0; n < TURN_MS; n++) {
    turns.begin();
    now += 1;
    assert.equal(turns.isOver, false, `after ${n + 1} ms`);
    await turns.next();
  }
  turns.begin();
  now += 1;
  assert.equal(turns.isOver, true);
});

Deno.test("who works without end lets sockets be read after each turn", async () => {
  const turns = new ThreadTurns();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using far = await listener.accept();
  let isRead = false;
  const read = far.read(new Uint8Array(1)).then(() => isRead = true);
  await near.write(new Uint8Array(1));
  let most = 0;
  for (; !isRead && most < 30; most++) {
    turns.begin();
    const until = performance.now() + TURN_MS + 1;
    while (performance.now() < until);
    await turns.next();
  }
  await read;
  // With setImmediate alone it is some sixty.
  assert.ok(most <= 3, `${most} turns`);
});

/** Turns by a clock that only work moves. */
function turnsOfWork() {
  let now = 0;
  const turns = new ThreadTurns(() => now);
  return { turns, work: (ms: number) => void (now += ms) };
}

Deno.test("longer work goes on in the order in which it asked, as much in a turn as it has time for, and nobody twice before the others", async () => {
  const { turns, work } = turnsOfWork();
  const done: string[] = [];
  let turn = 0;
  const isDone = Promise.withResolvers<void>();
  void (async () => {
    for (; done.length < 12; turn++) await turns.next();
    isDone.resolve();
  })();
  const share = TURN_MS / 2 + 1;
  for (const name of ["a", "b", "c", "d"]) {
    void (async () => {
      for (let n = 0; n < 3; n++) {
        await turns.inLine();
        done.push(`${name}${turn}`);
        work(share);
      }
    })();
  }
  assert.equal(turns.isTaken, true, "some wait");
  await isDone.promise;
  assert.equal(done.map(([name]) => name).join(""), "abcdabcdabcd");
  const inTurn = Map.groupBy(done, (each) => each.slice(1));
  assert.deepEqual([...inTurn.values()].map(({ length }) => length), [2, 2, 2, 2, 2, 2]);
  await turns.next();
  assert.equal(turns.isTaken, false, "nobody waits");
});

Deno.test("longer work goes on in each turn, also where something else takes all of its time", async () => {
  const { turns, work } = turnsOfWork();
  let shares = 0;
  const busy = (async () => {
    for (let turn = 0; turn < 10; turn++) {
      turns.begin();
      work(2 * TURN_MS);
      await turns.next();
    }
  })();
  void (async () => {
    for (;; shares++) {
      await turns.inLine();
      work(2 * TURN_MS);
    }
  })();
  await busy;
  assert.ok(shares >= 8 && shares <= 10, `${shares} in 10 turns`);
});

Deno.test("where something else takes all of each turn, longer work has half as much beside it", async () => {
  const { turns, work } = turnsOfWork();
  let shares = 0;
  for (let n = 0; n < 100; n++) {
    void turns.inLine().then(() => {
      shares++;
      work(1);
    });
  }
  for (let turn = 0; turn < 5; turn++) {
    turns.begin();
    work(2 * TURN_MS);
    await turns.next();
  }
  await turns.next();
  const most = 6 * TURN_MS / 2;
  assert.ok(shares >= most - TURN_MS && shares <= most, `${shares}`);
});

Deno.test("what is written after a reader asked for the next turn counts as work before it", async () => {
  const { turns, work } = turnsOfWork();
  turns.begin();
  const next = turns.next();
  work(TURN_MS + 1);
  await next;
  assert.equal(turns.isOver, false, "the sockets were looked at");
  turns.begin();
  work(TURN_MS);
  assert.equal(turns.isOver, false);
});
