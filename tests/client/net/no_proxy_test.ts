import assert from "node:assert/strict";
import { isExempt, isLoopback } from "../../../client/net/no_proxy.ts";

Deno.test("NO_PROXY follows curl: names and all below them, addresses, networks, or everything", () => {
  const table: [string, string, boolean][] = [
    ["chat.example.org", "example.org", true],
    ["chat.example.org", ".example.org", true],
    ["example.org", ".example.org", true],
    ["CHAT.Example.ORG.", "a.test, example.org", true],
    ["chat.example.org", "a.test example.org.", true],
    ["badexample.org", "example.org", false],
    ["example.org.evil.test", "example.org", false],
    ["chat.example.org", "*", true],
    ["chat.example.org", "*.example.org", false],
    ["chat.example.org", "a.test,*", false],
    ["chat.example.org", "", false],
    ["chat.example.org", ",.,", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.0/24", true],
    ["192.0.3.7", "192.0.2.0/24", false],
    ["192.0.2.7", "2.7", false],
    ["192.0.2.7", "192.0.2.0/33", false],
    ["192.0.2.7", "192.0.2.0/", false],
    ["192.0.2.7", "0.0.0.0/0", true],
    ["2001:db8::7", "2001:db8::/32", true],
    ["[2001:db8::7]", "[2001:db8::7]", true],
    ["2001:db8::7", "192.0.2.0/24", false],
  ];
  for (const [host, list, expected] of table) {
    assert.equal(isExempt(host, list), expected, `${host} with ${JSON.stringify(list)}`);
  }
});

Deno.test("this machine is known by its names and addresses", () => {
  const here = ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"];
  for (const host of here) assert.ok(isLoopback(host), host);
  for (
    const host of ["localhost.example.org", "128.0.0.1", "127.example.org", "::2", "notlocalhost"]
  ) {
    assert.ok(!isLoopback(host), host);
  }
});
