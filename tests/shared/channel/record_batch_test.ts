import { smallBytes } from "../../../shared/base/bytes.ts";
import assert from "node:assert/strict";
import { equalBytes } from "#platform/bytes.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import fc from "fast-check";
import { CmdchatError, LimitError } from "../../../shared/base/errors.ts";
import { BODY_MAX_BYTES } from "../../../shared/base/limits.ts";
import {
  BatchReader,
  frameBody,
  framedBytes,
  packBatches,
  PIECE_MAX_BYTES,
} from "../../../shared/channel/record_batch.ts";
import { RECORD_MAX_CONTENT } from "../../../shared/channel/record_cipher.ts";
import {
  type BatchVectors,
  failureOf,
  fromHex,
  type Parts,
  readVectors,
} from "../../helpers/peers/v2_vectors.ts";

const vectors = await readVectors<BatchVectors>("v2_batches.json");

function join(parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(parts).slice();
}

function bytesOf(parts: Parts): Uint8Array {
  return join(
    parts.map((part) =>
      typeof part === "string" ? fromHex(part) : new Uint8Array(part[1]).fill(part[0])
    ),
  );
}

function same(actual: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  assert.equal(actual.length, expected.length);
  for (const [at, body] of actual.entries()) {
    assert.ok(equalBytes(body, expected[at] as Uint8Array));
  }
}

for (const { name, contents, bodies } of vectors.good) {
  Deno.test(`record contents are read and written: ${name}`, () => {
    const reader = new BatchReader();
    const records = contents.map(bytesOf);
    const expected = bodies.map(bytesOf);
    same(records.flatMap((record) => reader.push(record)), expected);
    if (bodies.length === 0) return;
    same(packBatches(expected.map((body) => frameBody(body))).map(join), records);
  });
}

for (const { name, failure, max_bytes, contents } of vectors.bad) {
  Deno.test(`record contents are refused, ${failure}: ${name}`, () => {
    const reader = new BatchReader(max_bytes);
    const records = contents.map(bytesOf);
    const last = records.pop() as Uint8Array;
    for (const record of records) reader.push(record);
    try {
      reader.push(last);
      assert.fail("it was read");
    } catch (error) {
      assert.equal(failureOf(error), failure);
    }
  });
}

Deno.test("frameBody() refuses a body of no bytes and one above the limit", () => {
  assert.throws(() => frameBody(new Uint8Array()), LimitError);
  assert.throws(() => frameBody(new Uint8Array(11), 10), LimitError);
  assert.throws(() => frameBody(new Uint8Array(BODY_MAX_BYTES + 1)), LimitError);
  assert.equal(framedBytes(frameBody(new Uint8Array(10), 10)), 14);
  const most = frameBody(new Uint8Array(BODY_MAX_BYTES));
  assert.equal(framedBytes(most), BODY_MAX_BYTES + 4 * most.length);
});

Deno.test("the largest body is taken whole, and one byte more before its last piece is kept", () => {
  const reader = new BatchReader();
  const bodies = packBatches([frameBody(new Uint8Array(BODY_MAX_BYTES).fill(3))])
    .flatMap((batch) => reader.push(join(batch)));
  assert.equal(bodies[0]?.length, BODY_MAX_BYTES);
  const narrow = new BatchReader(BODY_MAX_BYTES - 1);
  assert.throws(() => {
    for (const batch of packBatches([frameBody(new Uint8Array(BODY_MAX_BYTES))])) {
      narrow.push(join(batch));
    }
  }, LimitError);
});

Deno.test("maxBytes may be raised once the peer has shown its token", () => {
  const reader = new BatchReader(4);
  const content = join(frameBody(new Uint8Array(5)));
  assert.throws(() => new BatchReader(4).push(content), LimitError);
  reader.maxBytes = 5;
  assert.equal(reader.push(content).length, 1);
});

Deno.test("packBatches() shares the bytes of a framed body among recipients and copies none", () => {
  const body = frameBody(new Uint8Array(100));
  const [alone] = packBatches([body]);
  const [among] = packBatches([frameBody(new Uint8Array(1)), body]);
  assert.equal(alone?.[0], body[0]);
  assert.equal(among?.[1], body[0]);
});

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: PIECE_MAX_BYTES - 3, max: PIECE_MAX_BYTES + 3 }),
  fc.integer({ min: 2 * PIECE_MAX_BYTES - 1, max: 2 * PIECE_MAX_BYTES + 1 }),
);

Deno.test("whatever the sizes, bodies arrive whole and in order, in records that fit", () => {
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 8 }), (lengths) => {
      const bodies = lengths.map((length, at) => new Uint8Array(length).fill(at + 1));
      const contents = packBatches(bodies.map((body) => frameBody(body))).map(join);
      const reader = new BatchReader();
      for (const content of contents) assert.ok(content.length <= RECORD_MAX_CONTENT);
      same(contents.flatMap((content) => reader.push(content)), bodies);
    }),
    { numRuns: 60 },
  );
});

Deno.test("what is read has one way to be written: the same bytes come out again", () => {
  const small = fc.array(fc.uint8Array({ minLength: 1, maxLength: 6 }), { maxLength: 5 });
  const good = small.map((bodies) =>
    join(packBatches(bodies.map((body) => frameBody(body))).flat())
  );
  const noisy = fc.tuple(good, fc.nat(), fc.nat(255)).map(([content, at, value]) =>
    content.length === 0 ? content : content.with(at % content.length, value)
  );
  const contents = fc.oneof(fc.uint8Array({ maxLength: 60 }), good, noisy);
  fc.assert(
    fc.property(contents, (content) => {
      try {
        const bodies = new BatchReader().push(content);
        same([join(bodies.flatMap((body) => [...frameBody(body)]))], [content]);
      } catch (error) {
        assert.ok(error instanceof CmdchatError, String(error));
      }
    }),
    { numRuns: 10_000 },
  );
});

Deno.test("what a session keeps shares its buffer with no message: an old one would hold a buffer for each key", () => {
  const before = smallBytes(32);
  for (let n = 0; n < 10; n++) {
    const [piece] = frameBody(new Uint8Array(100).fill(n));
    assert.notEqual(piece?.buffer, before.buffer);
  }
  const after = smallBytes(32);
  assert.equal(after.buffer === before.buffer, after.byteOffset === before.byteOffset + 32);
});
