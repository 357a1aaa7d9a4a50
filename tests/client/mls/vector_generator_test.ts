import assert from "node:assert/strict";
import { makeSealedVectors } from "../../../scripts/generate/make_sealed_vectors.ts";
import { readText } from "../../helpers/repo/sources.ts";

Deno.test("the vectors of sealed rooms are those that their generator writes", async () => {
  assert.equal(makeSealedVectors(), await readText("tests/vectors/sealed.json"));
});
