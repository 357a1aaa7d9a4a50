import assert from "node:assert/strict";
import { ReadBuffer } from "../../../server/net/read_buffer.ts";
import { READ_BUFFER_BUSY_BYTES } from "../../../shared/base/limits.ts";
import { READ_BUFFER_IDLE_BYTES } from "../../../server/config/limits.ts";

Deno.test("the room grows while a link is busy, and shrinks when it is quiet again", () => {
  const buffer = new ReadBuffer();
  const sizes: number[] = [];
  for (const fill of [1, 1, 0.5, 0.001, 0.5]) {
    sizes.push(buffer.room.length);
    buffer.take(Math.ceil(fill * buffer.room.length));
  }
  const [idle, busy] = [READ_BUFFER_IDLE_BYTES, READ_BUFFER_BUSY_BYTES];
  assert.deepEqual(sizes, [idle, busy, busy, busy, idle]);
});

Deno.test("what was read is given as it is, whatever room comes next", () => {
  const buffer = new ReadBuffer();
  buffer.room.fill(7);
  const bytes = buffer.take(READ_BUFFER_IDLE_BYTES);
  buffer.room.fill(0);
  assert.deepEqual(bytes, new Uint8Array(READ_BUFFER_IDLE_BYTES).fill(7));
});
