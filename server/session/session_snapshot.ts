// A session as plain data, for the process that takes over.

import type { TransferState } from "./file_transfers.ts";
import type { SessionTicket } from "./session_ticket.ts";

/** One session. */
export interface SessionSnapshot {
  readonly client: number;
  readonly name: string;
  readonly ticket: SessionTicket;
  readonly address: string;
  readonly status: string | null;
  readonly lastRequest: number;
  /** Its files on their way. */
  readonly files: readonly TransferState[];
  readonly declined: readonly (readonly [id: number, why: string])[];
  /** Number of each room, and the session's name there. */
  readonly rooms: readonly (readonly [room: number, name: string])[];
  /** Events that wait for this client alone. */
  readonly mail: readonly Uint8Array[];
}
