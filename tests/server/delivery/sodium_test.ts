import assert from "node:assert/strict";
import { loadSodium } from "../../../server/delivery/sodium.ts";

/** WebAssembly has no memory, until it is disposed. */
function shortOfMemory(): Disposable {
  const { instantiate } = WebAssembly;
  const fail = () => Promise.reject(new RangeError("out of memory"));
  Object.assign(WebAssembly, { instantiate: fail });
  return { [Symbol.dispose]: () => void Object.assign(WebAssembly, { instantiate }) };
}

Deno.test("libsodium that could not be loaded once is there at the next attempt, and is one for all from then on", async () => {
  {
    using _ = shortOfMemory();
    await assert.rejects(loadSodium(), /out of memory/);
    const both = await Promise.allSettled([loadSodium(), loadSodium()]);
    assert.deepEqual(both.map(({ status }) => status), ["rejected", "rejected"]);
  }
  const sodium = await loadSodium();
  assert.ok(sodium.HEAPU8.length > 0);
  assert.equal(await loadSodium(), sodium);
});
