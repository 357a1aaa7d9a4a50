// Makes tests/vectors/v2_*.json from tests/vectors/v2_inputs.json: deno run -A scripts/generate/make_v2_vectors.ts
// Every case has one fault and the class of failure that it must give, so that a parse bug cannot hide behind
// a failed signature. The same bytes come out each time; tests/shared/channel/v2_vectors_test.ts holds that.

import { makeBatchVectors } from "./v2_batch_vectors.ts";
import { makeHandshakeVectors } from "./v2_handshake_vectors.ts";
import type { Inputs } from "./v2_material.ts";
import { makeMessageVectors } from "./v2_message_vectors.ts";
import { makeRecordVectors } from "./v2_record_vectors.ts";

const FOLDER = new URL("../../tests/vectors/", import.meta.url);

/** Every file name with its text. */
export function makeVectors(inputs: Inputs): Record<string, string> {
  const text = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`;
  return {
    "v2_handshake.json": text(makeHandshakeVectors(inputs)),
    "v2_records.json": text(makeRecordVectors()),
    "v2_batches.json": text(makeBatchVectors()),
    "v2_messages.json": text(makeMessageVectors()),
  };
}

if (import.meta.main) {
  const inputs: Inputs = JSON.parse(await Deno.readTextFile(new URL("v2_inputs.json", FOLDER)));
  for (const [name, text] of Object.entries(makeVectors(inputs))) {
    await Deno.writeTextFile(new URL(name, FOLDER), text);
  }
}
