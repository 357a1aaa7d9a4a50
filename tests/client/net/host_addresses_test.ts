import assert from "node:assert/strict";
import { lookUpAddresses } from "../../../client/net/host_addresses.ts";

Deno.test("lookUpAddresses() knows an address as its own, and nothing of a name that does not exist", async () => {
  assert.deepEqual(await lookUpAddresses("127.0.0.1"), ["127.0.0.1"]);
  assert.deepEqual(await lookUpAddresses("no-such-name.invalid"), []);
});
