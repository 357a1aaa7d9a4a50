import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decode, encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { ProtocolError } from "../../../shared/base/errors.ts";
import { FOREIGN, readItems } from "../../../shared/messages/cbor_reader.ts";
import { codePoint } from "../../helpers/fakes/code_point.ts";

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  rejectDuplicateMapKeys: true,
} as const;

const scalar = fc.oneof(
  fc.maxSafeInteger(),
  fc.nat(300),
  fc.string({ unit: codePoint, maxLength: 40 }),
  fc.string({ maxLength: 100 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.boolean(),
  fc.constant(null),
);
const list = fc.array(fc.oneof(scalar, fc.array(scalar, { maxLength: 4 })), { maxLength: 5 });
const items = fc.array(fc.oneof(scalar, list), { maxLength: 30 });

/** What another decoder makes of it; undefined where that refuses it, or writes it in another way. */
function byCborg(body: Uint8Array): unknown {
  try {
    const value = decode(body, STRICT);
    return Buffer.compare(encode(value, rfc8949EncodeOptions), body) === 0 ? value : undefined;
  } catch {
    return undefined;
  }
}

function byOurs(body: Uint8Array): readonly unknown[] | undefined {
  try {
    return readItems(body);
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error));
    return undefined;
  }
}

function hasForeign(value: unknown): boolean {
  return value === FOREIGN || (Array.isArray(value) && value.some(hasForeign));
}

Deno.test("what another encoder writes of numbers, texts, bytes, lists, booleans and null is read", () => {
  fc.assert(fc.property(items, (values) => {
    assert.deepEqual(readItems(encode(values, rfc8949EncodeOptions)), values);
  }));
});

Deno.test("a body with one byte changed, cut or added is read as another strict decoder does", () => {
  const change = fc.tuple(items, fc.nat(), fc.nat(255), fc.nat(2));
  let [read, refused] = [0, 0];
  fc.assert(
    fc.property(change, ([values, place, byte, how]) => {
      const whole = encode(values, rfc8949EncodeOptions);
      const at = place % whole.length;
      const rest = whole.subarray(how === 2 ? at : at + 1);
      const body = how === 0
        ? whole.subarray(0, at)
        : new Uint8Array([...whole.subarray(0, at), byte, ...rest]);
      const ours = byOurs(body);
      if (ours !== undefined && hasForeign(ours)) return;
      const theirs = byCborg(body);
      assert.deepEqual(ours, Array.isArray(theirs) ? theirs : undefined);
      if (ours === undefined) refused++;
      else read++;
    }),
    { numRuns: 5_000 },
  );
  assert.ok(read > 500 && refused > 500, `${read} were read, ${refused} refused`);
});

Deno.test("a map, a fraction, a tag, a number that is too large, and lists too deep are foreign, and so is the rest", () => {
  const bodies = [
    encode([1, { a: 1 }, "x"]),
    encode([1, 0.5, "x"]),
    encode([1, 2n ** 60n, "x"]),
    encode([1, -(2n ** 60n), "x"]),
    encode([1, [[[2]]], "x"]),
    Uint8Array.of(0x83, 1, 0xc1, 2, 0x61, 0x78),
    Uint8Array.of(0x83, 1, 0xf7, 0x61, 0x78),
  ];
  for (const body of bodies) {
    const [first, second, third, ...more] = readItems(body);
    assert.ok(first === 1 && hasForeign(second) && third === FOREIGN && more.length === 0);
  }
});

Deno.test("a head that has a shorter form, and one without a known end, are refused", () => {
  const heads = [
    [0x18, 23],
    [0x19, 0, 255],
    [0x1a, 0, 0, 255, 255],
    [0x1b, 0, 0, 0, 0, 255, 255, 255, 255],
    [0x38, 23],
    [0x58, 1, 9],
    [0x59, 0, 1, 9],
    [0x78, 1, 0x61],
    [0x98, 1, 0],
    [0x1c],
    [0x9f, 0xff],
    [0x5f, 0xff],
  ];
  for (const head of heads) {
    assert.throws(() => readItems(Uint8Array.of(0x81, ...head)), ProtocolError, `${head}`);
  }
});

Deno.test("text that is not UTF-8 is refused, and a byte order mark is a part of the text", () => {
  const short = (...bytes: number[]) => Uint8Array.of(0x81, 0x60 | bytes.length, ...bytes);
  for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xf8]]) {
    assert.throws(() => readItems(short(...bytes)), ProtocolError, `${bytes}`);
  }
  assert.deepEqual(readItems(short(0xef, 0xbb, 0xbf, 0x61)), ["\ufeffa"]);
});

Deno.test("bytes are copied, but for those at the place that is shared", () => {
  const body = encode([1, new Uint8Array(40), "x", new Uint8Array(50)]);
  const [, copied, , shared] = readItems(body, 3);
  assert.ok(copied instanceof Uint8Array && copied.buffer !== body.buffer);
  assert.ok(shared instanceof Uint8Array && shared.buffer === body.buffer && shared.length === 50);
});

Deno.test("arrays in arrays without end, and lengths beyond the end, are refused in no time", () => {
  assert.ok(hasForeign(readItems(new Uint8Array(65_536).fill(0x81))));
  for (const major of [0x40, 0x60, 0x80]) {
    for (
      const length of [[0x1a, 255, 255, 255, 255], [0x1b, 255, 255, 255, 255, 255, 255, 255, 255]]
    ) {
      const [head = 0, ...rest] = length;
      assert.throws(() => readItems(Uint8Array.of(0x81, major | head, ...rest)), ProtocolError);
      assert.throws(() => readItems(Uint8Array.of(0x80 | head, ...rest)), ProtocolError);
    }
  }
});
