// How both programs print an error.

import { CmdchatError } from "../base/errors.ts";
import { sanitizeText, withoutSecrets } from "../base/sanitize.ts";

/** Code of an end that nobody foresaw. */
export const EXIT_UNEXPECTED = 1;

// What stands behind the # of a link lets people in.
const SECRETS_OF_A_LINK = /\b((?:cmdchat|https?):[^\s"'#]*#)[^\s"']+/gi;

/**
 * `error: …` and, where there is one, `hint: …`: two lines at most, safe to print. A link that was typed in the wrong
 * place is shown without its secrets: errors end up in logs.
 */
export function errorText({ message, hint }: CmdchatError): string {
  const line = (text: string) =>
    withoutSecrets(sanitizeText(text)).replaceAll("\n", " ").replaceAll(SECRETS_OF_A_LINK, "$1…");
  return `error: ${line(message)}` + (hint === undefined ? "" : `\nhint: ${line(hint)}`);
}
