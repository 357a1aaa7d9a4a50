import assert from "node:assert/strict";
import { ReadBuffer } from "../../../server/net/read_buffer.ts";
import { READ_BUFFER_BUSY_BYTES } from "../../../shared/base/limits.ts";
import { READ_BUFFER_FIRST_BYTES, READ_BUFFER_IDLE_BYTES } from "../../../server/config/limits.ts";

const [FIRST, IDLE, BUSY] = [
  READ_BUFFER_FIRST_BYTES,
  READ_BUFFER_IDLE_BYTES,
  READ_BUFFER_BUSY_BYTES,
];

function sizesFor(buffer: ReadBuffer, reads: readonly number[]): number[] {
  return reads.map((count) => {
    const { length } = buffer.room;
    buffer.take(count);
    return length;
  });
}

Deno.test("the room of a first message is large enough, and small behind it", () => {
  assert.deepEqual(sizesFor(new ReadBuffer(), [FIRST / 2, 1, 1]), [FIRST, IDLE, IDLE]);
});

Deno.test("the room grows while a link is busy, and shrinks when it is quiet again", () => {
  const reads = [1, IDLE, IDLE, FIRST, BUSY / 2, BUSY, 1, 1];
  const sizes = [FIRST, IDLE, FIRST, FIRST, BUSY, BUSY, BUSY, IDLE];
  assert.deepEqual(sizesFor(new ReadBuffer(), reads), sizes);
});

Deno.test("what was read is given as it is, whatever room comes next", () => {
  const buffer = new ReadBuffer();
  sizesFor(buffer, [1]);
  buffer.room.fill(7);
  const bytes = buffer.take(IDLE);
  buffer.room.fill(0);
  assert.deepEqual(bytes, new Uint8Array(IDLE).fill(7));
});

Deno.test("a room of the first size goes to another connection once its bytes are not used any more", () => {
  const [one, other] = [new ReadBuffer(), new ReadBuffer()];
  const first = one.take(FIRST / 2);
  assert.notEqual(other.room.buffer, first.buffer, "its bytes may still be used");
  assert.equal(one.room.length, IDLE);
  assert.equal(new ReadBuffer().room.buffer, first.buffer);
});
