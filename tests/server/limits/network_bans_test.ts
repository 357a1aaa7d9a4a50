import assert from "node:assert/strict";
import { LimitError } from "../../../shared/base/errors.ts";
import { NETWORK_BANS_MAX, NetworkBans } from "../../../server/limits/network_bans.ts";
import { networkText, parseNetwork } from "../../../server/limits/ip_network.ts";

function banned(text: string, until?: number) {
  return { network: parseNetwork(text), until };
}

Deno.test("a ban covers its network until its end, and no other", () => {
  const bans = new NetworkBans();
  bans.add(banned("192.0.2.0/24"), 0);
  bans.add(banned("2001:db8::1", 1_000), 0);
  for (const address of ["192.0.2.9", "::ffff:192.0.2.9", "2001:db8::ffff"]) {
    assert.ok(bans.covers(address, 999), address);
  }
  for (const address of ["192.0.3.9", "2001:db8:1::1", "::1", "nonsense"]) {
    assert.ok(!bans.covers(address, 999), address);
  }
  assert.ok(!bans.covers("2001:db8::ffff", 1_000));
  assert.deepEqual(bans.list(1_000).map(({ network }) => networkText(network)), ["192.0.2.0/24"]);
  assert.equal(bans.lift(parseNetwork("192.0.2.77/24")), true);
  assert.equal(bans.lift(parseNetwork("192.0.2.0/24")), false);
  assert.ok(!bans.covers("192.0.2.9", 0));
});

Deno.test("bans are bounded, a new end for one is no new one, and ended ones make place", () => {
  const bans = new NetworkBans();
  for (let n = 0; n < NETWORK_BANS_MAX; n++) {
    bans.add(banned(`10.0.${n >> 8}.${n & 255}`, n === 0 ? 5 : undefined), 0);
  }
  assert.throws(() => bans.add(banned("192.0.2.1"), 0), LimitError);
  bans.add(banned("10.0.0.1", 99), 0);
  bans.add(banned("192.0.2.1"), 5);
  assert.equal(bans.list(5).length, NETWORK_BANS_MAX);
});

Deno.test("what one process knows, the next one takes up", () => {
  const [one, other] = [new NetworkBans(), new NetworkBans()];
  one.add(banned("192.0.2.0/24"), 0);
  one.add(banned("2001:db8::/48", 7), 0);
  other.snapshot = structuredClone(one.snapshot);
  assert.deepEqual(other.list(0), one.list(0));
});
