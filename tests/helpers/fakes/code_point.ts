// A unit for random texts.

import fc from "fast-check";

const SURROGATES = 0xd800;
const SURROGATE_COUNT = 0x800;

/**
 * Any code point but a surrogate, for `fc.string({ unit })`. It is what `unit: "binary"` draws, which looks up all 1.1
 * million code points when a module first uses it: more than a second.
 */
export const codePoint: fc.Arbitrary<string> = fc.nat(0x10ffff - SURROGATE_COUNT)
  .map((n) => String.fromCodePoint(n < SURROGATES ? n : n + SURROGATE_COUNT));
