import assert from "node:assert/strict";
import { encode } from "cborg";
import { bytesHead, splitBytes } from "../../../shared/messages/cbor_bytes.ts";
import { randomBytes } from "../../../shared/crypto/random_bytes.ts";

Deno.test("the head of a byte string is the one that the encoder writes, at every length", () => {
  for (const length of [0, 1, 23, 24, 255, 256, 65_535, 65_536]) {
    const encoded = encode(new Uint8Array(length));
    assert.deepEqual(bytesHead(length), encoded.slice(0, encoded.length - length));
  }
});

Deno.test("the bytes of a field are found behind numbers, texts, arrays of them and booleans, and not copied", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const fields = [28, [7, 300, 70_000], "name", -5, true, null, 2 ** 40, bytes, false];
  const body = encode(fields);
  const found = splitBytes(body, 7);
  assert.deepEqual(found?.bytes, bytes);
  assert.equal(found?.bytes.buffer, body.buffer);
  assert.deepEqual(body.slice(found?.start, found?.end), encode(bytes));
});

Deno.test("what is no such array, is cut short, or has another field there is left to the decoder", () => {
  const whole = encode([28, [7], "f", 0, new Uint8Array(40)]);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(splitBytes(whole.subarray(0, length), 4), undefined, `${length} bytes`);
  }
  for (
    const other of [encode([28, "f"]), encode({ a: 1 }), encode([28, [[1]], new Uint8Array(1)])]
  ) {
    assert.equal(splitBytes(other, 2), undefined);
  }
  // Two bytes of length where one would do.
  assert.equal(splitBytes(Uint8Array.of(0x81, 0x59, 0, 1, 9), 0), undefined);
});

Deno.test("arrays in arrays without end, and random bytes, are looked at in no time", () => {
  const nested = new Uint8Array(65_536).fill(0x81);
  assert.equal(splitBytes(nested, 1), undefined);
  assert.equal(
    splitBytes(Uint8Array.of(0x9a, 255, 255, 255, 255, 0x9a, 255, 255, 255, 255), 1),
    undefined,
  );
  for (let n = 0; n < 2_000; n++) {
    const body = randomBytes(64);
    const found = splitBytes(body, n % 5);
    if (found !== undefined) assert.ok(found.end <= body.length);
  }
});
