import assert from "node:assert/strict";
import { TAKEN_PARTS } from "../../../server/config/limits.ts";
import { TakenParts } from "../../../server/session/taken_parts.ts";

function scene() {
  const told: string[] = [];
  const taken = new TakenParts({ tell: ({ file, index }) => told.push(`${file} ${index}`) });
  return { told, taken };
}

Deno.test("one answer stands for all parts that came, once there are enough of them or after a while", async () => {
  const { told, taken } = scene();
  for (let index = 0; index < TAKEN_PARTS.parts + 2; index++) {
    taken.add({ file: index % 2 === 0 ? "f" : "g", index });
  }
  assert.deepEqual(told, [`g ${TAKEN_PARTS.parts - 1}`]);
  await new Promise((resolve) => setTimeout(resolve, 3 * TAKEN_PARTS.waitMs));
  assert.deepEqual(told, [`g ${TAKEN_PARTS.parts - 1}`, `g ${TAKEN_PARTS.parts + 1}`]);
});
