import assert from "node:assert/strict";
import {
  concatBytes,
  releaseBuffer,
  releaseBytes,
  smallBytes,
  smallCopy,
} from "../../../shared/base/bytes.ts";

Deno.test("concatBytes() puts parts one after another, none left out", () => {
  assert.deepEqual(concatBytes([]), new Uint8Array());
  assert.deepEqual(
    concatBytes([Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)]),
    Uint8Array.of(1, 2, 3),
  );
});

Deno.test("smallBytes() gives zeros that overlap with nobody's, a few or many", () => {
  const parts = Array.from({ length: 200 }, (_, n) => {
    const part = smallBytes(1 + (n * 37) % 512);
    assert.ok(part.every((byte) => byte === 0));
    return part.fill(n);
  });
  parts.forEach((part, n) => assert.ok(part.every((byte) => byte === n % 256)));
});

Deno.test("smallCopy() stays as it was when the original changes", () => {
  const original = Uint8Array.of(1, 2, 3);
  const copy = smallCopy(original);
  original.fill(0);
  assert.deepEqual([...copy], [1, 2, 3]);
});

Deno.test("releaseBytes() takes a large buffer away, and never what others have parts of", () => {
  const whole = new Uint8Array(32_768);
  releaseBytes(whole);
  assert.equal(whole.length, 0);
  const shared = new Uint8Array(32_768);
  const part = shared.subarray(1);
  releaseBytes(part);
  assert.equal(part.length, 32_767);
  releaseBuffer(part.buffer);
  assert.deepEqual([part.length, shared.length], [0, 0]);
  const small = new Uint8Array(512);
  releaseBytes(small);
  assert.equal(small.length, 512);
});
