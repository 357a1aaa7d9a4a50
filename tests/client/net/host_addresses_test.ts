import assert from "node:assert/strict";
import { lookUpAddresses, turned } from "../../../client/net/host_addresses.ts";

Deno.test("turned() begins with another address at each turn", () => {
  const addresses = ["a", "b", "c"];
  assert.deepEqual(turned(addresses, 0), addresses);
  assert.deepEqual(turned(addresses, 1), ["b", "c", "a"]);
  assert.deepEqual(turned(addresses, 5), ["c", "a", "b"]);
  assert.deepEqual(turned([], 1), []);
});

Deno.test("lookUpAddresses() knows an address as its own, and nothing of a name that does not exist", async () => {
  assert.deepEqual(await lookUpAddresses("127.0.0.1"), ["127.0.0.1"]);
  assert.deepEqual(await lookUpAddresses("no-such-name.invalid"), []);
});
