import assert from "node:assert/strict";
import { applyMask, OPCODES, webSocketFrame } from "../../../shared/websocket/frame.ts";

Deno.test("a frame is written as in the examples of RFC 6455 §5.7", () => {
  const hello = new TextEncoder().encode("Hello");
  const key = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
  assert.deepEqual(
    [...webSocketFrame(OPCODES.text, hello)],
    [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
  );
  assert.deepEqual(
    [...webSocketFrame(OPCODES.text, hello, key)],
    [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
  );
});

Deno.test("a length is written in its shortest form", () => {
  const heads = [0, 125, 126, 65_535, 65_536].map((
    length,
  ) => [...webSocketFrame(OPCODES.binary, new Uint8Array(length)).subarray(1, 10)]);
  assert.equal(heads[0]?.[0], 0);
  assert.equal(heads[1]?.[0], 125);
  assert.deepEqual(heads[2]?.slice(0, 3), [126, 0, 126]);
  assert.deepEqual(heads[3]?.slice(0, 3), [126, 0xff, 0xff]);
  assert.deepEqual(heads[4], [127, 0, 0, 0, 0, 0, 1, 0, 0]);
});

Deno.test("a frame leaves the payload that it was given as it is", () => {
  const payload = Uint8Array.of(1, 2, 3);
  webSocketFrame(OPCODES.binary, payload, Uint8Array.of(9, 9, 9, 9));
  assert.deepEqual([...payload], [1, 2, 3]);
});

Deno.test("masking twice with one key gives the same bytes back", () => {
  const bytes = Uint8Array.from({ length: 11 }, (_, n) => n);
  const key = Uint8Array.of(1, 2, 3, 4);
  applyMask(bytes, key);
  assert.notDeepEqual([...bytes], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  applyMask(bytes, key);
  assert.deepEqual([...bytes], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
