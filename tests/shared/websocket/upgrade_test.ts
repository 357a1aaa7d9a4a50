import assert from "node:assert/strict";
import { decodeBase64 } from "../../../shared/base/base64.ts";
import { acceptFor, newWebSocketKey } from "../../../shared/websocket/upgrade.ts";

Deno.test("a key is answered as in the example of RFC 6455 §1.3", async () => {
  assert.equal(await acceptFor("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

Deno.test("each key has 16 bytes of its own", () => {
  const keys = Array.from({ length: 100 }, newWebSocketKey);
  assert.equal(new Set(keys).size, 100);
  assert.ok(keys.every((key) => decodeBase64(key)?.length === 16));
});
