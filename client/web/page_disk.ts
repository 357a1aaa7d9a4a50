/// <reference lib="dom" />
// Files as a page has them: what the user chose or dropped is sent, what was received goes to the browser.

import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import { safeDownloadName } from "../../shared/text/download_name.ts";
import { ChunkError, type SourceFile } from "../transfer_base/source_file.ts";
import type { PageView } from "./page_view.ts";
import type { TransferDisk } from "../transfer_base/transfer_host.ts";
import { type ByteSource, CheckedFile } from "../uploads/checked_file.ts";
import { folderArchive, groupFolders, type PageFolder, readPiece } from "./page_folder.ts";

/** The files of a page, whose view lets the user choose some and gives them what came. */
export function pageDisk(view: Pick<PageView, "chooseFiles" | "save">): TransferDisk {
  return {
    async open(typed, fileMax) {
      if (typed === "" || typed === "/") {
        const chosen = groupFolders(await view.chooseFiles(typed === "/"));
        return await Promise.all(chosen.map((each) => openPageFile(each, fileMax)));
      }
      const error = new UsageError("Cannot send a file by its path: a page knows no paths", {
        hint:
          "choose it with the button, or drop or paste it; /send asks for files, /send / for a " +
          "folder, and /send @NAME or /send @NAME / for what NAME alone gets",
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

/** Reads a chosen file or folder once, so that its digest is known. Throws UsageError or LimitError. */
export async function openPageFile(
  chosen: File | PageFolder,
  fileMax: number,
): Promise<SourceFile> {
  const shown = quote(chosen.name, 200);
  if (fileMax === 0) throw new LimitError(`Cannot send ${shown}: this server takes no files`);
  const isFolder = !(chosen instanceof File);
  const source = isFolder ? folderArchive(chosen) : fileSource(chosen);
  if (source.size > fileMax) {
    throw new LimitError(
      `Cannot send ${shown}: it has ${source.size} bytes, at most ${fileMax} (${
        formatBytes(fileMax)
      }) are allowed`,
    );
  }
  const name = isFolder ? `${chosen.name}.tar` : chosen.name;
  try {
    return await CheckedFile.read(source, { name, isFolder, whyUnreadable });
  } catch (cause) {
    const why = cause instanceof ChunkError ? cause.message : "the browser cannot read it";
    throw new UsageError(`Cannot send ${shown}: ${why}`, { cause });
  }
}

function whyUnreadable(): string {
  return "the browser cannot read it any more";
}

function fileSource(file: File): ByteSource {
  return {
    size: file.size,
    read: (start, length) => readPiece(file, start, length),
    close() {}, // A browser closes files itself.
  };
}
