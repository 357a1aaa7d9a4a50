// What prompt and status line say of a chat.

import type { ChatConsole } from "../console/console.ts";
import { promptText, statusLine, titleText } from "../output/status_line.ts";
import type { Output } from "../output/output.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { Typing } from "../rooms/typing.ts";
import type { SealedRooms } from "../sealed/sealed_rooms.ts";
import type { RequestLedger } from "../session/request_ledger.ts";
import type { Style } from "../terminal/style.ts";
import type { ConnectionState } from "./connection_state.ts";

/** What is shown of a chat. */
export interface ShownChat {
  readonly console: ChatConsole;
  readonly output: Output;
  readonly rooms: JoinedRooms;
  readonly name: string;
  readonly connected: boolean;
  readonly connection: ConnectionState;
  readonly requests: RequestLedger;
  readonly sealed: SealedRooms;
  readonly typing: Typing;
}

/** Draws prompt and status line; `delayMs`: to the server and back, if it is known. */
export function showStatus(chat: ShownChat, style: Style, delayMs: number | undefined): void {
  const { rooms, name, connected, connection, requests, typing } = chat;
  const { unsent, overdue } = chat.sealed.waiting;
  const status = {
    rooms,
    name,
    connected,
    connection: connection.text,
    unsent: requests.unsent + unsent,
    overdue: requests.overdue + overdue,
    delayMs,
    isProven: connection.isProven,
    silentMs: connection.silentMs,
    typing: typing.in(rooms.current?.id),
  };
  chat.console.setStatus(statusLine(status, style));
  chat.console.setPrompt(promptText(status, style));
  chat.output.title(titleText(status));
}
