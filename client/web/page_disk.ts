/// <reference lib="dom" />
// Files as a page has them: what the user chose or dropped is sent, what was received goes to the browser.

import { createSha256, sha256 } from "#platform/hash.ts";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import { safeDownloadName } from "../../shared/text/download_name.ts";
import { ChunkError, type SourceFile } from "../transfer_base/source_file.ts";
import type { PageView } from "./page_view.ts";
import type { TransferDisk } from "../transfer_base/transfer_host.ts";

/** The files of a page, whose view lets the user choose some and gives them what came. */
export function pageDisk(view: Pick<PageView, "chooseFiles" | "save">): TransferDisk {
  return {
    async open(typed, fileMax) {
      if (typed === "") {
        const chosen = await view.chooseFiles();
        return await Promise.all(chosen.map((file) => openPageFile(file, fileMax)));
      }
      const error = new UsageError("Cannot send a file by its path: a page knows no paths", {
        hint: "choose it with the button, or drop or paste it; /send @NAME alone asks for one",
      });
      throw error;
    },
    save(name, chunks, isFolder) {
      // A browser lets a page write no folder: its user unpacks the archive.
      const safe = safeDownloadName(isFolder ? `${name}.tar` : name);
      view.save(
        safe,
        new Blob([...chunks] as Uint8Array<ArrayBuffer>[], { type: "application/octet-stream" }),
      );
      return Promise.resolve(safe);
    },
  };
}

/** Reads a chosen file once, so that its digest is known. Throws UsageError or LimitError. */
export async function openPageFile(file: File, fileMax: number): Promise<SourceFile> {
  const shown = quote(file.name, 200);
  if (fileMax === 0) throw new LimitError(`Cannot send ${shown}: this server takes no files`);
  if (file.size > fileMax) {
    throw new LimitError(
      `Cannot send ${shown}: it has ${file.size} bytes, at most ${fileMax} (${
        formatBytes(fileMax)
      }) are allowed`,
    );
  }
  if (file.size === 0) throw new UsageError(`Cannot send ${shown}: it is empty`);
  try {
    const whole = createSha256();
    const digests: Uint8Array[] = [];
    for (let at = 0; at < file.size; at += FILE_CHUNK_BYTES) {
      const chunk = await bytesAt(file, at);
      whole.update(chunk);
      digests.push(sha256(chunk));
    }
    return new PageFile(file, { hash: whole.digest(), digests });
  } catch (cause) {
    // A folder that was dropped looks like a file until it is read.
    throw new UsageError(`Cannot send ${shown}: the browser cannot read it`, { cause });
  }
}

/** A file of the user, of which nothing is held in memory but the digests of its chunks. */
class PageFile implements SourceFile {
  readonly name: string;
  readonly size: number;
  readonly hash: Uint8Array<ArrayBuffer>;
  readonly #file: File;
  readonly #digests: readonly Uint8Array[];

  constructor(
    file: File,
    { hash, digests }: {
      readonly hash: Uint8Array<ArrayBuffer>;
      readonly digests: readonly Uint8Array[];
    },
  ) {
    [this.name, this.size, this.hash] = [file.name, file.size, hash];
    [this.#file, this.#digests] = [file, digests];
  }

  async chunk(index: number): Promise<Uint8Array> {
    let data: Uint8Array;
    try {
      data = await bytesAt(this.#file, index * FILE_CHUNK_BYTES);
    } catch {
      throw new ChunkError({ code: "unreadable", reason: "the browser cannot read it any more" });
    }
    const digest = sha256(data);
    if (digest.every((byte, at) => byte === this.#digests[index]?.[at])) return data;
    throw new ChunkError({ code: "changed", reason: "it was changed while it was sent" });
  }

  /** Does nothing: a browser closes files itself. */
  close(): void {}
}

async function bytesAt(file: File, start: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(start, start + FILE_CHUNK_BYTES).arrayBuffer());
}
