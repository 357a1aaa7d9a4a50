// Statements of a device key, and what is no proof of one.

import assert from "node:assert/strict";
import {
  deviceKeyOf,
  generateDeviceKey,
  isProofOf,
  leafStatement,
  proveAs,
  type RoomClaim,
  roomStatement,
} from "../../../shared/crypto/device_key.ts";

const key = deviceKeyOf(new Uint8Array(32).fill(7));
const CLAIM: RoomClaim = {
  server: new Uint8Array(32).fill(1),
  prover: 7,
  asker: 9,
  nonce: new Uint8Array(32).fill(2),
  room: "den",
  name: "bob",
};
const LEAF = {
  rid: new Uint8Array(16).fill(1),
  handle: new Uint8Array(16).fill(2),
  signatureKey: new Uint8Array(32).fill(3),
};

Deno.test("a proof holds for its own statement, and for no other server, session, room, name, question or leaf", () => {
  const proof = proveAs(key, roomStatement(CLAIM));
  assert.equal(isProofOf(proof, roomStatement({ ...CLAIM })), true);
  const others: Partial<RoomClaim>[] = [
    { server: new Uint8Array(32).fill(9) },
    { prover: 8 },
    { asker: 8 },
    { prover: 9, asker: 7 },
    { nonce: new Uint8Array(32).fill(9) },
    { room: "hall" },
    { name: "mallory" },
    { room: "denb", name: "ob" },
    { room: "", name: "denbob" },
  ];
  for (const other of others) {
    assert.equal(
      isProofOf(proof, roomStatement({ ...CLAIM, ...other })),
      false,
      Object.keys(other).join(),
    );
  }
  const leaf = proveAs(key, leafStatement(LEAF));
  assert.equal(isProofOf(leaf, leafStatement(LEAF)), true);
  assert.equal(isProofOf(leaf, roomStatement(CLAIM)), false);
  for (const field of ["rid", "handle", "signatureKey"] as const) {
    const other = { ...LEAF, [field]: LEAF[field].map((byte) => byte ^ 1) };
    assert.equal(isProofOf(leaf, leafStatement(other)), false, field);
  }
});

Deno.test("another key's proof, and one that was changed or cut, is none", () => {
  const statement = leafStatement(LEAF);
  const { key: shown, signature } = proveAs(key, statement);
  const other = generateDeviceKey();
  assert.equal(isProofOf({ key: other.publicKey, signature }, statement), false);
  assert.equal(isProofOf({ key: shown, signature: signature.slice(1) }, statement), false);
  assert.equal(isProofOf({ key: shown.slice(1), signature }, statement), false);
  for (let at = 0; at < signature.length; at++) {
    const changed = signature.slice();
    changed[at] = (changed[at] as number) ^ 0x40;
    assert.equal(isProofOf({ key: shown, signature: changed }, statement), false, String(at));
  }
});

Deno.test("no proof holds under a weak key, nor under a second writing of a key", () => {
  // Under a key of small order, R = identity and S = 0 is a signature of every statement.
  const everything = new Uint8Array(64);
  everything[0] = 1;
  const weak = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    // Above the prime: 2^255 - 19 + 1, and + 3.
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ];
  for (const text of weak) {
    const shown = Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
    for (let n = 0; n < 32; n++) {
      const statement = leafStatement({ ...LEAF, handle: new Uint8Array(16).fill(n) });
      assert.equal(isProofOf({ key: shown, signature: everything }, statement), false, text);
    }
  }
});
