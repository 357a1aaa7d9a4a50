// Writing to standard streams. Another program may have left a terminal or a pipe non-blocking: then a write that the
// stream cannot take fails (EAGAIN) and has to be tried again.

import { ConfigError } from "../../shared/base/errors.ts";

const RETRY_MS = 10;
/** A stream that takes nothing for so long has no reader; only writes that block the program give up. */
const BLOCKED_MAX_MS = 5_000;

/** A stream that takes bytes in parts. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
}

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
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let blocked = 0;
  for (let at = 0; at < bytes.length;) {
    try {
      at += sink.writeSync(bytes.subarray(at));
      blocked = 0;
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock) || blocked >= BLOCKED_MAX_MS) throw error;
      Atomics.wait(pause, 0, 0, RETRY_MS);
      blocked += RETRY_MS;
    }
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
