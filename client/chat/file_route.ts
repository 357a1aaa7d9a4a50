// How what transfers say reaches the server, or the part of the chat that seals.

import type { Chat } from "./chat.ts";
import type { RequestRoom } from "../session/request_ledger.ts";
import type { FileRequest } from "../transfers/transfer_host.ts";

/** Sends it; resolves when the link can take more, rejects with ConnectionError when it is lost. */
export async function sendFileRequest(
  chat: Chat,
  request: FileRequest,
  room?: RequestRoom,
): Promise<void> {
  if (request.kind === "offer") {
    void chat.requests.add(request, room).then((outcome) =>
      chat.transfers.handleAnswer(request.file, outcome)
    );
    return;
  }
  const sealed = chat.sealed.of(room) ?? chat.sealed.ofFile(request.file);
  if (sealed === undefined) return await chat.requireSession().send(request);
  if (request.kind === "chunk") await sealed.sendChunk(request);
}

/** Whether a file on its way to `room` goes on after a lost link because the server says how far it is. */
export function survivesOutages(chat: Chat, room: RequestRoom): boolean {
  return !chat.legacy && room.isSealed !== true;
}
