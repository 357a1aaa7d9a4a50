import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { LimitError, ProtocolError } from "../../../shared/base/errors.ts";
import { encodeFrame, FRAME_HEADER_BYTES, FrameReader } from "../../../shared/channel/frame.ts";
import { FRAME_MAX_BYTES } from "../../../shared/base/limits.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const join = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

function readAll(chunks: readonly Uint8Array[]): Uint8Array[] {
  const reader = new FrameReader();
  return chunks.flatMap((chunk) => [...reader.push(chunk)]);
}

Deno.test("encodeFrame() puts a big-endian length in front", () => {
  assert.deepEqual(encodeFrame(utf8("ab")), Uint8Array.of(0, 0, 0, 2, 0x61, 0x62));
  const most = encodeFrame(new Uint8Array(FRAME_MAX_BYTES));
  assert.deepEqual(most.subarray(0, 4), Uint8Array.of(0, 1, 0, 0));
});

Deno.test("encodeFrame() refuses a body of no bytes and one above 65,536", () => {
  assert.throws(() => encodeFrame(new Uint8Array()), LimitError);
  assert.throws(() => encodeFrame(new Uint8Array(FRAME_MAX_BYTES + 1)), {
    name: "LimitError",
    message: "Cannot send a frame of 65537 bytes: 1 to 65536 are allowed",
  });
});

// Where the chunks of "abc" and "de" as frames end; the last column is what each chunk completes.
const SPLITS: ReadonlyArray<readonly [what: string, ends: number[], completes: string[][]]> = [
  ["in one chunk", [13], [["abc", "de"]]],
  ["frame by frame", [7, 13], [["abc"], ["de"]]],
  ["in the first header", [2, 13], [[], ["abc", "de"]]],
  ["behind the first header", [4, 13], [[], ["abc", "de"]]],
  ["in the first body", [5, 13], [[], ["abc", "de"]]],
  ["before the first body's last byte", [6, 13], [[], ["abc", "de"]]],
  ["in the second header", [8, 13], [["abc"], ["de"]]],
  ["behind the second header", [11, 13], [["abc"], ["de"]]],
  ["in the second body", [12, 13], [["abc"], ["de"]]],
  ["in both headers", [1, 10, 13], [[], ["abc"], ["de"]]],
  ["with chunks of no bytes", [0, 7, 7, 13, 13], [[], ["abc"], [], ["de"], []]],
];

for (const [what, ends, completes] of SPLITS) {
  Deno.test(`FrameReader reads two frames cut ${what}`, () => {
    const bytes = join([encodeFrame(utf8("abc")), encodeFrame(utf8("de"))]);
    const reader = new FrameReader();
    const read = ends.map((end, at) => [...reader.push(bytes.subarray(ends[at - 1] ?? 0, end))]);
    assert.deepEqual(read.map((frames) => frames.map(text)), completes);
    assert.equal(reader.pending, false);
  });
}

Deno.test("FrameReader reads frames one byte at a time", () => {
  const bodies = [1, 2, 1_023, 1_024, 1_025, 5_000].map((size) => new Uint8Array(size).fill(size));
  const chunks = [...join(bodies.map(encodeFrame))].map((byte) => Uint8Array.of(byte));
  assert.deepEqual(readAll(chunks), bodies);
});

Deno.test("FrameReader reads whatever was framed, however it was cut", () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 50 }),
    fc.constantFrom(1_023, 1_024, 1_025, 2_049, FRAME_MAX_BYTES - 1, FRAME_MAX_BYTES),
  );
  const cuts = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 40 });
  fc.assert(fc.property(fc.array(sizes, { maxLength: 5 }), cuts, (lengths, steps) => {
    const bodies = lengths.map((length, at) => new Uint8Array(length).fill(at + 1));
    const bytes = join(bodies.map(encodeFrame));
    const chunks: Uint8Array[] = [];
    let at = 0;
    for (const step of steps) chunks.push(bytes.subarray(at, at += step));
    const read = readAll([...chunks, bytes.subarray(at)]);
    assert.equal(read.length, bodies.length);
    for (const [index, body] of read.entries()) {
      assert.equal(Buffer.compare(body, bodies[index] as Uint8Array), 0);
    }
  }));
});

Deno.test("FrameReader copies nothing of a frame that came whole, and all of one that came in pieces", () => {
  const [first, second] = [encodeFrame(utf8("abc")), encodeFrame(utf8("def"))];
  const reader = new FrameReader();
  const chunk = join([first, second.subarray(0, 5)]);
  const [whole] = [...reader.push(chunk)];
  assert.equal(whole?.buffer, chunk.buffer);
  chunk.fill(0);
  assert.deepEqual([...reader.push(second.subarray(5))].map(text), ["def"]);
});

Deno.test("FrameReader refuses lengths out of range as soon as the header is there, and stays so", () => {
  for (const length of [0, FRAME_MAX_BYTES + 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    const reader = new FrameReader();
    assert.deepEqual([...reader.push(header(length).subarray(0, 3))], []);
    assert.throws(() => [...reader.push(header(length).subarray(3))], {
      name: "ProtocolError",
      message: `Cannot read a frame of ${length} bytes: 1 to ${FRAME_MAX_BYTES} are allowed`,
    });
    assert.deepEqual(reader.header, header(length));
    assert.throws(() => [...reader.push(encodeFrame(utf8("abc")))], ProtocolError);
  }
});

Deno.test("FrameReader gives the frames before one that it refuses", () => {
  const reader = new FrameReader();
  const frames = reader.push(join([encodeFrame(utf8("abc")), header(0)]));
  assert.equal(text(frames.next().value as Uint8Array), "abc");
  assert.throws(() => frames.next(), ProtocolError);
});

Deno.test("FrameReader tells when the end came in the middle of a frame", () => {
  const frame = encodeFrame(utf8("abc"));
  for (let end = 0; end <= frame.length; end++) {
    const reader = new FrameReader();
    assert.equal([...reader.push(frame.subarray(0, end))].length, end === frame.length ? 1 : 0);
    assert.equal(reader.pending, end > 0 && end < frame.length, `${end} bytes`);
  }
});

Deno.test("half a frame takes memory for what has arrived, not for what was announced", () => {
  const start = join([header(FRAME_MAX_BYTES), new Uint8Array(10)]);
  const before = Deno.memoryUsage().external;
  const readers = Array.from({ length: 2_000 }, () => {
    const reader = new FrameReader();
    assert.deepEqual([...reader.push(start)], []);
    return reader;
  });
  const each = (Deno.memoryUsage().external - before) / readers.length;
  assert.ok(each < 2_048, `${each} bytes each`);
});

Deno.test("no bytes make FrameReader do anything but give frames or refuse", () => {
  const lengths = fc.constantFrom(0, 1, 2, 3, 255, FRAME_MAX_BYTES, FRAME_MAX_BYTES + 1, 2 ** 31);
  const part = fc.oneof(fc.uint8Array({ maxLength: 12 }), lengths.map(header));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (chunks) => {
      let frames: Uint8Array[] = [];
      try {
        frames = readAll(chunks);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
      const bytes = join(chunks);
      const again = join(frames.map(encodeFrame));
      assert.deepEqual(again, bytes.subarray(0, again.length));
    }),
    { numRuns: 10_000 },
  );
});

Deno.test("large frames of many connections, cut anywhere, keep their bytes until each was looked at", () => {
  const readers = Array.from({ length: 9 }, () => new FrameReader());
  const seen = readers.map(() => 0);
  const frames = readers.map((_, n) => encodeFrame(new Uint8Array(33_000 + n).fill(n + 1)));
  const others = encodeFrame(new Uint8Array(33_000)).subarray(0, 32_000);
  for (let at = 0; at < 80_000; at += 9_000) {
    for (const [n, reader] of readers.entries()) {
      const twice = [...(frames[n] ?? []), ...(frames[n] ?? [])];
      for (const body of reader.push(Uint8Array.from(twice.slice(at, at + 9_000)))) {
        assert.deepEqual([...new FrameReader().push(others)], [], "it goes into another buffer");
        assert.equal(body.length, 33_000 + n);
        assert.ok(body.every((byte) => byte === n + 1));
        seen[n] = (seen[n] ?? 0) + 1;
      }
    }
  }
  assert.ok(seen.every((count) => count === 2));
});
