// A plain room as plain data, for the process that takes over.

import type { ChannelState } from "./memory_bus.ts";
import type { AuthorsSnapshot } from "./recent_authors.ts";

/** One room. */
export interface RoomSnapshot {
  readonly id: number;
  readonly title: string;
  /** Address of the client that made it; undefined where it is unknown. */
  readonly madeBy: string | undefined;
  readonly channel: ChannelState;
  /** Who said which of the last chats. */
  readonly authors: AuthorsSnapshot;
}
