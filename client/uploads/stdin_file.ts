// What comes on standard input, as a file: its size has to be said before its first byte, so all of it is read into
// memory, up to what the server takes.

import { sha256 } from "#platform/hash.ts";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { FILE_HELD_ONE_MAX_BYTES } from "../base/limits.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import type { SourceFile } from "../transfer_base/source_file.ts";

/** Reads it to its end. Throws LimitError as soon as it is too much, UsageError where there is nothing. */
export async function spoolFile(
  input: AsyncIterable<Uint8Array>,
  { name, fileMax }: { readonly name: string; readonly fileMax: number },
): Promise<SourceFile> {
  if (fileMax === 0) throw new LimitError("Cannot send standard input: this server takes no files");
  const most = Math.min(fileMax, FILE_HELD_ONE_MAX_BYTES);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of input) {
    size += part.length;
    if (size > most) {
      throw new LimitError(
        `Cannot send standard input: it has more than ${most} bytes (${
          formatBytes(most)
        }), the maximum`,
        most < fileMax
          ? { hint: "write it to a file, and send that: it is not held in memory" }
          : {},
      );
    }
    parts.push(part);
  }
  if (size === 0) throw emptyInput();
  return new SpooledFile(name, concatBytes(parts));
}

/** The same input once its first byte is there. Throws UsageError where there is none. */
export async function begunInput(
  input: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const parts = input[Symbol.asyncIterator]();
  for (let part = await parts.next(); !part.done; part = await parts.next()) {
    if (part.value.length > 0) return following(part.value, parts);
  }
  throw emptyInput();
}

async function* following(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield first;
  for (let part = await rest.next(); !part.done; part = await rest.next()) yield part.value;
}

// Mostly the program before the pipe has failed, and nobody meant to send nothing.
function emptyInput(): UsageError {
  return new UsageError("Cannot send standard input: it is empty", {
    hint: "the command before the pipe wrote nothing; an empty file can be sent by its path",
  });
}

class SpooledFile implements SourceFile {
  readonly name: string;
  readonly size: number;
  readonly hash: Uint8Array<ArrayBuffer>;
  #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.size = bytes.length;
    this.hash = sha256(bytes);
    this.#bytes = bytes;
  }

  chunk(index: number): Promise<Uint8Array> {
    const start = index * FILE_CHUNK_BYTES;
    // A copy: a chunk may still wait to be written when the file is closed.
    return Promise.resolve(this.#bytes.slice(start, start + FILE_CHUNK_BYTES));
  }

  close(): void {
    this.#bytes = new Uint8Array();
  }
}
