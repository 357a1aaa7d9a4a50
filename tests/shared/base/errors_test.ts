import assert from "node:assert/strict";
import {
  CmdchatError,
  ConfigError,
  ConnectionError,
  CryptoError,
  LimitError,
  ProtocolError,
  UsageError,
} from "../../../shared/base/errors.ts";

const CLASSES = {
  UsageError,
  ConfigError,
  ConnectionError,
  ProtocolError,
  LimitError,
  CryptoError,
};

Deno.test("every class of error has its own name and exit code, none of them 0 or 1", () => {
  const codes = Object.entries(CLASSES).map(([name, Class]) => {
    const error = new Class("what went wrong");
    assert.ok(error instanceof CmdchatError);
    assert.equal(error.name, name);
    assert.equal(String(error), `${name}: what went wrong`);
    return error.exitCode;
  });
  assert.deepEqual(codes, [2, 3, 4, 5, 6, 7]);
});

Deno.test("an error carries a hint and its cause where it has one", () => {
  const cause = new Error("connection reset");
  const error = new ConnectionError("the connection was lost", {
    hint: "it comes back by itself",
    cause,
  });
  assert.equal(error.hint, "it comes back by itself");
  assert.equal(error.cause, cause);
  const bare = new ConnectionError("the connection was lost");
  assert.equal(bare.hint, undefined);
  assert.equal("cause" in bare, false);
});

Deno.test("a class made from one of ours goes by its own name", () => {
  class TokenError extends CryptoError {}
  assert.equal(new TokenError("").name, "TokenError");
  assert.equal(new TokenError("").exitCode, 7);
});
