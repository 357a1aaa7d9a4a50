// Splits bytes into lines on demand: nothing is read before a caller waits for a line.

/** Most UTF-16 units kept of one line. The chat refuses a line of that length, so the cut hides nothing. */
export const MAX_LINE_LENGTH = 262_144;

const INTERRUPT = "\x03";
const END_OF_TRANSMISSION = "\x04";
const ERASERS = "\x7f\b";

interface Waiter {
  readonly secret: boolean;
  readonly resolve: (line: string | undefined) => void;
}

/** A request for a line: `first` for a question, which goes before the ordinary reader; `secret` = raw keys. */
export interface LineRequest {
  readonly first?: boolean;
  readonly secret?: boolean;
}

/** Hands lines out one by one, each to one waiting caller. */
export class LineReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder("utf-8");
  readonly #waiters: Waiter[] = [];
  #rest = "";
  #ended = false;
  #reading = false;

  constructor(input: AsyncIterable<Uint8Array>) {
    this.#chunks = input[Symbol.asyncIterator]();
  }

  /** The next line without its line break; undefined at the end of input, or if Ctrl-C refused a secret. */
  next(request: LineRequest = {}): Promise<string | undefined> {
    return new Promise((resolve) => {
      const waiter = { secret: request.secret ?? false, resolve };
      if (request.first) this.#waiters.unshift(waiter);
      else this.#waiters.push(waiter);
      this.#serve();
    });
  }

  /** Gives every caller, now and later, the end of input. */
  end(): void {
    this.#ended = true;
    this.#rest = "";
    for (const { resolve } of this.#waiters.splice(0)) resolve(undefined);
  }

  async #serve(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#waiters.length > 0) {
        if (!this.#handOut()) await this.#read();
      }
    } catch {
      // An input that can no longer be read has ended.
      this.end();
    } finally {
      this.#reading = false;
    }
  }

  #handOut(): boolean {
    const secret = this.#waiters[0]?.secret ?? false;
    const end = lineEnd(this.#rest, secret);
    if (end < 0 && !this.#ended) return false;
    const line = end < 0 ? this.#rest : this.#rest.slice(0, end);
    const isOver = end < 0 && line === "";
    const stopped = secret && this.#rest[end] !== "\n" && this.#rest[end] !== "\r" && end >= 0;
    this.#rest = end < 0 ? "" : this.#rest.slice(end + 1);
    const value = isOver || stopped ? undefined : secret ? applyErasers(line) : withoutReturn(line);
    this.#waiters.shift()?.resolve(value);
    return true;
  }

  async #read(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) this.#ended = true;
    this.#rest += done ? this.#decoder.decode() : this.#decoder.decode(value, { stream: true });
    const lastLine = this.#rest.lastIndexOf("\n") + 1;
    if (this.#rest.length - lastLine > MAX_LINE_LENGTH) {
      this.#rest = this.#rest.slice(0, lastLine + MAX_LINE_LENGTH);
    }
  }
}

function lineEnd(text: string, secret: boolean): number {
  if (!secret) return text.indexOf("\n");
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (character === "\r" || character === "\n" || character === INTERRUPT) return index;
    if (character === END_OF_TRANSMISSION && index === 0) return index;
  }
  return -1;
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function applyErasers(line: string): string {
  const kept: string[] = [];
  for (const character of line) {
    if (ERASERS.includes(character)) kept.pop();
    else kept.push(character);
  }
  return kept.join("");
}
