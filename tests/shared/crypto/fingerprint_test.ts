import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { UsageError } from "../../../shared/base/errors.ts";
import {
  bareFingerprint,
  fingerprintOf,
  parseFingerprint,
} from "../../../shared/crypto/fingerprint.ts";

const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });

Deno.test("fingerprintOf() is SHA-256 of the raw key in URL-safe base64", () => {
  const key = new Uint8Array(32).fill(0xfe);
  const expected = createHash("sha256").update(key).digest("base64url");
  assert.equal(fingerprintOf(key), `SHA256:${expected}`);
});

Deno.test("parseFingerprint() reads it with and without its prefix, and back comes one text", () => {
  fc.assert(fc.property(keys, (key) => {
    const fingerprint = fingerprintOf(key);
    assert.match(fingerprint, /^SHA256:[\w-]{43}$/);
    assert.equal(parseFingerprint(fingerprint), fingerprint);
    assert.equal(parseFingerprint(bareFingerprint(fingerprint)), fingerprint);
  }));
});

Deno.test("parseFingerprint() refuses all else and repeats none of it", () => {
  const good = fingerprintOf(new Uint8Array(32));
  const faults = [
    "",
    "SHA256:",
    "SECRETS",
    good.slice(0, -1),
    `${good}A`,
    `${good}=`,
    ` ${good}`,
    `${good}\n`,
    good.toLowerCase(),
    good.replace("SHA256:", "sha256:"),
    good.replace("SHA256:", "SHA256:SHA256:"),
    good.slice(0, -1) + "/",
    // The last character carries two bits of nothing: only one of four spellings is right.
    ...[..."BCDFGH"].map((letter) => "A".repeat(42) + letter),
  ];
  for (const text of faults) {
    assert.throws(() => parseFingerprint(text), (error) => {
      assert.ok(error instanceof UsageError, text);
      assert.ok(!error.message.includes("SECRETS"));
      assert.match(error.hint ?? "", /server printed/);
      return true;
    }, text);
  }
});
