import assert from "node:assert/strict";
import { KEPT_MAX_BYTES, WriteBuffers } from "../../../server/delivery/write_buffers.ts";

const LENGTHS = [1, 165, 512, 513, 1_024, 1_025, 8_192, 65_536, 131_072, 262_144, 262_145];

for (const length of LENGTHS) {
  Deno.test(`WriteBuffers gives ${length} bytes that nobody else has`, () => {
    const buffers = new WriteBuffers();
    const taken = Array.from({ length: 5 }, () => buffers.take(length));
    taken.forEach((bytes, n) => bytes.fill(n + 1));
    taken.forEach((bytes, n) => {
      assert.equal(bytes.length, length);
      assert.ok(bytes.every((byte) => byte === n + 1));
    });
  });
}

Deno.test("WriteBuffers uses a buffer again once it was given back, also for another length", () => {
  const buffers = new WriteBuffers();
  const first = buffers.take(60_000);
  const second = buffers.take(60_000);
  buffers.give(first);
  assert.equal(buffers.take(40_000).buffer, first.buffer);
  assert.notEqual(buffers.take(60_000).buffer, second.buffer);
  assert.equal(buffers.kept, 0);
});

Deno.test("WriteBuffers never uses the block of a short write again: others have parts of it", () => {
  const buffers = new WriteBuffers();
  const short = buffers.take(512);
  buffers.give(short);
  assert.equal(buffers.kept, 0);
  for (const length of LENGTHS) {
    if (length > 512) assert.notEqual(buffers.take(length).buffer, short.buffer);
  }
});

Deno.test("WriteBuffers keeps a bounded number of bytes, and no buffer of a size of its own", () => {
  const buffers = new WriteBuffers();
  const taken = Array.from({ length: 100 }, () => buffers.take(100_000));
  for (const bytes of taken) buffers.give(bytes);
  assert.equal(buffers.kept, KEPT_MAX_BYTES);
  const other = new WriteBuffers();
  other.give(new Uint8Array(1_000));
  other.give(new Uint8Array(262_145));
  assert.equal(other.kept, 0);
});
