// What handlers of events may touch of the chat.

import type { CmdchatError } from "../../shared/base/errors.ts";
import type { EventOf, SealedEvent } from "../../shared/messages/messages_v2.ts";
import type { ServerPlace } from "../session/session.ts";
import type { Output } from "../output/output.ts";
import type { RoomProofs } from "../people/room_proofs.ts";
import type { DirectMessages } from "../rooms/direct_messages.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { Typing } from "../rooms/typing.ts";
import type { RequestLedger } from "../session/request_ledger.ts";
import type { Transfers } from "../transfers/transfers.ts";

/** The chat as event handlers and sealed rooms see it. */
export interface ChatContext {
  readonly rooms: JoinedRooms;
  readonly requests: RequestLedger;
  readonly output: Output;
  readonly transfers: Transfers;
  readonly typing: Typing;
  readonly directs: DirectMessages;
  readonly proofs: RoomProofs;
  /** Our number in this session; undefined without a session. */
  readonly clientId: number | undefined;
  /** Whether a session is open and its rooms are known. */
  readonly connected: boolean;
  /** Date and time, ISO 8601. */
  utc(): string;
  /** Takes a room that the server says we are in. */
  enter(event: EventOf<"entered">): JoinedRoom;
  /** Ends the chat because of `fault`, which nobody is there to answer. */
  end(fault: CmdchatError): void;
  /** Makes `room` the one that lines go to. */
  switchTo(room: JoinedRoom): void;
  /** Takes a room away that we are no longer in; `isReplaced`: another one comes in its place at once. */
  forget(room: JoinedRoom, isReplaced?: boolean): void;
  /** Sets our name in `room`. */
  nameIn(room: JoinedRoom, name: string): void;
  /** Nobody is called `name` in `room` any more. */
  nameFreed(room: JoinedRoom, name: string): void;
  /** Hands an event of a sealed room to that room. */
  receiveSealed(event: SealedEvent): void;
  /** The server restarts: the next attempt to connect comes soon. */
  reconnectSoon(): void;
  /** The server asks us to go on at another one. */
  moveTo(place: ServerPlace): void;
  /** Draws prompt and status line again. */
  refreshStatus(): void;
}
