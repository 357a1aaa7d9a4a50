// The result of a login: the session and how to read its requests.

import type { Session } from "../session/session.ts";

/** A session with its connection, after its handshake. */
export interface Login {
  readonly session: Session;
  /** Whether it takes a held session up again. */
  readonly resumed: boolean;
  /**
   * Handles the messages of one frame or record, one a step, and the last one in the step that is done. Returns true once
   * the client said bye. Throws CmdchatError.
   */
  receive(frame: Uint8Array): Generator<void, boolean>;
  /** The connection ended; `forGood`: the client will not come back. */
  end(forGood: boolean): void;
}
