import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { writeItems, writeItemsAround } from "../../../shared/messages/cbor_writer.ts";
import { codePoint } from "../../helpers/fakes/code_point.ts";

Deno.test("numbers, texts, bytes and lists of every length are written as another encoder writes them", () => {
  const lengths = [0, 1, 23, 24, 63, 64, 65, 255, 256, 65_535, 65_536, 200_000];
  const numbers = [...lengths, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1].flatMap((n) => [n, -1 - n]);
  const values: unknown[] = [
    ...numbers.filter(Number.isSafeInteger),
    ...lengths.flatMap((length) => [
      "x".repeat(length),
      "é".repeat(length),
      "👋".repeat(length),
      new Uint8Array(length).fill(7),
      Array.from({ length }, () => 1),
    ]),
    true,
    false,
    null,
  ];
  for (const value of [values, ...values.map((each) => [each])]) {
    const [ours, theirs] = [writeItems(value), encode(value, rfc8949EncodeOptions)];
    assert.ok(Buffer.compare(ours, theirs) === 0, `${ours.length} and ${theirs.length} bytes`);
  }
});

Deno.test("any text is written as another encoder writes it", () => {
  fc.assert(fc.property(fc.string({ unit: codePoint, maxLength: 200 }), (text) => {
    assert.deepEqual(writeItems([text]), new Uint8Array(encode([text], rfc8949EncodeOptions)));
  }));
});

Deno.test("bytes that stand apart are not copied, and with what is around them the same is written", () => {
  for (const length of [0, 23, 24, 255, 256, 32_768, 65_536]) {
    const bytes = new Uint8Array(length).fill(5);
    for (
      const [items, apart] of [[[28, [1], "f", bytes], 3], [[9, bytes, true, "x"], 1]] as const
    ) {
      const parts = writeItemsAround(items, apart);
      assert.equal(parts[1], bytes);
      assert.ok(Buffer.compare(Buffer.concat(parts), encode(items)) === 0, `${length} bytes`);
    }
  }
});

Deno.test("what no message has is not written", () => {
  for (const item of [0.5, NaN, 2 ** 53, undefined, { a: 1 }, 1n, Symbol("x")]) {
    assert.throws(() => writeItems([item]), TypeError);
  }
  assert.throws(() => writeItemsAround(["no bytes"], 0), TypeError);
});
