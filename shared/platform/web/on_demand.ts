// Libraries that few runs need. The page is one file, so it has them anyway: imported statically, since the bundler
// keeps all of a module that is imported dynamically, also what nobody uses.

import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { renderUnicodeCompact } from "uqr";

/** ML-KEM of @noble/post-quantum, for a browser whose WebCrypto has none. */
export function loadMlKem(): Promise<typeof ml_kem768> {
  return Promise.resolve(ml_kem768);
}

/** Draws a QR code in characters. */
export function loadQrText(): Promise<typeof renderUnicodeCompact> {
  return Promise.resolve(renderUnicodeCompact);
}
