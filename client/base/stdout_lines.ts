// Standard output of a script's command: lines in order, and quiet when nobody reads them any more.

import { ConfigError } from "../../shared/base/errors.ts";

/** Whoever reads a pipe may be slow; more than this is not kept for them. */
const WAITING_MAX_CHARACTERS = 67_108_864;

/** Where lines go. */
export interface LineSink {
  /** Writes some of the bytes and gives their number; rejects where nobody reads any more. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Lines to standard output. */
export class StdoutLines {
  readonly #sink: LineSink;
  readonly #closed = Promise.withResolvers<void>();
  #waiting = "";
  #writing: Promise<void> | undefined;
  #isClosed = false;
  #fault: ConfigError | undefined;

  constructor(sink: LineSink = Deno.stdout) {
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
        for (let at = 0; at < bytes.length;) at += await this.#sink.write(bytes.subarray(at));
      }
    } catch (cause) {
      // A closed pipe is how readers say that they have enough; anything else is a loss.
      const isEnough = cause instanceof Deno.errors.BrokenPipe;
      if (!isEnough) {
        this.#fault = new ConfigError(`Cannot write the output: ${why(cause)}`, { cause });
      }
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

function why(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOSPC" ? "the disk is full" : "the system refused";
}
