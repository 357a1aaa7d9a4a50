// Writing to standard streams, for both programs. Another program may have left a terminal or a pipe non-blocking: then a write that the
// stream cannot take fails (EAGAIN) and has to be tried again.

import { ConfigError } from "../base/errors.ts";

const RETRY_MS = 10;
/** A stream that takes nothing for so long has no reader; only writes that block the program give up. */
const BLOCKED_MAX_MS = 5_000;

/** A stream that takes bytes in parts. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
}

/** A stream that can also block the program. */
export interface BlockingSink extends ByteSink {
  writeSync(bytes: Uint8Array): number;
}

/** A pipe takes as many bytes whole or not at all (PIPE_BUF of Linux): lines of several programs do not mix. */
const WHOLE_BYTES = 4_096;
/** Below what the runtime's buffer keeps (1,024 bytes). */
const KEPT_BYTES = 1_000;
const LINE_FEED = 0x0a;
const NOTHING = new Uint8Array(0);

/**
 * Standard output. The runtime keeps what a full stream did not take, up to 1,024 bytes behind the last line break, and
 * throws WouldBlock all the same: writing all of it again would print it twice. So output leaves in pieces for which it
 * is known whether they were taken.
 *
 * 1. A piece without a line break is below 1,024 bytes: it is always taken, and an empty write sends what is kept.
 * 2. A pipe takes a piece that ends in a line break whole or not at all.
 * 3. A terminal takes a part of it. An empty write that fails as well shows that the rest is kept; from then on a line
 * break is a piece of its own, which cannot be taken in part.
 */
export class StandardOutput implements BlockingSink {
  readonly #sink: BlockingSink;
  readonly #isTerminal: () => boolean;
  #isCareful = false;

  constructor(sink: BlockingSink, isTerminal: () => boolean) {
    this.#sink = sink;
    this.#isTerminal = isTerminal;
  }

  /** Takes some of the bytes and returns how many. Throws WouldBlock where it has taken none. */
  async write(bytes: Uint8Array): Promise<number> {
    const piece = this.#pieceOf(bytes);
    try {
      await this.#sink.write(piece);
    } catch (error) {
      if (!this.#hasKept(piece, error)) throw error;
      await retried(() => this.#sink.write(NOTHING));
    }
    return piece.length;
  }

  /** As write(); blocks until what was taken is written, 5 s at most. */
  writeSync(bytes: Uint8Array): number {
    const piece = this.#pieceOf(bytes);
    try {
      this.#sink.writeSync(piece);
    } catch (error) {
      if (!this.#hasKept(piece, error)) throw error;
      retriedSync(() => this.#sink.writeSync(NOTHING));
    }
    return piece.length;
  }

  #pieceOf(bytes: Uint8Array): Uint8Array {
    if (this.#isCareful) {
      const at = bytes.subarray(0, KEPT_BYTES).indexOf(LINE_FEED);
      return bytes.subarray(0, at < 0 ? KEPT_BYTES : Math.max(1, at));
    }
    const most = this.#isTerminal() ? KEPT_BYTES : WHOLE_BYTES;
    const end = bytes.subarray(0, most).lastIndexOf(LINE_FEED) + 1;
    return bytes.subarray(0, end || KEPT_BYTES);
  }

  /** Whether the runtime has taken a piece whose write failed. */
  #hasKept(piece: Uint8Array, error: unknown): boolean {
    if (!(error instanceof Deno.errors.WouldBlock)) return false;
    if (piece.at(-1) !== LINE_FEED) return true;
    if (piece.length === 1) return false;
    if (this.#isTerminal()) this.#isCareful = true;
    try {
      this.#sink.writeSync(NOTHING);
      return false;
    } catch (again) {
      if (again instanceof Deno.errors.WouldBlock) return true;
      throw again;
    }
  }
}

/** The standard output of this program. */
export const STDOUT: BlockingSink = new StandardOutput(
  Deno.stdout,
  () => Deno.stdout.isTerminal(),
);

/** Writes all bytes, waiting for as long as the stream is full. Rejects with the runtime's error. */
export async function writeAll(sink: ByteSink, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await retried(() => sink.write(bytes.subarray(at)));
  }
}

/** The result of an operation on a stream, tried again for as long as the stream is not ready. */
export async function retried<T>(operation: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Writes all bytes and blocks meanwhile, at most 5 s for a stream that stays full. Throws the runtime's error. */
export function writeAllSync(
  sink: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  for (let at = 0; at < bytes.length;) {
    at += retriedSync(() => sink.writeSync(bytes.subarray(at)));
  }
}

function retriedSync(operation: () => number): number {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let blocked = 0;; blocked += RETRY_MS) {
    try {
      return operation();
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock) || blocked >= BLOCKED_MAX_MS) throw error;
      Atomics.wait(pause, 0, 0, RETRY_MS);
    }
  }
}

/** Writes text as far as the stream takes it: where nobody can be told, nothing else is left to do. */
export function tryWrite(
  sink: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  try {
    writeAllSync(sink, new TextEncoder().encode(text));
  } catch {
    // It is closed or full.
  }
}

/** The error for output that cannot be written; undefined if its reader has left (`… | head`), which is no error. */
export function outputFault(cause: unknown): ConfigError | undefined {
  if (cause instanceof ConfigError) return cause;
  if (cause instanceof Deno.errors.BrokenPipe) return undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const why = code === "ENOSPC" ? "the disk is full" : "the system refused";
  return new ConfigError(`Cannot write the output: ${why}`, { cause });
}
