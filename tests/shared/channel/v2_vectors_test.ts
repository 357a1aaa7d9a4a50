import assert from "node:assert/strict";
import { makeVectors } from "../../../scripts/generate/make_v2_vectors.ts";
import type { Inputs } from "../../../scripts/generate/v2_material.ts";
import { supportedAeads } from "../../../shared/crypto/aead.ts";
import { readVectors } from "../../helpers/peers/v2_vectors.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";

const testAll = skipUnless(supportedAeads().length === 2, "this runtime has no ChaCha20-Poly1305");

testAll(
  "scripts/generate/make_v2_vectors.ts makes the vectors of session v2 byte for byte",
  async () => {
    const made = makeVectors(await readVectors<Inputs>("v2_inputs.json"));
    for (const [name, text] of Object.entries(made)) {
      const kept = await Deno.readTextFile(new URL(`../../vectors/${name}`, import.meta.url));
      assert.ok(text === kept, `tests/vectors/${name} is not what the generator makes`);
    }
  },
);

Deno.test("every vector of session v2 has a name of its own and one failure", async () => {
  for (const name of ["v2_handshake.json", "v2_records.json", "v2_batches.json"]) {
    const lists = Object.entries(await readVectors<Record<string, unknown>>(name));
    for (const [list, cases] of lists) {
      if (!Array.isArray(cases)) continue;
      const names = cases.map((one) => `${one.aead ?? ""} ${one.name ?? ""}`);
      assert.equal(new Set(names).size, names.length, `${name}, ${list}`);
    }
  }
});
