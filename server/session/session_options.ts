// What a session starts with.

import type { RemoteSession } from "../cluster/cluster_contract.ts";
import type { SessionSnapshot } from "./session_snapshot.ts";
import type { SessionTicket } from "./session_ticket.ts";

/** What a session starts with. */
export interface SessionOptions {
  /** The name that it wants in all rooms. */
  readonly name: string;
  readonly isV1: boolean;
  /** Undefined for v1, which cannot come back. */
  readonly ticket: SessionTicket | undefined;
  readonly address: string;
  /** Where another server had it before. */
  readonly taken?: RemoteSession;
  /** What the process before this one knew of it. */
  readonly known?: SessionSnapshot;
}
