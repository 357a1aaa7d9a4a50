// The way of requests about files: to the server, or to the sealed room that encrypts them.

import { isSealedId, requirePlain } from "../base/local_ids.ts";
import type { ClientId } from "../../shared/messages/ids.ts";
import type { Clock } from "../base/clock.ts";
import type { Output } from "../output/output.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { Transfers } from "../transfers/transfers.ts";
import type { ChatOptions } from "./chat_options.ts";
import type { RequestLedger, RequestRoom } from "../session/request_ledger.ts";
import type { Session } from "../session/session.ts";
import type { SealedRooms } from "../sealed/sealed_rooms.ts";
import type { FileRequest } from "../transfer_base/transfer_host.ts";

/** The chat as transfers use it. */
export interface TransferChat {
  readonly requests: RequestLedger;
  readonly sealed: SealedRooms;
  readonly transfers: Transfers;
  readonly rooms: JoinedRooms;
  readonly output: Output;
  readonly clientId: ClientId | undefined;
  readonly isV1: boolean;
  /** The open session. Throws ConnectionError where there is none. */
  requireSession(): Session;
}

/** What transfers get of their chat. */
export function transferParts(
  chat: TransferChat,
  clock: Clock,
): Parameters<ChatOptions["transfers"]>[0] {
  return {
    send: (request, room) => sendFileRequest(chat, request, room),
    checkName: (name, room) => chat.requests.checkFileName(name, room),
    // A v1 server cannot say how far a file is.
    survives: () => !chat.isV1,
    notify: (event) => chat.output.file(event, chat.rooms.current?.title),
    now: () => clock.now(),
    ownId: () => chat.clientId,
    others: (room) => chat.rooms.othersIn(room),
    roomTitle: (id) => chat.rooms.byId(id)?.title,
    ownName: (id) => chat.rooms.byId(id)?.name,
  };
}

/** Sends it; resolves when the connection can take more, rejects with ConnectionError when it is lost. */
async function sendFileRequest(
  chat: TransferChat,
  request: FileRequest,
  room?: RequestRoom,
): Promise<void> {
  if (request.kind === "offer") {
    void chat.requests.add(request, room)
      .then((outcome) => chat.transfers.handleAnswer(request.file, outcome));
    return;
  }
  const id = "room" in request ? request.room : room?.id;
  if (id !== undefined && isSealedId(id)) return chat.sealed.byId(id)?.sendFile(request);
  await chat.requireSession().send(requirePlain(request));
}
