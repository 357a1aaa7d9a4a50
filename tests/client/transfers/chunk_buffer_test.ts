import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { equalBytes } from "#platform/bytes.ts";
import fc from "fast-check";
import { ChunkBuffer, faultOfOffer } from "../../../client/transfers/chunk_buffer.ts";
import { FILE_CHUNK_BYTES, FILE_MAX_BYTES } from "../../../shared/base/limits.ts";
import { chunksOf, offerOf, someBytes } from "../../helpers/peers/transfer_room.ts";

/** What differs is not printed: that takes gigabytes. */
function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assert.ok(equalBytes(actual, expected), "other bytes");
}

const BYTES = someBytes(2 * FILE_CHUNK_BYTES + 100);
const OFFER = offerOf(1, { size: BYTES.length });
const CHUNKS = chunksOf(1, { bytes: BYTES });
const [FIRST, SECOND, LAST] = [CHUNKS[0]!, CHUNKS[1]!, CHUNKS[2]!];

Deno.test("an offer must have the chunks that its size needs, and at least a byte", () => {
  for (const size of [1, FILE_CHUNK_BYTES, FILE_CHUNK_BYTES + 1, FILE_MAX_BYTES]) {
    assert.equal(faultOfOffer(offerOf(1, { size }), FILE_MAX_BYTES), undefined);
    for (const wrong of [-1, 1]) {
      const offer = offerOf(1, { size });
      const lie = { ...offer, chunks: offer.chunks + wrong };
      assert.equal(faultOfOffer(lie, FILE_MAX_BYTES)?.code, "bad_offer");
    }
  }
  assert.equal(faultOfOffer(offerOf(1, { size: 0 }), FILE_MAX_BYTES)?.code, "bad_offer");
});

Deno.test("an offer one byte above the limit is refused with both numbers", () => {
  const fault = faultOfOffer(offerOf(1, { size: FILE_MAX_BYTES + 1 }), FILE_MAX_BYTES);
  assert.equal(fault?.code, "too_large");
  assert.match(fault?.reason ?? "", /10485761 bytes, at most 10485760 \(10 MiB\)/);
});

Deno.test("chunks in order make the file and its digest", () => {
  const file = new ChunkBuffer(OFFER);
  for (const chunk of CHUNKS) {
    assert.equal(file.sha256, undefined);
    assert.equal(file.add(chunk), undefined);
  }
  assert.ok(file.isComplete);
  assertSame(joined(file), BYTES);
  assert.equal(file.sha256, createHash("sha256").update(BYTES).digest("hex"));
  assert.equal(file.add(LAST)?.code, "bad_chunk");
  file.release();
  assert.equal(file.chunks.length, 0);
});

Deno.test("a chunk that is a part of much more is kept as a copy of its own size, one in its message as it is", () => {
  const file = new ChunkBuffer(OFFER);
  // A Buffer's slice() is a view, unlike that of any other array of bytes.
  const record = Buffer.alloc(2 * FILE_CHUNK_BYTES);
  for (const chunk of CHUNKS) {
    record.set(chunk.data, 7);
    assert.equal(
      file.add({ ...chunk, data: record.subarray(7, 7 + chunk.data.length) }),
      undefined,
    );
    record.fill(0);
  }
  assertSame(joined(file), BYTES);
  for (const chunk of file.chunks) assert.equal(chunk.buffer.byteLength, chunk.length);
  const other = new ChunkBuffer(OFFER);
  const message = new Uint8Array(FILE_CHUNK_BYTES + 40);
  message.set(FIRST.data, 40);
  assert.equal(other.add({ ...FIRST, data: message.subarray(40) }), undefined);
  assert.equal(other.chunks[0]?.buffer, message.buffer);
});

Deno.test("every chunk that is not the next one ends the transfer", () => {
  const faults = {
    "a chunk is missing": [SECOND, LAST, { ...FIRST, index: 2 ** 40 }],
    "it does not end where it should": [{ ...FIRST, last: true }],
    "a chunk has the wrong size": [
      { ...FIRST, data: new Uint8Array() },
      { ...FIRST, data: FIRST.data.subarray(3) },
      { ...FIRST, data: BYTES.subarray(0, FILE_CHUNK_BYTES + 1) },
    ],
    "its sender gave up": [{ ...FIRST, data: new Uint8Array(), last: true }],
  };
  for (const [reason, chunks] of Object.entries(faults)) {
    for (const chunk of chunks) {
      const file = new ChunkBuffer(OFFER);
      assert.equal(file.add(chunk)?.reason, reason);
      assert.equal(file.received, 0);
    }
  }
});

Deno.test("a chunk that came is not taken again, and the last one must be marked and exact", () => {
  const file = new ChunkBuffer(OFFER);
  file.add(FIRST);
  assert.equal(file.add(FIRST)?.reason, "a chunk came twice");
  file.add(SECOND);
  assert.equal(file.add({ ...LAST, last: false })?.reason, "it does not end where it should");
  const longer = BYTES.subarray(0, LAST.data.length + 1);
  assert.equal(file.add({ ...LAST, data: longer })?.reason, "a chunk has the wrong size");
  assert.equal(file.add(LAST), undefined);
});

Deno.test("whatever is done to the sequence of chunks, a file is complete only with its own bytes", () => {
  const chunk = fc.oneof(
    { arbitrary: fc.constantFrom(...CHUNKS), weight: 4 },
    fc.record({
      index: fc.oneof(fc.nat(4), fc.maxSafeNat()),
      data: fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(FIRST.data, SECOND.data, LAST.data),
      ),
      last: fc.boolean(),
    }),
  );
  fc.assert(fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
    const file = new ChunkBuffer(OFFER);
    for (const each of chunks) {
      if (file.add(each) !== undefined) break;
      assert.ok(file.received <= OFFER.size);
    }
    const bytes = joined(file);
    assert.equal(bytes.length, file.received);
    assert.equal(file.isComplete, bytes.length === OFFER.size);
    assert.equal(file.sha256 !== undefined, file.isComplete);
    if (file.isComplete) {
      assert.equal(file.sha256, createHash("sha256").update(bytes).digest("hex"));
    }
  }));
});

const HASH = new Uint8Array(createHash("sha256").update(BYTES).digest());
const SURE_OFFER = offerOf(1, { size: BYTES.length, hash: HASH });

Deno.test("with a digest, chunks make the file in whatever order they come, and twice does no harm", () => {
  for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 1, 2], [2, 2, 0, 0, 1]]) {
    const file = new ChunkBuffer(SURE_OFFER);
    for (const index of order) assert.equal(file.add(CHUNKS[index]!), undefined);
    assert.ok(file.isComplete);
    assertSame(joined(file), BYTES);
    assert.equal(file.sha256, createHash("sha256").update(BYTES).digest("hex"));
  }
});

Deno.test("the first gap is known, and how long it is", () => {
  const file = new ChunkBuffer(SURE_OFFER);
  assert.deepEqual([file.firstMissing, file.missing(file.firstMissing, 8)], [0, 3]);
  file.add(SECOND);
  assert.deepEqual([file.firstMissing, file.missing(file.firstMissing, 8)], [0, 1]);
  file.add(FIRST);
  assert.deepEqual([
    file.firstMissing,
    file.missing(file.firstMissing, 8),
    file.missing(file.firstMissing, 0),
  ], [2, 1, 0]);
  file.add(LAST);
  assert.deepEqual([file.firstMissing, file.missing(file.firstMissing, 8)], [3, 0]);
});

Deno.test("what is not the file that was offered is no file, however its chunks came", () => {
  const changed = SECOND.data.slice();
  changed[77]! ^= 1;
  for (const order of [[0, 1, 2], [2, 0, 1], [1, 2, 0]]) {
    const file = new ChunkBuffer(SURE_OFFER);
    const faults = order.map((index) =>
      file.add(index === 1 ? { ...SECOND, data: changed } : CHUNKS[index]!)
    );
    assert.deepEqual(faults.map((fault) => fault?.code), [undefined, undefined, "bad_digest"]);
  }
});

Deno.test("a gap is no excuse: chunks beyond the end, of a wrong size or a wrong end are refused", () => {
  const wrong = [
    { ...FIRST, index: 3 },
    { ...LAST, index: 2 ** 40 },
    { ...SECOND, last: true },
    { ...LAST, last: false },
    { ...LAST, index: 1 },
    { ...SECOND, data: SECOND.data.subarray(1) },
  ];
  for (const chunk of wrong) {
    const file = new ChunkBuffer(SURE_OFFER);
    assert.equal(file.add(chunk)?.code, "bad_chunk", `${chunk.index} ${chunk.last}`);
    assert.equal(file.received, 0);
  }
});

Deno.test("a file of any size goes through in the chunks that its sender makes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 * FILE_CHUNK_BYTES }), (size) => {
      const bytes = someBytes(size);
      const file = new ChunkBuffer(offerOf(1, { size }));
      for (const each of chunksOf(1, { bytes })) assert.equal(file.add(each), undefined);
      assertSame(joined(file), bytes);
    }),
    { numRuns: 20 },
  );
});

function joined(file: ChunkBuffer): Uint8Array {
  const bytes = new Uint8Array(file.chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of file.chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
