// Text on its way to a stream: in order, bounded, and told once where the stream takes no more.
import type { ConfigError } from "../../shared/base/errors.ts";
import { outputFault } from "../../shared/cli/write_all.ts";

// A program that does not read the pipe must not make the client grow without bound.
const MAX_WAITING = 67_108_864;

/** Writes texts one after the other. */
export class LineWriter {
  readonly #write: (text: string) => Promise<void>;
  readonly #broke: () => void;
  #waiting = "";
  #writing: Promise<void> | undefined;
  #isBroken = false;
  #fault: ConfigError | undefined;

  /** `broke` is called once when the stream takes no more; what is added later is dropped. */
  constructor(write: (text: string) => Promise<void>, broke: () => void) {
    this.#write = write;
    this.#broke = broke;
  }

  /** Adds text as it is. */
  add(text: string): void {
    if (this.#isBroken) return;
    this.#waiting += text;
    if (this.#waiting.length > MAX_WAITING) return this.#break();
    this.#writing ??= this.#run();
  }

  /** Resolves when all text has left. Throws ConfigError, once, if some of it was lost. */
  async close(): Promise<void> {
    await this.#writing;
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) throw fault;
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting !== "") {
        const text = this.#waiting;
        this.#waiting = "";
        await this.#write(text);
      }
    } catch (cause) {
      // The reader of the output is gone (`… | head`), or the disk is full: the chat ends as at the end of input.
      this.#fault = outputFault(cause);
      this.#break();
    } finally {
      this.#writing = undefined;
    }
  }

  #break(): void {
    this.#isBroken = true;
    this.#waiting = "";
    this.#broke();
  }
}
