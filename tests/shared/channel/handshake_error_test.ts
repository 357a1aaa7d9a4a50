import assert from "node:assert/strict";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { CryptoError, LimitError, ProtocolError } from "../../../shared/base/errors.ts";
import {
  describeVersions,
  HandshakeError,
  IdentityError,
  isRefusalReason,
  REFUSAL_REASONS,
  refusalReasonFor,
} from "../../../shared/channel/handshake_error.ts";

const SEEN = `SHA256:${"A".repeat(43)}` as Fingerprint;

Deno.test("refusalReasonFor() gives each kind of failure a reason that says no more than it must", () => {
  const reasons = {
    expected_handshake: [new HandshakeError("frame", "")],
    bad_handshake: [
      new HandshakeError("field", ""),
      new HandshakeError("no-v2", ""),
      new ProtocolError("the RSA key"),
      new LimitError(""),
      new Error("anything else"),
    ],
    unsupported_version: [new HandshakeError("version", "")],
    unusable_keys: [new CryptoError(""), new IdentityError("", { seen: SEEN })],
  };
  for (const [reason, errors] of Object.entries(reasons)) {
    for (const error of errors) assert.equal(refusalReasonFor(error), reason);
  }
});

Deno.test("isRefusalReason() knows the reasons of the table and no property of objects", () => {
  for (const reason of Object.keys(REFUSAL_REASONS)) assert.ok(isRefusalReason(reason));
  for (const text of ["", "toString", "__proto__", "unauthorized", 5, null, undefined, {}]) {
    assert.equal(isRefusalReason(text), false);
  }
});

Deno.test("describeVersions() names a range, or one version", () => {
  assert.equal(describeVersions([2, 3]), "2 to 3");
  assert.equal(describeVersions([2, 2]), "2");
});

Deno.test("handshake errors are by whose fault they are", () => {
  assert.ok(new HandshakeError("frame", "") instanceof ProtocolError);
  assert.ok(new IdentityError("", { seen: SEEN }) instanceof CryptoError);
});
