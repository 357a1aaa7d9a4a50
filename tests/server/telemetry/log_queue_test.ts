import assert from "node:assert/strict";
import { LogQueue } from "../../../server/telemetry/log_queue.ts";

function lineOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("lines are written whole and in order, however little the stream takes at a time", async () => {
  let text = "";
  const queue = new LogQueue((bytes) => {
    text += new TextDecoder().decode(bytes.subarray(0, 3));
    return Promise.resolve(Math.min(3, bytes.length));
  });
  for (const line of ["first\n", "second\n", "third\n"]) queue.push(lineOf(line));
  await queue.flush(1_000);
  assert.equal(text, "first\nsecond\nthird\n");
});

Deno.test("a stream that stands still holds up nobody; what does not fit is dropped and counted", async () => {
  const taken: string[] = [];
  let go = Promise.withResolvers<void>();
  const queue = new LogQueue(async (bytes) => {
    await go.promise;
    taken.push(new TextDecoder().decode(bytes));
    return bytes.length;
  }, 10);
  for (const text of ["aaaa", "bbbb", "cccc", "dd", "e"]) queue.push(lineOf(text));
  await queue.flush(1);
  assert.deepEqual(taken, []);
  assert.equal(queue.takeDropped(), 2);
  assert.equal(queue.takeDropped(), 0);
  go.resolve();
  await queue.flush(1_000);
  assert.deepEqual(taken, ["aaaa", "bbbb", "dd"]);
  // There is room again.
  go = Promise.withResolvers();
  queue.push(lineOf("ffff"));
  go.resolve();
  await queue.flush(1_000);
  assert.equal(taken.at(-1), "ffff");
});

Deno.test("a reader that is gone is no fault of the server", async () => {
  const queue = new LogQueue(() => Promise.reject(new Deno.errors.BrokenPipe()));
  queue.push(lineOf("a"));
  await queue.flush(1_000);
  assert.equal(queue.takeDropped(), 1);
});

Deno.test("a line that comes in the moment in which the last one is out does not wait for a further one", async () => {
  for (let turns = 0; turns < 12; turns++) {
    const taken: string[] = [];
    const out = Promise.withResolvers<number>();
    const queue = new LogQueue((bytes) => {
      taken.push(new TextDecoder().decode(bytes));
      return taken.length === 1 ? out.promise : Promise.resolve(bytes.length);
    });
    queue.push(lineOf("first"));
    out.resolve(5);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    queue.push(lineOf("second"));
    await queue.flush(1_000);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.deepEqual(taken, ["first", "second"], `${turns} turns later`);
  }
});
