import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { hkdfExpand, hkdfExpandLabel, hkdfExtract, sha256 } from "../../../shared/crypto/hkdf.ts";

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const range = (from: number, to: number) =>
  Uint8Array.from({ length: to - from + 1 }, (_, at) => from + at);

// RFC 5869 appendix A.1 to A.3.
const RFC_5869 = [
  {
    inputKey: new Uint8Array(22).fill(0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    secret: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    output: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    inputKey: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    secret: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
    output: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c" +
      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    inputKey: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(),
    info: new Uint8Array(),
    secret: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
    output: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

for (const [at, { inputKey, salt, info, secret, output }] of RFC_5869.entries()) {
  Deno.test(`hkdfExtract() and hkdfExpand() give what RFC 5869 A.${at + 1} says`, () => {
    const extracted = hkdfExtract(salt, inputKey);
    assert.equal(toHex(extracted), secret);
    assert.equal(toHex(hkdfExpand(extracted, info, output.length / 2)), output);
  });
}

Deno.test("sha256() hashes its parts as if they were one", () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const parts = [..."abc"].map((text) => new TextEncoder().encode(text));
  assert.equal(toHex(sha256(...parts)), abc);
  assert.equal(
    toHex(sha256()),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

Deno.test("hkdfExpand() gives what WebCrypto gives, whatever the sizes of key, salt and info", async () => {
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      bytes(200),
      bytes(300),
      fc.integer({ min: 1, max: 700 }),
      async (inputKey, salt, info, length) => {
        const plain = (view: Uint8Array) => new Uint8Array(view);
        const key = await crypto.subtle.importKey("raw", plain(inputKey), "HKDF", false, [
          "deriveBits",
        ]);
        const theirs = await crypto.subtle.deriveBits(
          { name: "HKDF", hash: "SHA-256", salt: plain(salt), info: plain(info) },
          key,
          length * 8,
        );
        const ours = hkdfExpand(hkdfExtract(salt, inputKey), info, length);
        assert.equal(toHex(ours), toHex(new Uint8Array(theirs)));
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("hkdfExpand() rejects more bytes than its counter can give", () => {
  const secret = new Uint8Array(32);
  assert.equal(hkdfExpand(secret, new Uint8Array(), 8_160).length, 8_160);
  assert.throws(() => hkdfExpand(secret, new Uint8Array(), 8_161), RangeError);
});

Deno.test("hkdfExpandLabel() writes length, label and context as RFC 8446 §7.1 does", () => {
  const secret = new Uint8Array(32).fill(7);
  const context = Uint8Array.of(1, 2, 3);
  // uint16 length, uint8 and label, uint8 and context, then the block's number.
  const info = Buffer.concat([
    Uint8Array.of(0, 32, "cmdchat2 c traffic".length),
    Buffer.from("cmdchat2 c traffic"),
    Uint8Array.of(3, 1, 2, 3),
    Uint8Array.of(1),
  ]);
  const expected = createHmac("sha256", secret).update(info).digest("hex");
  assert.equal(toHex(hkdfExpandLabel(secret, "c traffic", { context, length: 32 })), expected);
});

Deno.test("hkdfExpandLabel() gives other bytes for another label, context, length or secret", () => {
  const secret = fromHex("01".repeat(32));
  const context = new Uint8Array(32);
  const all = [
    hkdfExpandLabel(secret, "key", { length: 32 }),
    hkdfExpandLabel(secret, "iv", { length: 32 }),
    hkdfExpandLabel(secret, "key", { length: 33 }).subarray(0, 32),
    hkdfExpandLabel(secret, "key", { context, length: 32 }),
    hkdfExpandLabel(fromHex("02".repeat(32)), "key", { length: 32 }),
  ].map(toHex);
  assert.equal(new Set(all).size, all.length);
});

Deno.test("hkdfExtract() is HMAC-SHA-256 on both sides of the size above which the runtime hashes", () => {
  const salt = range(0, 31);
  for (const length of [0, 63, 64, 447, 448, 449, 512, 513, 5_000]) {
    const inputKey = new Uint8Array(length).fill(length);
    const expected = createHmac("sha256", salt).update(inputKey).digest("hex");
    assert.equal(toHex(hkdfExtract(salt, inputKey)), expected, `${length} bytes`);
  }
});
