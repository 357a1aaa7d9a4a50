import assert from "node:assert/strict";
import { canonicalHost, hostAndPort, tlsName } from "../../../shared/text/host_and_port.ts";
import { formatLink, parseLink } from "../../../shared/text/invite_link.ts";

Deno.test("an IPv6 address stands in brackets before its port, once", () => {
  assert.equal(hostAndPort("chat.example.org", 5050), "chat.example.org:5050");
  assert.equal(hostAndPort("192.0.2.1", 1), "192.0.2.1:1");
  assert.equal(hostAndPort("::1", 5051), "[::1]:5051");
  assert.equal(hostAndPort("[2001:db8::1]", 5051), "[2001:db8::1]:5051");
});

/** What is typed, its one spelling, and the name by which TLS knows it. */
const HOSTS: readonly (readonly [typed: string, host: string, name: string])[] = [
  ["Chat.Example.org", "chat.example.org", "chat.example.org"],
  ["chat.example.org.", "chat.example.org.", "chat.example.org"],
  ["my_host", "my_host", "my_host"],
  ["bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["BÜCHER.example", "xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["例え.テスト", "xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["192.0.2.7", "192.0.2.7", "192.0.2.7"],
  ["127.1", "127.0.0.1", "127.0.0.1"],
  ["::1", "::1", "::1"],
  ["[::1]", "::1", "::1"],
  ["[2001:DB8:0:0::1]", "2001:db8::1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1%eth0", "fe80::1"],
  ["[FE80::1%eth0]", "fe80::1%eth0", "fe80::1"],
  ["fe80::1%3", "fe80::1%3", "fe80::1"],
];

Deno.test("a host has one spelling, however it is typed, and TLS gets its name without zone", () => {
  for (const [typed, host, name] of HOSTS) {
    assert.deepEqual([canonicalHost(typed), tlsName(canonicalHost(typed))], [host, name], typed);
    assert.equal(canonicalHost(host), host, "twice is once");
  }
});

Deno.test("what is no host stays as it was typed", () => {
  const typed = [
    "a b",
    "",
    "h:5050",
    "a/b",
    "user@h",
    "a%41",
    "fe80::1%eth0%1",
    "[::1",
    "x\u202ey",
  ];
  for (const text of [...typed, "fe80::1%eth 0", "1.2.3.4.5", "300.1.1.1"]) {
    assert.equal(canonicalHost(text), text);
  }
});

Deno.test("a link leads to each of them, and says it in the same spelling again", () => {
  for (const [, host] of HOSTS.filter(([, host]) => !host.endsWith("."))) {
    const link = formatLink({ host, port: 5050, room: "lobby", tls: true });
    assert.equal(parseLink(link).host, host, link);
    assert.match(link, /^[\x21-\x7e]+$/);
  }
  assert.equal(parseLink("cmdchat://[fe80::1%25eth0]/x").host, "fe80::1%eth0");
  for (
    const wrong of ["[fe80::1%eth0]", "[fe80::1%25]", "[fe80::1%25a/b]", "[%25eth0]", "[1.2%25a]"]
  ) {
    assert.throws(() => parseLink(`cmdchat://${wrong}/x`), /Cannot read the link/, wrong);
  }
});
