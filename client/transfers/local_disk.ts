// The user's disk as transfers use it.

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
    save: folder === undefined ? undefined : async (name, chunks) => {
      try {
        return await saveDownload(folder, name, chunks);
      } catch (cause) {
        throw new NotSavedError(whyNotSaved(cause), cause);
      }
    },
  };
}
