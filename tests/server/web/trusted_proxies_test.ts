import assert from "node:assert/strict";
import { TrustedProxies } from "../../../server/web/trusted_proxies.ts";
import { ConfigError, ProtocolError } from "../../../shared/base/errors.ts";

const PROXY = "10.0.0.1";

function clientOf(peer: string, ...lines: string[]): string {
  const proxies = new TrustedProxies(["10.0.0.0/8", "::1"]);
  const fields = new Map(lines.length === 0 ? [] : [["x-forwarded-for", lines]]);
  return proxies.clientOf(peer, { startLine: "", fields });
}

Deno.test("X-Forwarded-For is believed from a trusted peer only, from the right to the first hop that is not trusted", () => {
  assert.equal(clientOf(PROXY, "192.0.2.7"), "192.0.2.7");
  assert.equal(clientOf(PROXY, "203.0.113.1, 192.0.2.7, 10.2.2.2"), "192.0.2.7");
  assert.equal(clientOf(PROXY, "203.0.113.1", "192.0.2.7,10.2.2.2"), "192.0.2.7");
  assert.equal(clientOf("192.0.2.9", "203.0.113.1"), "192.0.2.9");
  assert.equal(clientOf(PROXY, "10.3.3.3, 10.2.2.2"), "10.3.3.3");
  assert.equal(clientOf(PROXY), PROXY);
  assert.equal(clientOf("::1", "[2001:db8::7]:4711"), "2001:db8::7");
  assert.equal(clientOf(PROXY, "192.0.2.7:4711"), "192.0.2.7");
  assert.equal(clientOf("::ffff:10.0.0.1", "192.0.2.7"), "192.0.2.7");
});

Deno.test("a hop that is no address is refused where it would count, and not looked at left of the client", () => {
  for (
    const hop of ["unknown", "_hidden", "192.0.2.7%evil", "192.0.2", "[::1", "1.2.3.4]", "\x1b[2J"]
  ) {
    assert.throws(() => clientOf(PROXY, `192.0.2.1, ${hop}`), ProtocolError, hop);
    assert.equal(clientOf(PROXY, `${hop}, 192.0.2.1`), "192.0.2.1");
  }
});

Deno.test("a single address means itself, IPv6 too, and all addresses at once cannot be trusted", () => {
  const proxies = new TrustedProxies(["192.0.2.1", "2001:db8::1"]);
  assert.deepEqual(
    ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"].map((text) => proxies.trusts(text)),
    [true, false, true, false],
  );
  for (const text of ["0.0.0.0/0", "::/0", "::/64", "nginx", "10.0.0.0/33", ""]) {
    assert.throws(() => new TrustedProxies([text]), ConfigError, text);
  }
  assert.ok(!new TrustedProxies([]).trusts("127.0.0.1"));
});
