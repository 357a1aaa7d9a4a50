import assert from "node:assert/strict";
import { connectionOptions, parseNatsServers } from "../../../server/nats/nats_options.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { OPEN_NATS } from "../../helpers/system/nats.ts";

Deno.test("parseNatsServers() reads addresses with and without scheme, and tls:// requires TLS", () => {
  assert.deepEqual(parseNatsServers("127.0.0.1:4222"), {
    addresses: ["127.0.0.1:4222"],
    requiresTls: false,
  });
  assert.deepEqual(parseNatsServers("nats://a.example, NATS://[::1]:4222/,b"), {
    addresses: ["a.example", "[::1]:4222", "b"],
    requiresTls: false,
  });
  assert.deepEqual(parseNatsServers("tls://a.example:4222,TLS://b.example"), {
    addresses: ["a.example:4222", "b.example"],
    requiresTls: true,
  });
});

Deno.test("parseNatsServers() refuses other schemes, empty addresses, credentials and mixed TLS, and repeats no secret", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["http://a.example", /it cannot use the scheme "http:\/\/"$/],
    ["ws://a.example:80", /scheme/],
    ["a.example,", /an address is empty$/],
    [",a.example", /an address is empty$/],
    ["a.example,,b.example", /an address is empty$/],
    [" ", /an address is empty$/],
    ["tls://", /is not an address$/],
    ["a.example:0", /is not an address$/],
    ["a.example:65536", /is not an address$/],
    ["a.example:port", /is not an address$/],
    ["a.example/path", /is not an address$/],
    ["a b", /is not an address$/],
    ["nats://user:hunter2@a.example", /has credentials in it$/],
    ["tls://a.example,nats://b.example", /mixes tls:\/\//],
    ["tls://a.example,b.example", /mixes tls:\/\//],
  ];
  for (const [text, pattern] of cases) {
    assert.throws(
      () => parseNatsServers(text),
      (error) =>
        error instanceof ConfigError && pattern.test(error.message) &&
        !`${error.message} ${error.hint}`.includes("hunter2"),
      text,
    );
  }
});

Deno.test("connectionOptions() never gives up on a refused login, and asks for TLS where an address does", () => {
  const plain = connectionOptions({ ...OPEN_NATS, servers: "a.example" });
  assert.equal(plain.ignoreAuthErrorAbort, true);
  assert.equal(plain.maxReconnectAttempts, -1);
  assert.equal(plain.tls, undefined);
  assert.deepEqual(connectionOptions({ ...OPEN_NATS, servers: "tls://a.example" }).tls, {});
  assert.throws(
    () => connectionOptions({ ...OPEN_NATS, servers: "a", password: "hunter2" }),
    /CMDCHAT_NATS_USER is not set$/,
  );
});

Deno.test("connectionOptions() puts an avoided address last, and leaves the order open where there is none", () => {
  const orderOf = (servers: string, avoided?: string) => {
    const { servers: order, noRandomize } = connectionOptions({ ...OPEN_NATS, servers }, avoided);
    return { order, noRandomize };
  };
  const open = (...order: string[]) => ({ order, noRandomize: undefined });
  const fixed = (...order: string[]) => ({ order, noRandomize: true });
  assert.deepEqual(orderOf("a.example:1,b.example:2"), open("a.example:1", "b.example:2"));
  assert.deepEqual(
    orderOf("a.example:1,b.example:2", "a.example:1"),
    fixed("b.example:2", "a.example:1"),
  );
  // The library adds the port and spells names in lower case.
  assert.deepEqual(
    orderOf("A.example,b.example", "a.example:4222"),
    fixed("b.example", "A.example"),
  );
  assert.deepEqual(
    orderOf("a.example,b.example", "c.example:4222"),
    open("a.example", "b.example"),
  );
  assert.deepEqual(orderOf("a.example", "a.example:4222"), open("a.example"));
});
