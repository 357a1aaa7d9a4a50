// How a secret is read from a file or a variable, on both sides alike: what editors, `.env` files and here-documents
// add around it is cut, and what can only be a mistake is refused with the number of its line.

/** One line of a secret's text, from 1, without blanks around it. */
export interface SecretLine {
  readonly line: number;
  readonly text: string;
}

/** The lines that are not empty, or why the text cannot be used; that never repeats it. */
export type SecretText = { readonly lines: readonly SecretLine[] } | { readonly fault: string };

const LINE_FEED = 0x0a;
const QUOTED = /^(["'`]).*\1$/s;

/** Lines of a secret's file: UTF-8, a byte order mark and CR before LF are cut, and so is CR alone. */
export function readSecretBytes(bytes: Uint8Array): SecretText {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const texts: string[] = [];
  for (let start = 0; start <= bytes.length;) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    try {
      texts.push(decoder.decode(bytes.subarray(start, end)));
    } catch {
      return { fault: `line ${texts.length + 1} is not UTF-8 text` };
    }
    start = end + 1;
  }
  return readSecretText(texts.join("\n"));
}

/** The same of a variable. */
export function readSecretText(text: string): SecretText {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/)
    .map((line, n) => ({ line: n + 1, text: line.trim() }))
    .filter((line) => line.text !== "");
  for (const { line, text } of lines) {
    const fault = faultOf(text);
    if (fault !== undefined) return { fault: `line ${line} ${fault}` };
  }
  return { lines };
}

function faultOf(text: string): string | undefined {
  if (text.includes("\0")) return "has a NUL character";
  if (/\p{Cc}/u.test(text)) return "has a control character";
  if (QUOTED.test(text)) return "is in quotes, which would be a part of it";
  return undefined;
}
