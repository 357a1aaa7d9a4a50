import assert from "node:assert/strict";
import { concatBytes, smallBytes, smallCopy } from "../../../shared/base/bytes.ts";

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
