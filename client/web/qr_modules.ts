// The QR code of a link, for a view that draws it.

import { encode } from "uqr";

const BORDER = 2;

/** Rows of modules with a quiet border; true is dark. */
export function qrModules(text: string): readonly (readonly boolean[])[] {
  return encode(text, { border: BORDER }).data;
}
