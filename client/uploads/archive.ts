// One tar archive of a folder, wherever its files lie. It is never built: each byte of it is read when it is asked for,
// so that a receiver goes on where it was, as with a file.

import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import {
  FOLDER_DEPTH_MAX,
  FOLDER_ENTRIES_MAX,
  TAR_END_BYTES,
  TAR_PATH_MAX_BYTES,
  type TarEntry,
  tarHeader,
  tarPadding,
} from "../files/tar_header.ts";
import type { ByteSource } from "./checked_file.ts";

const NAME_SHOWN_MAX = 200;

/** What an archive will hold, in its order, within the limits of those who unpack it. */
export class ArchiveParts<Part extends TarEntry> {
  readonly all: Part[] = [];
  readonly #paths = new Set<string>();

  /** Adds a file or a folder. Throws LimitError, or UsageError for a path that is in it already. */
  add(part: Part): void {
    if (this.all.length >= FOLDER_ENTRIES_MAX) throw tooMany();
    const isTooLong = new TextEncoder().encode(part.path).length > TAR_PATH_MAX_BYTES - 1 ||
      part.path.split("/").length > FOLDER_DEPTH_MAX;
    if (isTooLong) {
      throw new LimitError(`Cannot send the folder: ${shownName(part)} lies too deep in it`, HINT);
    }
    if (this.#paths.has(part.path)) {
      throw new UsageError(`Cannot send both: two of them are called ${shownName(part)}`);
    }
    this.#paths.add(part.path);
    this.all.push(part);
  }
}

const HINT = { hint: "pack it first, for example with tar or zip" };

/** The folder holds too much to be listed. */
export function tooMany(): LimitError {
  return new LimitError(
    `Cannot send the folder: it has more than ${FOLDER_ENTRIES_MAX} files, the maximum`,
    HINT,
  );
}

/** The last name of a path in an archive, as it is shown in errors. */
export function shownName({ path }: TarEntry): string {
  return quote(path.slice(path.lastIndexOf("/") + 1), NAME_SHOWN_MAX);
}

/** Reads the files of an archive where they lie. */
export interface PartReader<Part> {
  /** Fills `into` with the bytes of that file from `from` on. Rejects with ChunkError, or the system's error. */
  read(part: Part, from: number, into: Uint8Array): Promise<void>;
  /** Frees what it holds; idempotent. */
  close(): void;
}

/** A part with its place in the archive. */
interface Placed<Part> {
  readonly part: Part;
  readonly start: number;
  /** Where its bytes begin, behind the header. */
  readonly body: number;
}

/** The archive of these parts. */
export class ArchiveSource<Part extends TarEntry> implements ByteSource {
  readonly size: number;
  readonly #parts: readonly Placed<Part>[];
  readonly #reader: PartReader<Part>;

  constructor(parts: readonly Part[], reader: PartReader<Part>) {
    this.#reader = reader;
    let start = 0;
    this.#parts = parts.map((part) => {
      const body = start + tarHeader(part).length;
      const placed = { part, start, body };
      start = body + part.size + tarPadding(part.size);
      return placed;
    });
    this.size = start + TAR_END_BYTES;
  }

  async read(start: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const end = start + length;
    // What is behind the last part are zeros.
    for (let [at, index] = [start, this.#partAt(start)]; at < end && index < this.#parts.length;) {
      const { part, start: partStart, body } = this.#parts[index] as Placed<Part>;
      const bodyEnd = body + part.size;
      if (at < body) {
        const header = tarHeader(part).subarray(at - partStart);
        const some = header.subarray(0, end - at);
        bytes.set(some, at - start);
        at += some.length;
      } else if (at < bodyEnd) {
        const to = Math.min(bodyEnd, end);
        await this.#reader.read(part, at - body, bytes.subarray(at - start, to - start));
        at = to;
      } else {
        at = bodyEnd + tarPadding(part.size);
        index++;
      }
    }
    return bytes;
  }

  close(): void {
    this.#reader.close();
  }

  /** The number of the part in which that byte lies. */
  #partAt(at: number): number {
    let [low, high] = [0, this.#parts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#parts[middle] as Placed<Part>).start <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
