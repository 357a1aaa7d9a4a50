import assert from "node:assert/strict";
import { OtherServers, reachOf, type Teller } from "../../../client/net/other_servers.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";

const FINGERPRINT = "SHA256:abc" as Fingerprint;
const PUBLIC = { fingerprint: FINGERPRINT, address: "192.0.32.8", port: 5050 };

function taken(list: readonly (readonly [string, number])[], teller: Teller = PUBLIC) {
  const others = new OtherServers();
  others.take(list, teller);
  return others;
}

Deno.test("an address reaches this machine, its networks, everywhere, or nobody", () => {
  const reaches = [
    ["127.0.0.1", 0],
    ["::1", 0],
    ["10.1.2.3", 1],
    ["100.64.0.1", 1],
    ["169.254.169.254", 1],
    ["172.16.0.1", 1],
    ["192.168.1.1", 1],
    ["fe80::1%eth0", 1],
    ["fd00::1", 1],
    ["172.32.0.1", 2],
    ["198.51.100.7", 2],
    ["2001:db8::1", 2],
    ["0.0.0.0", undefined],
    ["::", undefined],
    ["224.0.0.1", undefined],
    ["255.255.255.255", undefined],
    ["ff02::1", undefined],
    ["::ffff:127.0.0.1", undefined],
    ["::ffff:7f00:1", undefined],
    ["64:ff9b::7f00:1", undefined],
    ["2002:7f00:1::", undefined],
    ["not an address", undefined],
  ] as const;
  for (const [address, reach] of reaches) assert.equal(reachOf(address), reach, address);
});

Deno.test("a server names other hosts at ports of servers, and each list replaces the last", () => {
  const others = taken([
    ["chat2.example.org", 5050],
    ["chat3.example.org", 443],
    ["2001:db8::2", 65_535],
    ["mail.example.org", 25],
    ["mail.example.org", 1_023],
    ["hidden.onion", 5050],
    ["localhost", 5050],
    ["x.localhost", 5050],
    ["127.1", 5050],
    ["0x7f000001", 5050],
    ["fe80::1%eth0", 5050],
  ]);
  assert.deepEqual(others.places.map(({ host }) => host), [
    "chat2.example.org",
    "chat3.example.org",
    "2001:db8::2",
  ]);
  assert.equal(others.expected, FINGERPRINT);
  others.take([], PUBLIC);
  assert.deepEqual(others.places, []);
});

Deno.test("a low port is a server's where the user named it", () => {
  assert.equal(taken([["a.example.org", 80]], { ...PUBLIC, port: 80 }).places.length, 1);
});

Deno.test("nobody is led from the open network into a private one, or to this machine, by address or by name", async () => {
  const found = ["127.0.0.1", "10.0.0.5", "192.0.32.9", "::1", "169.254.169.254", "fd00::1"];
  const resolve = () => Promise.resolve(found);
  const place = { host: "chat2.example.org", port: 5050 };
  const from = (address: string | undefined) =>
    taken([], { ...PUBLIC, address }).addresses(place, resolve);
  assert.deepEqual(await from("192.0.32.8"), ["192.0.32.9"]);
  assert.deepEqual(await from(undefined), ["192.0.32.9"]);
  assert.deepEqual(await from("10.0.0.1"), [
    "10.0.0.5",
    "192.0.32.9",
    "169.254.169.254",
    "fd00::1",
  ]);
  assert.deepEqual(await from("127.0.0.1"), found);
});

Deno.test("an address is not looked up", async () => {
  const others = taken([["192.0.32.9", 5050]]);
  const never = () => Promise.reject(new Error("looked up"));
  const [place] = others.places;
  assert.ok(place !== undefined);
  assert.deepEqual(await others.addresses(place, never), ["192.0.32.9"]);
});
