import assert from "node:assert/strict";
import { loadSodium } from "../../../server/delivery/sodium.ts";
import { loadShortCipher, SHORT_MAX_BYTES } from "../../../server/delivery/short_cipher.ts";
import {
  AEAD_TAG_BYTES,
  aeadOpen,
  aeadSeal,
  supportedAeads,
  useShortCipher,
} from "../../../shared/crypto/aead.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { LimitError } from "../../../shared/base/errors.ts";
import { FRAME_HEADER_BYTES } from "../../../shared/channel/frame.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { fromHex, toHex } from "../../helpers/peers/v2_vectors.ts";

const cipher = await loadShortCipher();

/** Seals a plaintext of at least one byte, whose other bytes come in two parts, as record ciphers do. */
function seal(
  { key, nonce, associatedData }: {
    readonly key: Uint8Array;
    readonly nonce: Uint8Array;
    readonly associatedData: Uint8Array;
  },
  plaintext: Uint8Array,
): Uint8Array {
  const half = 1 + (plaintext.length >> 1);
  const parts = [plaintext.subarray(1, half), plaintext.subarray(half)];
  const keys = Uint8Array.of(1, 2, 3, ...key, 4, 5);
  const around = new Uint8Array(plaintext.length + AEAD_TAG_BYTES + 9).fill(0xee);
  const record = { keys, keyAt: 3, nonce, associatedData, first: plaintext[0] ?? 0, parts };
  cipher.seal(record, { out: around, at: 4 });
  assert.ok([...around.subarray(0, 4), ...around.subarray(-5)].every((byte) => byte === 0xee));
  return around.slice(4, -5);
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

Deno.test("the cipher of short records gives the bytes of RFC 8439, section 2.8.2", () => {
  const plaintext = new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
      "sunscreen would be it.",
  );
  const out = seal({
    key: Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i),
    nonce: fromHex("070000004041424344454647"),
    associatedData: fromHex("50515253c0c1c2c3c4c5c6c7"),
  }, plaintext);
  assert.match(toHex(out), /^d31a8d34648e60db7b86afbc53ef7ec2/);
  assert.match(toHex(out), /1ae10b594f09e26a7e902ecbd0600691$/);
});

Deno.test("of a key, of a text and of what is computed from them, nothing but what was sealed stays in the memory of libsodium", async () => {
  const sodium = await loadSodium();
  const [nonce, associatedData] = [random(12), random(4)];
  const sealOne = (length: number) => {
    const context = { key: random(32), nonce, associatedData };
    return { context, sealed: seal(context, random(length)) };
  };
  /** Each with how much of its record may stay. */
  const steps: Record<string, (length: number) => number> = {
    seal: (length) => sealOne(length).sealed.length,
    open(length) {
      const { context, sealed } = sealOne(length);
      assert.ok(cipher.open(context, sealed) !== undefined);
      return AEAD_TAG_BYTES;
    },
    refuse(length) {
      const { context, sealed } = sealOne(length);
      sealed[0] = sealed[0] as number ^ 1;
      assert.equal(cipher.open(context, sealed), undefined);
      return sealed.length;
    },
  };
  for (const [what, step] of Object.entries(steps)) {
    for (const length of [1, 2, 16, 17, 63, 64, 65, 127, 128, 129, 1_000, 1_023, SHORT_MAX_BYTES]) {
      step(length);
      const one = sodium.HEAPU8.slice();
      const may = step(length);
      const other = sodium.HEAPU8;
      let [first, last] = [0, other.length - 1];
      while (one[first] === other[first]) first++;
      while (one[last] === other[last]) last--;
      assert.ok(last - first < may, `${what} ${length}: ${first} to ${last} differ`);
    }
  }
});

const isHere = supportedAeads().includes("chacha20-poly1305");

Deno.test({
  name: "a record of any length opens, whoever sealed it",
  ignore: !isHere,
  fn() {
    try {
      for (const length of [0, 1, 63, 64, 65, 165, SHORT_MAX_BYTES, SHORT_MAX_BYTES + 1, 60_000]) {
        const context = { key: random(32), nonce: random(12), associatedData: random(4) };
        const plaintext = random(length);
        const out = new Uint8Array(length + AEAD_TAG_BYTES);
        aeadSeal("chacha20-poly1305", context, { plaintext, out });
        if (length > 0 && length <= SHORT_MAX_BYTES) {
          assert.deepEqual(seal(context, plaintext), out);
        }
        for (const used of [undefined, cipher]) {
          useShortCipher(used);
          const opened = aeadOpen("chacha20-poly1305", context, out);
          assert.deepEqual(new Uint8Array(opened), plaintext);
        }
      }
    } finally {
      useShortCipher(undefined);
    }
  },
});

Deno.test("the cipher of short records refuses what does not fit into its memory", () => {
  const context = { key: random(32), nonce: random(12), associatedData: random(4) };
  assert.throws(() => seal(context, random(SHORT_MAX_BYTES + 1)), RangeError);
  assert.throws(
    () => cipher.open(context, random(SHORT_MAX_BYTES + 1 + AEAD_TAG_BYTES)),
    RangeError,
  );
  const associatedData = random(17);
  assert.throws(() => seal({ ...context, associatedData }, random(SHORT_MAX_BYTES)), RangeError);
});

Deno.test("the cipher of short records refuses a record in which any bit was changed, with the one text of all faults", () => {
  useShortCipher(cipher);
  try {
    const context = { key: random(32), nonce: random(12), associatedData: random(4) };
    const out = new Uint8Array(20 + AEAD_TAG_BYTES);
    aeadSeal("chacha20-poly1305", context, { plaintext: random(20), out });
    const refused = { name: "CryptoError", message: /^Cannot open a record: it was changed/ };
    for (let bit = 0; bit < 8 * out.length; bit++) {
      const changed = out.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ 1 << (bit & 7);
      assert.throws(() => aeadOpen("chacha20-poly1305", context, changed), refused);
    }
    const other = { ...context, associatedData: random(5) };
    assert.throws(() => aeadOpen("chacha20-poly1305", other, out), refused);
    assert.throws(() => aeadOpen("chacha20-poly1305", context, out.subarray(0, 15)), refused);
  } finally {
    useShortCipher(undefined);
  }
});

Deno.test("what the cipher of short records has opened stays as it is while it opens more", () => {
  const context = { key: random(32), nonce: random(12), associatedData: random(4) };
  const texts = Array.from({ length: 40 }, () => random(SHORT_MAX_BYTES));
  const opened = texts.map((plaintext) => {
    return cipher.open(context, seal(context, plaintext));
  });
  opened.forEach((text, n) => assert.deepEqual(text, texts[n]));
});

Deno.test({
  name:
    "a session's records are the same bytes with the cipher of short records, over borders of length and keys",
  ignore: !isHere,
  fn() {
    const [clientSecret, serverSecret] = [random(32), random(32)];
    const make = (role: "client" | "server") =>
      new RecordCipher({
        aead: "chacha20-poly1305",
        clientSecret: clientSecret.slice(),
        serverSecret: serverSecret.slice(),
      }, { role, now: () => 0, rekeyRecords: 3 });
    const [plain, short, reader] = [make("server"), make("server"), make("client")];
    try {
      for (const length of [0, 1, 100, SHORT_MAX_BYTES - 1, SHORT_MAX_BYTES, 5_000, 7, 8, 9]) {
        const parts = [random(length), random(3), random(0)];
        useShortCipher(undefined);
        const expected = plain.seal(parts);
        useShortCipher(cipher);
        const record = short.seal(parts);
        assert.deepEqual(record, expected);
        const opened = reader.open(record.subarray(FRAME_HEADER_BYTES));
        assert.deepEqual(new Uint8Array(opened), concatBytes(parts));
      }
      // A record that is too long is refused before its number is used up.
      assert.throws(() => short.seal([new Uint8Array(70_000)]), LimitError);
      reader.open(short.seal([random(10)]).subarray(FRAME_HEADER_BYTES));
    } finally {
      useShortCipher(undefined);
    }
  },
});
