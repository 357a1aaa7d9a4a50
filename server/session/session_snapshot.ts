// A session as plain data, for the process that takes over.

import type { TransferState } from "./file_transfers.ts";

/** One session. */
export interface SessionSnapshot {
  readonly client: number;
  readonly name: string;
  readonly ticket: { readonly id: Uint8Array; readonly secret: Uint8Array };
  readonly address: string;
  readonly status: string | null;
  readonly lastRequest: number;
  /** Its files on their way; undefined from a process that did not keep them. */
  readonly files?: readonly TransferState[];
  readonly declined: readonly (readonly [number, string])[];
  /** Number of the room, the name in it, since when. */
  readonly rooms: readonly (readonly [number, string, number])[];
  /** Events that wait for this client alone. */
  readonly mail: readonly Uint8Array[];
}
