// How both programs print an error.

import { CmdchatError } from "../base/errors.ts";
import { sanitizeText } from "../base/sanitize.ts";

/** Code of an end that nobody foresaw. */
export const EXIT_UNEXPECTED = 1;

/** `error: …` and, where there is one, `hint: …`: two lines at most, safe to print. */
export function errorText({ message, hint }: CmdchatError): string {
  const line = (text: string) => sanitizeText(text).replaceAll("\n", " ");
  return `error: ${line(message)}` + (hint === undefined ? "" : `\nhint: ${line(hint)}`);
}
