// The log's queue to standard error. A pipe that nobody reads, or a terminal that Ctrl-S stopped, takes no bytes: the
// server goes on, and drops and counts the lines that do not fit.

/** Most bytes that wait for a reader; further lines are dropped. */
const QUEUE_MAX_BYTES = 262_144;

/** Writes some of the bytes without blocking the process; resolves with their number. */
export type WriteBytes = (bytes: Uint8Array) => Promise<number>;

/** A bounded queue in front of a stream that may stall. */
export class LogQueue {
  readonly #write: WriteBytes;
  readonly #max: number;
  #lines: Uint8Array[] = [];
  #bytes = 0;
  #dropped = 0;
  #isWriting = false;
  #drained: Promise<void> | undefined;

  constructor(write: WriteBytes, max = QUEUE_MAX_BYTES) {
    this.#write = write;
    this.#max = max;
  }

  /** Lines that were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Takes one line. Returns at once, and never throws. */
  push(line: Uint8Array): void {
    if (this.#bytes + line.length > this.#max) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#drained = this.#drain();
  }

  /** Resolves when all is written, or after `ms`. */
  async flush(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
    await Promise.race([this.#drained, late]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      try {
        for (let at = 0; at < line.length;) at += await this.#write(line.subarray(at));
      } catch {
        // The reader is gone. The server goes on without a log.
        this.#dropped++;
      }
      this.#bytes -= line.length;
    }
    // In the same turn as the look at the empty queue: a line that comes after it must not find a writer that seems to
    // be at work.
    this.#isWriting = false;
  }
}
