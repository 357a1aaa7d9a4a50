// The way of requests about files: to the server, or to the sealed room that encrypts them.

import { isSealedId, requirePlain } from "../base/local_ids.ts";
import type { RequestLedger, RequestOutcome, RequestRoom } from "../session/request_ledger.ts";
import type { Session } from "../session/session.ts";
import type { SealedRooms } from "../sealed/sealed_rooms.ts";
import type { FileRequest } from "../transfer_base/transfer_host.ts";

/** What requests about files go through. */
export interface FileRoute {
  readonly requests: RequestLedger;
  readonly sealed: SealedRooms;
  /** The open session; throws ConnectionError where there is none. */
  readonly session: () => Session;
  /** Called with the answer to an offer. */
  readonly answered: (file: string, outcome: RequestOutcome) => void;
}

/** Sends it; resolves when the connection can take more, rejects with ConnectionError when it is lost. */
export async function sendFileRequest(
  { requests, sealed, session, answered }: FileRoute,
  request: FileRequest,
  room?: RequestRoom,
): Promise<void> {
  if (request.kind === "offer") {
    void requests.add(request, room).then((outcome) => answered(request.file, outcome));
    return;
  }
  const id = "room" in request ? request.room : room?.id;
  if (id !== undefined && isSealedId(id)) return sealed.byId(id)?.sendFile(request);
  await session().send(requirePlain(request));
}
