import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  AEAD_TAG_BYTES,
  type AeadContext,
  type AeadName,
  aeadOpen,
  aeadSeal,
  MANDATORY_AEAD,
  supportedAeads,
} from "../../../shared/crypto/aead.ts";
import { CryptoError } from "../../../shared/base/errors.ts";

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

function seal(name: AeadName, context: AeadContext, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
  aeadSeal(name, context, { plaintext, out });
  return out;
}

const KNOWN: Readonly<
  Record<AeadName, { context: AeadContext; plaintext: string; sealed: string }>
> = {
  // The Galois/Counter Mode of Operation (McGrew, Viega), test case 16.
  "aes-256-gcm": {
    context: {
      key: fromHex("feffe9928665731c6d6a8f9467308308".repeat(2)),
      nonce: fromHex("cafebabefacedbaddecaf888"),
      associatedData: fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    },
    plaintext: "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" +
      "76fc6ece0f4e1768cddf8853bb2d551b",
  },
  // RFC 8439 §2.8.2.
  "chacha20-poly1305": {
    context: {
      key: Uint8Array.from({ length: 32 }, (_, at) => 0x80 + at),
      nonce: fromHex("070000004041424344454647"),
      associatedData: fromHex("50515253c0c1c2c3c4c5c6c7"),
    },
    plaintext: Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
        "sunscreen would be it.",
    ).toString("hex"),
    sealed: "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6" +
      "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36" +
      "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc" +
      "3ff4def08e4b7a9de576d26586cec64b6116" +
      "1ae10b594f09e26a7e902ecbd0600691",
  },
};

for (const name of supportedAeads()) {
  Deno.test(`${name} gives the bytes of its specification`, () => {
    const { context, plaintext, sealed } = KNOWN[name];
    assert.equal(Buffer.from(seal(name, context, fromHex(plaintext))).toString("hex"), sealed);
    assert.deepEqual(
      new Uint8Array(aeadOpen(name, context, fromHex(sealed))),
      fromHex(plaintext),
    );
  });

  Deno.test(`${name} opens what it sealed, and nothing with one bit changed anywhere`, () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const contexts = fc.record({ key: bytes(32), nonce: bytes(12), associatedData: bytes(4) });
    fc.assert(
      fc.property(contexts, fc.uint8Array({ maxLength: 100 }), fc.nat(), (context, text, at) => {
        const sealed = seal(name, context, text);
        assert.deepEqual(new Uint8Array(aeadOpen(name, context, sealed)), text);
        for (const part of [sealed, context.key, context.nonce, context.associatedData]) {
          const index = at % part.length;
          part[index] = (part[index] ?? 0) ^ (1 << at % 8);
          assert.throws(() => aeadOpen(name, context, sealed), CryptoError);
          part[index] = (part[index] ?? 0) ^ (1 << at % 8);
        }
      }),
    );
  });

  Deno.test(`${name} refuses a short tag and any other cut, with one text`, () => {
    const { context, plaintext } = KNOWN[name];
    for (const text of [new Uint8Array(), fromHex(plaintext).subarray(0, 20)]) {
      const sealed = seal(name, context, text);
      for (let length = 0; length < sealed.length; length++) {
        assert.throws(() => aeadOpen(name, context, sealed.subarray(0, length)), {
          name: "CryptoError",
          message: "Cannot open a record: it was changed, repeated, lost or sent out of order",
        });
      }
    }
  });
}

Deno.test("supportedAeads() always has the mandatory cipher, and lists each once", () => {
  assert.ok(supportedAeads().includes(MANDATORY_AEAD));
  assert.equal(new Set(supportedAeads()).size, supportedAeads().length);
});

Deno.test("sealing large texts leaves no buffers to the collector", () => {
  const [name = MANDATORY_AEAD] = supportedAeads();
  const plaintext = new Uint8Array(32_768);
  const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
  const { context } = KNOWN[name];
  const before = Deno.memoryUsage().external;
  let most = before;
  for (let n = 0; n < 600; n++) {
    aeadSeal(name, context, { plaintext, out });
    most = Math.max(most, Deno.memoryUsage().external);
  }
  assert.ok(most - before < 2 * 1_048_576, `${most - before} bytes`);
});
