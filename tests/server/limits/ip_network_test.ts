import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageError } from "../../../shared/base/errors.ts";
import {
  type IpAddress,
  isWithin,
  networkText,
  parseAddress,
  parseNetwork,
  siteOf,
  sourceOf,
} from "../../../server/limits/ip_network.ts";

Deno.test("sourceOf() is the address for IPv4, however it is written, and the /64 for IPv6", () => {
  const sources = {
    "192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.7": "192.0.2.7",
    "::ffff:c000:207": "192.0.2.7",
    "2001:db8::1": "2001:db8::/64",
    "2001:DB8:0:0:aaaa::1": "2001:db8::/64",
    "fe80::1%eth0": "fe80::/64",
    "::1": "::/64",
  };
  for (const [address, source] of Object.entries(sources)) {
    assert.equal(sourceOf(address), source, address);
  }
});

Deno.test("siteOf() is the address for IPv4 and the /48 for IPv6, of an address and of a source", () => {
  const sites = {
    "192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.7": "192.0.2.7",
    "2001:db8:7:8::1": "2001:db8:7::/48",
    "2001:db8:7:8::/64": "2001:db8:7::/48",
    "2001:db8:7::/48": "2001:db8:7::/48",
    "fe80::1%eth0": "fe80::/48",
    "": "",
    lobby: "lobby",
  };
  for (const [address, site] of Object.entries(sites)) assert.equal(siteOf(address), site);
});

Deno.test("parseNetwork() takes addresses and networks, and writes them in one way", () => {
  const networks = {
    "192.0.2.1": "192.0.2.1",
    "192.0.2.77/24": "192.0.2.0/24",
    "10.1.2.3/1": "0.0.0.0/1",
    "2001:db8::1": "2001:db8::/64",
    "2001:db8:1:2:3::/48": "2001:db8:1::/48",
    "2001:db8::1/128": "2001:db8::1/128",
  };
  for (const [text, shown] of Object.entries(networks)) {
    assert.equal(networkText(parseNetwork(text)), shown, text);
  }
});

Deno.test("parseNetwork() refuses what is no network, and everybody at once", () => {
  const wrong = [
    "",
    "here",
    "192.0.2",
    "192.0.2.256",
    "192.0.2.1/33",
    "192.0.2.1/",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/129",
    "2001:db8::1::2",
    "1:2:3:4:5:6:7:8:9",
    "192.0.2.1/24/24",
    "[::1]",
    "192.0.2.1 ",
    "1e3::/x",
    "::ffff:1.2.3.4/96",
    "::/1",
    "::1/80",
  ];
  for (const text of wrong) assert.throws(() => parseNetwork(text), UsageError, text);
});

Deno.test("an address is within the networks that have its first bits, and in no other", () => {
  const octets = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255)));
  fc.assert(fc.property(octets, octets, fc.integer({ min: 1, max: 32 }), (one, other, length) => {
    const binary = (parts: readonly number[]) =>
      parts.map((part) => part.toString(2).padStart(8, "0")).join("").slice(0, length);
    const network = parseNetwork(`${one.join(".")}/${length}`);
    const address = parseAddress(other.join(".")) as IpAddress;
    assert.equal(isWithin(address, network), binary(one) === binary(other));
  }));
});
