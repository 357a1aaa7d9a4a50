// The user's disk as transfers use it.

import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import { PartFile } from "../files/part_file.ts";
import { saveDownload, whyNotSaved } from "../files/save_download.ts";
import { NotSavedError, type TransferDisk } from "../transfer_base/transfer_host.ts";
import { openTypedFiles } from "../uploads/disk_file.ts";

/** What the user's disk is for transfers. */
export interface LocalDiskOptions {
  /** Where accepted files go, made (mode 0700) on first use; undefined: none is taken or held. */
  readonly folder: string | undefined;
  /** For `~/`; undefined where unknown. */
  readonly home?: string | undefined;
}

/** The disk of this machine. */
export function localDisk({ folder, home }: LocalDiskOptions): TransferDisk {
  return {
    open: (typed, fileMax) => openTypedFiles(typed, { home, fileMax }),
    save: folder === undefined
      ? undefined
      // A folder is never held in memory: it has a digest, and is written as it comes.
      : (name, chunks) => inWords(() => saveDownload(folder, name, chunks)),
    begin: folder === undefined ? undefined : async (file, onKept) => {
      const of = { ...file, chunkBytes: FILE_CHUNK_BYTES };
      const part = await inWords(() => PartFile.open(folder, of, onKept));
      return {
        append: (data) => inWords(() => part.append(data)),
        finish: (name) => inWords(() => file.isFolder ? part.unpack(name) : part.finish(name)),
        discard: () => part.discard(),
        keep: () => part.keep(),
      };
    },
  };
}

async function inWords<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new NotSavedError(whyNotSaved(cause), cause);
  }
}
