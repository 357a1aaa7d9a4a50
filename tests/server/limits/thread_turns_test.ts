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
