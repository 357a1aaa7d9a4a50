import assert from "node:assert/strict";
import { NetworkBans } from "../../../server/limits/network_bans.ts";
import { NetworkSet, readBansFile } from "../../../server/limits/network_set.ts";
import { parseAddress, parseNetwork } from "../../../server/limits/ip_network.ts";

async function withFile<T>(text: string, use: (path: string) => T): Promise<T> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return use(path);
  } finally {
    await Deno.remove(path);
  }
}

const COVERED: readonly (readonly [network: string, address: string, covered: boolean])[] = [
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.8", false],
  ["192.0.2.0/25", "192.0.2.127", true],
  ["192.0.2.0/25", "192.0.2.128", false],
  ["192.0.2.0/23", "192.0.3.255", true],
  ["192.0.2.0/24", "::ffff:192.0.2.9", true],
  ["2001:db8::1", "2001:db8::2", true],
  ["2001:db8::1", "2001:db8:0:1::1", false],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["0.0.0.0/1", "2001:db8::1", false],
];

Deno.test("a set of networks covers what lies in one of them, whatever its length", () => {
  for (const [network, address, covered] of COVERED) {
    const set = new NetworkSet([parseNetwork(network), parseNetwork("198.51.100.0/24")]);
    const parsed = parseAddress(address);
    assert.ok(parsed !== undefined);
    assert.equal(set.covers(parsed), covered, `${address} in ${network}`);
  }
});

Deno.test("a bans file has an address or network a line, and a wrong one is refused with its number", async () => {
  const text = "# from the firewall\r\n192.0.2.1\r\n\r\n  2001:db8::/48  \n198.51.100.0/24";
  assert.equal(await withFile(text, (path) => readBansFile(path).size), 3);
  assert.equal(await withFile("", (path) => readBansFile(path).size), 0);
  for (const wrong of ["192.0.2.300", "example.org", "0.0.0.0/0", "192.0.2.1 # why"]) {
    await withFile(`192.0.2.1\n${wrong}\n`, (path) =>
      assert.throws(() => readBansFile(path), {
        message: /^Cannot use --bans-file .*: line 2 is not an address or a network$/,
      }));
  }
});

Deno.test("60,000 networks are looked up in microseconds", () => {
  const networks = Array.from(
    { length: 60_000 },
    (_, n) => parseNetwork(`10.${n >> 8}.${n & 255}.0/24`),
  );
  const bans = new NetworkBans();
  bans.fromFile = new NetworkSet(networks);
  const start = performance.now();
  for (let n = 0; n < 10_000; n++) assert.ok(!bans.covers("192.0.2.1", 0));
  // One pass over all of them takes some ms: ten thousand would take a minute.
  assert.ok(performance.now() - start < 2_000);
  assert.ok(bans.covers("10.200.7.9", 0));
});

Deno.test("what the file bans, no command lifts", () => {
  const bans = new NetworkBans();
  bans.fromFile = new NetworkSet([parseNetwork("192.0.2.0/24")]);
  assert.throws(() => bans.lift(parseNetwork("192.0.2.0/24")), /is in the file of --bans-file/);
  assert.deepEqual(bans.snapshot, [], "and it is not handed over");
});
