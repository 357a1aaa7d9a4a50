// The result of a login: the session and how to read its requests.

import type { Session } from "../session/session.ts";

/** A session with its connection, after its handshake. */
export interface Login {
  readonly session: Session;
  /** Whether it takes a held session up again. */
  readonly resumed: boolean;
  /** Handles all that one frame or record holds; true when the client said goodbye. Throws CmdchatError. */
  receive(frame: Uint8Array): boolean;
  /** The connection ended; `forGood`: the client will not come back. */
  end(forGood: boolean): void;
}
