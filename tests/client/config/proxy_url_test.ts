import assert from "node:assert/strict";
import { parseProxy, parseProxyAuth, proxyText } from "../../../client/config/proxy_url.ts";
import { UsageError } from "../../../shared/base/errors.ts";

Deno.test("a proxy's URL names its kind, host and port, and whom to be there", () => {
  const proxy = (text: string) => parseProxy(text);
  const plain = { kind: "socks5", host: "127.0.0.1", port: 9050, auth: undefined };
  assert.deepEqual(proxy("socks5://127.0.0.1:9050"), plain);
  assert.deepEqual(proxy("socks5h://127.0.0.1:9050/"), plain);
  assert.deepEqual(proxy("SOCKS5://127.0.0.1:9050"), plain);
  assert.deepEqual(proxy("http://proxy.example"), {
    kind: "http",
    host: "proxy.example",
    port: 1080,
    auth: undefined,
  });
  assert.deepEqual(proxy("proxy.example:3128"), {
    kind: "http",
    host: "proxy.example",
    port: 3128,
    auth: undefined,
  });
  assert.deepEqual(proxy("http://[::1]:80"), {
    kind: "http",
    host: "::1",
    port: 80,
    auth: undefined,
  });
  assert.deepEqual(proxy("http://al:p%40ss%3A@h:1")?.auth, { user: "al", password: "p@ss:" });
  assert.deepEqual(proxy("http://al@h:1")?.auth, { user: "al", password: "" });
  assert.equal(proxy("none"), undefined);
});

Deno.test("what is no proxy is refused, and nothing of it is repeated", () => {
  const bad = [
    "",
    "http://",
    "socks4://SECRET:1",
    "https://SECRET:1",
    "ftp://SECRET",
    "socks5://SECRET:0",
    "socks5://SECRET:65536",
    "socks5://SECRET:x",
    "http://SECRET/path",
    "http://SECRET?x",
    "http://al:%ffSECRET@h",
    "http://a%0al:SECRET@h",
    "http://a%3Al:SECRET@h",
    "http://SEC RET:1",
    `http://al:${"SECRET".repeat(50)}@h`,
  ];
  for (const text of bad) {
    assert.throws(() => parseProxy(text), (error) => {
      assert.ok(error instanceof UsageError, text);
      assert.ok(!`${error.message}${error.hint}`.includes("SECRET"), text);
      return true;
    }, text);
  }
  for (const text of ["", "al", ":x", `al:${"x".repeat(256)}`, "al:\nx"]) {
    assert.throws(() => parseProxyAuth(text), UsageError);
  }
  assert.deepEqual(parseProxyAuth("al:p:x"), { user: "al", password: "p:x" });
});

Deno.test("a proxy is shown without user and password", () => {
  const proxy = parseProxy("socks5://al:secret@[::1]:9050");
  assert.equal(proxy && proxyText(proxy), "socks5://[::1]:9050");
});
