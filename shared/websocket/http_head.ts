// The head of an HTTP/1 message (RFC 9112 §2 to §5): as much of HTTP as an upgrade and a CONNECT need.

import { LimitError, ProtocolError } from "../base/errors.ts";

/** Bytes of the longest head that is read. */
export const HTTP_HEAD_MAX_BYTES = 8_192;

const FIELDS_MAX = 100;
const FIRST_BYTES = 1_024;
const [CR, LF] = [0x0d, 0x0a];
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/;
const decoder = new TextDecoder("latin1");

/** A head: its first line, and the values of its fields by their names in lower case. */
export interface HttpHead {
  readonly startLine: string;
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

/** A whole head, and what came behind it. */
export interface HeadAndRest {
  readonly head: HttpHead;
  readonly rest: Uint8Array;
}

/** Collects a head, however its bytes are cut. */
export class HttpHeadReader {
  #bytes = new Uint8Array(FIRST_BYTES);
  #used = 0;

  /** Adds bytes; undefined until the head is whole. Throws LimitError, or ProtocolError for a head that is none. */
  push(chunk: Uint8Array): HeadAndRest | undefined {
    const before = this.#used;
    const taken = chunk.subarray(0, HTTP_HEAD_MAX_BYTES - before);
    this.#add(taken);
    const end = this.#endOfHead(before);
    if (end !== undefined) {
      const head = parseHead(this.#bytes.subarray(0, end));
      return { head, rest: chunk.subarray(end - before) };
    }
    if (this.#used < HTTP_HEAD_MAX_BYTES) return undefined;
    throw new LimitError(
      `Cannot read an HTTP head: it has more than ${HTTP_HEAD_MAX_BYTES} bytes`,
    );
  }

  #add(bytes: Uint8Array): void {
    const needed = this.#used + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(HTTP_HEAD_MAX_BYTES, 2 * needed));
      grown.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#used);
    this.#used = needed;
  }

  /** Where an empty line ends; only lines that end behind `from` are looked at. */
  #endOfHead(from: number): number | undefined {
    const bytes = this.#bytes;
    for (let at = from; at < this.#used; at++) {
      if (bytes[at] !== LF) continue;
      // A bare LF ends the head as well: it is refused then, and not waited upon.
      const before = bytes[at - 1] === CR ? at - 2 : at - 1;
      if (bytes[before] === LF) return at + 1;
    }
    return undefined;
  }
}

/** The only value of a field; undefined where it is absent. Throws ProtocolError where it stands twice. */
export function fieldOf({ fields }: HttpHead, name: string): string | undefined {
  const values = fields.get(name) ?? [];
  if (values.length > 1) throw badHead(`its field ${name} is there twice`);
  return values[0];
}

/** The elements of a field that is a list, over all its lines, as they stand there (RFC 9110 §5.6.1). */
export function listOf({ fields }: HttpHead, name: string): string[] {
  const elements = (fields.get(name) ?? []).join(",").split(",").map((text) => text.trim());
  return elements.filter((text) => text !== "");
}

/** Whether a list holds this word, in whatever case. */
export function listHas(head: HttpHead, name: string, word: string): boolean {
  return listOf(head, name).some((element) => element.toLowerCase() === word);
}

function parseHead(bytes: Uint8Array): HttpHead {
  const text = decoder.decode(bytes);
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n)/.test(text)) {
    throw badHead("it holds control characters, or lines that do not end in CR LF");
  }
  const [startLine = "", ...lines] = text.split("\r\n").slice(0, -2);
  if (lines.length > FIELDS_MAX) throw badHead(`it has more than ${FIELDS_MAX} fields`);
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) throw badHead("a line in it is not a field");
    const key = name.toLowerCase();
    fields.set(key, [...fields.get(key) ?? [], withoutBlanks(value)]);
  }
  return { startLine, fields };
}

/** Without blanks and tabs at both ends; not by a pattern, for which 8,000 blanks within are 0.1 s of work. */
function withoutBlanks(text: string): string {
  const isBlank = (at: number) => text[at] === " " || text[at] === "\t";
  let [start, end] = [0, text.length];
  while (isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

function badHead(why: string): ProtocolError {
  return new ProtocolError(`Cannot read an HTTP head: ${why}`);
}
