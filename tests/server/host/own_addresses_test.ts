import assert from "node:assert/strict";
import { ownAddresses } from "../../../server/host/own_addresses.ts";

function at(name: string, address: string) {
  return { name, address, family: address.includes(":") ? "IPv6" as const : "IPv4" as const };
}

const BOTH = { hasIpv6: true };

Deno.test("links name what others can reach: no loopback, no containers, one address of a kind an interface", () => {
  const all = [
    at("lo", "127.0.0.1"),
    at("lo", "::1"),
    at("docker0", "172.17.0.1"),
    at("br-12ab34", "172.18.0.1"),
    at("veth9", "fe80::9"),
    at("wlan0", "fd00::7"),
    at("wlan0", "2001:db8::7"),
    at("wlan0", "2001:db8::8"),
    at("wlan0", "fe80::7"),
    at("wlan0", "192.168.1.7"),
    at("wg0", "10.0.0.3"),
    at("eth1", "fd00::9"),
  ];
  assert.deepEqual(ownAddresses(all, BOTH), {
    reachable: ["192.168.1.7", "10.0.0.3", "2001:db8::7", "fd00::9"],
    areLinkLocal: false,
  });
  assert.deepEqual(ownAddresses(all, { hasIpv6: false }).reachable, ["192.168.1.7", "10.0.0.3"]);
});

Deno.test("addresses of one cable are named where there is nothing else, IPv6 with its interface", () => {
  const lonely = [at("lo", "127.0.0.1"), at("eth0", "169.254.3.4"), at("eth0", "fe80::1")];
  assert.deepEqual(ownAddresses(lonely, BOTH), {
    reachable: ["169.254.3.4", "fe80::1%eth0"],
    areLinkLocal: true,
  });
  assert.deepEqual(ownAddresses([at("lo", "127.0.0.1")], BOTH).reachable, []);
});

Deno.test("a machine with very many addresses gives a list that can be read", () => {
  const many = Array.from({ length: 200 }, (_, n) => at(`eth${n}`, `10.0.0.${n}`));
  assert.equal(ownAddresses(many, BOTH).reachable.length, 8);
});
