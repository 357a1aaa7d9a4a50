import assert from "node:assert/strict";
import {
  DEFAULT_COST,
  isAcceptableCost,
  MAX_COST,
  stretchPassphrase,
} from "../../../client/history/key_stretching.ts";

Deno.test("stretchPassphrase() agrees with the reference implementation of Argon2id", async () => {
  // test.c of github.com/P-H-C/phc-winner-argon2, version 0x13, t=2, p=1, "password" and "somesalt".
  const vectors: [number, string][] = [
    [65_536, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"],
    [256, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"],
  ];
  const salt = new TextEncoder().encode("somesalt");
  for (const [memoryKib, expected] of vectors) {
    const key = await stretchPassphrase("password", salt, { memoryKib, passes: 2, lanes: 1 });
    const hex = Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join("");
    assert.equal(hex, expected);
  }
});

Deno.test("isAcceptableCost() takes the default and the maximum, and nothing beyond either end", () => {
  assert.ok(isAcceptableCost(DEFAULT_COST));
  assert.ok(isAcceptableCost(MAX_COST));
  const bad = [
    { memoryKib: MAX_COST.memoryKib + 1 },
    { memoryKib: 7 },
    { memoryKib: Number.NaN },
    { passes: 0 },
    { passes: MAX_COST.passes + 1 },
    { lanes: 0 },
    { lanes: MAX_COST.lanes + 1 },
  ];
  for (const change of bad) assert.equal(isAcceptableCost({ ...DEFAULT_COST, ...change }), false);
});

Deno.test("stretchPassphrase() refuses a cost out of bounds without deriving", async () => {
  const cost = { memoryKib: 4_000_000_000, passes: 1, lanes: 1 };
  await assert.rejects(stretchPassphrase("x", new Uint8Array(16), cost), RangeError);
});
