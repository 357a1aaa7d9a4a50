import assert from "node:assert/strict";
import { EXIT_CODES, reportError, signalExitCode } from "../../../client/base/exit.ts";
import { errorText } from "../../../shared/cli/error_report.ts";
import {
  ConfigError,
  ConnectionError,
  CryptoError,
  LimitError,
  ProtocolError,
  UsageError,
} from "../../../shared/base/errors.ts";

Deno.test("errorText() shows a link without what lets people in", () => {
  const told = errorText(
    new UsageError('Cannot use "cmdchat://h:1/den#fp=x&token=geheim": no such file', {
      hint: "not HTTPS://h/#room=den&secret=geheim, and https://h/page is as it was",
    }),
  );
  assert.equal(
    told,
    'error: Cannot use "cmdchat://h:1/den#…": no such file\n' +
      "hint: not HTTPS://h/#… and https://h/page is as it was",
  );
});

Deno.test("errorText() is one error line and at most one hint line, safe to print", () => {
  assert.equal(errorText(new UsageError("wrong")), "error: wrong");
  assert.equal(
    errorText(new UsageError("a\nb\x1b[2J", { hint: "c\nd" })),
    "error: a b␛[2J\nhint: c d",
  );
});

Deno.test("the list of exit codes names each kind of error", () => {
  const kinds = [UsageError, ConfigError, ConnectionError, ProtocolError, LimitError, CryptoError];
  const codes = EXIT_CODES.map(([code]) => code);
  for (const Kind of kinds) assert.ok(codes.includes(new Kind("x").exitCode));
  assert.equal(new Set(codes).size, codes.length);
});

Deno.test("signals give the codes that shells give, and a bug is thrown on", () => {
  assert.equal(signalExitCode("SIGINT"), 130);
  assert.equal(signalExitCode("SIGTERM"), 143);
  assert.throws(() => reportError(new TypeError("bug")), TypeError);
});
