import assert from "node:assert/strict";
import { loadShortSealer, SHORT_MAX_BYTES } from "../../../server/delivery/short_sealer.ts";
import {
  AEAD_TAG_BYTES,
  aeadOpen,
  aeadSeal,
  supportedAeads,
  useShortSealer,
} from "../../../shared/crypto/aead.ts";
import { fromHex, toHex } from "../../helpers/peers/v2_vectors.ts";

const sealer = await loadShortSealer();

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

Deno.test("the sealer of short records gives the bytes of RFC 8439, section 2.8.2", () => {
  const plaintext = new TextEncoder().encode(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
      "sunscreen would be it.",
  );
  const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
  sealer.seal({
    key: Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i),
    nonce: fromHex("070000004041424344454647"),
    associatedData: fromHex("50515253c0c1c2c3c4c5c6c7"),
  }, { plaintext, out });
  assert.match(toHex(out), /^d31a8d34648e60db7b86afbc53ef7ec2/);
  assert.match(toHex(out), /1ae10b594f09e26a7e902ecbd0600691$/);
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
        const sealed = [undefined, sealer].map((used) => {
          useShortSealer(used);
          const out = new Uint8Array(length + AEAD_TAG_BYTES);
          aeadSeal("chacha20-poly1305", context, { plaintext, out });
          return out;
        });
        assert.deepEqual(sealed[0], sealed[1]);
        assert.deepEqual(
          new Uint8Array(aeadOpen("chacha20-poly1305", context, sealed[1] as Uint8Array)),
          plaintext,
        );
      }
    } finally {
      useShortSealer(undefined);
    }
  },
});

Deno.test("the sealer of short records refuses what does not fit into its memory", () => {
  const context = { key: random(32), nonce: random(12), associatedData: random(4) };
  const plaintext = random(SHORT_MAX_BYTES + 1);
  const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
  assert.throws(() => sealer.seal(context, { plaintext, out }), RangeError);
  const associatedData = random(17);
  assert.throws(() => sealer.seal({ ...context, associatedData }, { plaintext, out }), RangeError);
});
