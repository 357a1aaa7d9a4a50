import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeBase64,
  decodeBase64Url,
  encodeBase64,
  encodeBase64Url,
} from "../../../shared/base/base64.ts";

const CODECS = {
  base64: { encode: encodeBase64, decode: decodeBase64 },
  base64url: { encode: encodeBase64Url, decode: decodeBase64Url },
};

// RFC 4648 §10.
const RFC_4648 = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];

Deno.test("base64 is what RFC 4648 says, with padding and, for URLs, without", () => {
  for (const [length, text] of RFC_4648.entries()) {
    const bytes = new TextEncoder().encode("foobar".slice(0, length));
    assert.equal(encodeBase64(bytes), text);
    assert.equal(encodeBase64Url(bytes), text.replaceAll("=", ""));
    assert.deepEqual(decodeBase64(text), bytes);
    assert.deepEqual(decodeBase64Url(text.replaceAll("=", "")), bytes);
  }
  const all = Uint8Array.of(0xfb, 0xff, 0xbf);
  assert.deepEqual([encodeBase64(all), encodeBase64Url(all)], ["+/+/", "-_-_"]);
});

Deno.test("a view into a larger buffer is encoded as the view", () => {
  const view = new TextEncoder().encode("xfoox").subarray(1, 4);
  assert.equal(encodeBase64(view), "Zm9v");
  assert.equal(encodeBase64Url(view), "Zm9v");
});

Deno.test("decodeBase64() refuses every second spelling", () => {
  const faults = [
    "Zg",
    "Zg=",
    "Zg===",
    "Zh==",
    "Zm9=",
    " Zm9v",
    "Zm9v\n",
    "Zm-v",
    "Zm_v",
    "Zm9v=",
    "=",
  ];
  for (const text of [...faults, "Z", "Zm9vé", "Zg==Zg==", "\0", "Zm9v\u2028", "+/A+-", "%%%%"]) {
    assert.equal(decodeBase64(text), undefined, JSON.stringify(text));
  }
});

Deno.test("decodeBase64Url() refuses every second spelling", () => {
  for (const text of ["Zg==", "Zh", "Zm9", " Zm9v", "Zm9v\n", "Zm+v", "Zm/v", "Z", "="]) {
    assert.equal(decodeBase64Url(text), undefined, JSON.stringify(text));
  }
});

for (const [name, { encode, decode }] of Object.entries(CODECS)) {
  Deno.test(`${name}: bytes come back, and what is read is written again character for character`, () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.deepEqual(decode(encode(bytes)), bytes);
    }));
    const texts = fc.oneof(fc.string({ maxLength: 12 }), fc.base64String({ maxLength: 12 }));
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = decode(text);
        if (bytes !== undefined) assert.equal(encode(bytes), text);
      }),
      { numRuns: 2_000 },
    );
  });
}
