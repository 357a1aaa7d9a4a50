import assert from "node:assert/strict";
import { listenError } from "../../../server/net/listen_error.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

const PLAIN = { host: "192.0.2.7", port: 80, tls: undefined };
const TLS = { ...PLAIN, tls: { cert: "", key: "" } };

function coded(code: string): Error {
  return Object.assign(new Error("listen failed"), { code });
}

Deno.test("the same fault, as Deno and node:net report it, has one text for the admin", () => {
  const cases: [Error, string, RegExp | undefined][] = [
    [new Deno.errors.AddrInUse(), "another program already uses this port", /--port/],
    [coded("EADDRINUSE"), "another program already uses this port", /--port/],
    [new Deno.errors.AddrNotAvailable(), "this machine has no such address", /--host 0\.0\.0\.0/],
    [coded("EADDRNOTAVAIL"), "this machine has no such address", /--host 0\.0\.0\.0/],
    [coded("EINVAL"), "this machine has no such address", /--host 0\.0\.0\.0/],
    [new Deno.errors.PermissionDenied(), "the system does not allow it", /below 1024/],
    [coded("EACCES"), "the system does not allow it", /below 1024/],
    [
      new TypeError("invalid"),
      "this is not an address of this machine",
      undefined,
    ],
  ];
  for (const [cause, why, hint] of cases) {
    for (const options of [PLAIN, TLS]) {
      const error = listenError(options, cause);
      assert.ok(error instanceof ConfigError);
      assert.equal(error.message, `Cannot listen on "192.0.2.7" port 80: ${why}`);
      assert.equal(error.cause, cause);
      if (hint === undefined) assert.equal(error.hint, undefined);
      else assert.match(error.hint ?? "", hint);
    }
  }
});

Deno.test("a certificate that the TLS library refuses is not blamed on the address", () => {
  const { message, hint } = listenError(TLS, new Deno.errors.InvalidData("bad"));
  assert.match(message, /--certfile with --keyfile/);
  assert.match(hint ?? "", /first certificate/);
});

Deno.test("a host that is hostile text is quoted", () => {
  const { message } = listenError({ ...PLAIN, host: "\x1b[2J\n" }, new TypeError("invalid"));
  // deno-lint-ignore no-control-regex -- control characters are what must not be there
  assert.doesNotMatch(message, /[\x00-\x1f]/);
});
