// Standard output of a script's command: lines in order, and quiet when nobody reads them any more.

import type { ConfigError } from "../../shared/base/errors.ts";
import { type ByteSink, outputFault, STDOUT, writeAll } from "../../shared/cli/write_all.ts";

/** Whoever reads a pipe may be slow; more than this is not kept for them. */
const WAITING_MAX_CHARACTERS = 67_108_864;

/** Lines to standard output. */
export class StdoutLines {
  readonly #sink: ByteSink;
  readonly #closed = Promise.withResolvers<void>();
  #waiting = "";
  #writing: Promise<void> | undefined;
  #isClosed = false;
  #fault: ConfigError | undefined;

  constructor(sink: ByteSink = STDOUT) {
    this.#sink = sink;
  }

  /** Resolves when whoever read has left (`… | head -1`): then there is nothing left to do. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Queues text and a line break. */
  print(text: string): void {
    if (this.#isClosed) return;
    this.#waiting += `${text}\n`;
    if (this.#waiting.length > WAITING_MAX_CHARACTERS) return this.#close();
    this.#writing ??= this.#drain();
  }

  /** Resolves when all that was printed is written, or nobody reads it. Throws ConfigError for a full disk and such. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #drain(): Promise<void> {
    const encoder = new TextEncoder();
    try {
      while (this.#waiting !== "") {
        const bytes = encoder.encode(this.#waiting);
        this.#waiting = "";
        await writeAll(this.#sink, bytes);
      }
    } catch (cause) {
      this.#fault = outputFault(cause);
      this.#close();
    } finally {
      this.#writing = undefined;
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#waiting = "";
    this.#closed.resolve();
  }
}
