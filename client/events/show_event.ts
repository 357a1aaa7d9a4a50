// How what the server says is shown.

import type { Chat } from "../chat/chat.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";

/** One line of the server's. */
export interface Shown {
  readonly event: string;
  readonly text: string;
  /** ms since 1970; undefined = now. */
  readonly time: number | undefined;
  readonly name?: string;
  readonly previous?: string;
  readonly names?: readonly string[];
  /** The message that was changed, and what it says now; undefined where it was taken back. */
  readonly sequence?: number;
  readonly said?: string | undefined;
}

/** Shows a line about `room`, or about none. */
export function show(chat: Chat, { time, ...line }: Shown, room?: JoinedRoom): void {
  const { current } = chat.rooms;
  chat.output.system({
    ...line,
    room: (room ?? current)?.title ?? "",
    elsewhere: room !== undefined && room !== current,
    ...sealedMark(room ?? current),
    time: time === undefined ? chat.utc() : iso(time),
  });
}

/** The mark of a line that only members of a room can read. */
export function sealedMark(room: JoinedRoom | undefined): { readonly sealed?: true } {
  return room?.isSealed ? { sealed: true } : {};
}

/** ISO 8601. A time beyond what a date can hold is the server's mistake, and no reason to fall over. */
export function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : "";
}
