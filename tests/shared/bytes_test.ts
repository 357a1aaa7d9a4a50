import assert from "node:assert/strict";
import { concatBytes } from "../../shared/bytes.ts";

Deno.test("concatBytes() puts parts one after another, none left out", () => {
  assert.deepEqual(concatBytes([]), new Uint8Array());
  assert.deepEqual(
    concatBytes([Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)]),
    Uint8Array.of(1, 2, 3),
  );
});
