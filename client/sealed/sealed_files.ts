// What a sealed room's engine tells of files, in the words of the transfers.

import { type AnyClientId, localMember, type LocalRoomId } from "../base/local_ids.ts";
import type { ChatContext } from "../events/chat_context.ts";
import type { RoomEvent } from "../events/room_handlers.ts";
import type { SealedRoomEvent } from "../sealed_engine/engine_protocol.ts";
import type { WithoutPlace } from "./sealed_decisions.ts";

/** What the engine tells of files. */
export type SealedFileEvent = Extract<
  SealedRoomEvent,
  { readonly kind: "file" | "chunk" | "pull" | "taken" | "receipt" }
>;

/** What becomes of it needs these parts of the room. */
export interface SealedFileParts {
  readonly transfers: ChatContext["transfers"];
  readonly room: LocalRoomId;
  readonly date: () => number;
  /** What names a client; ourselves by our number in the session. */
  readonly clientOf: (client: number) => AnyClientId;
  readonly pass: (event: WithoutPlace<RoomEvent>) => void;
}

/** Hands it to the transfers, as if the server had brought it. */
export function handleFileEvent(event: SealedFileEvent, parts: SealedFileParts): void {
  const { transfers, room, clientOf, pass } = parts;
  switch (event.kind) {
    case "file": {
      const { id: file, name: filename, size, chunks, hash, folder } = event.file;
      const to = event.to === 0 ? 0 : clientOf(event.to);
      const about = { client: clientOf(event.client), name: event.name, time: event.time };
      const offered = { file, filename, size, chunks, hash, folder };
      return pass({ kind: "offer", ...about, request: 0, to, ...offered });
    }
    case "chunk": {
      const { id: file, index, data, last } = event;
      const about = { client: clientOf(event.client), name: "", time: 0 };
      return pass({ kind: "chunk", ...about, file, index, data, last });
    }
    case "pull": {
      const { file, index, count } = event;
      // A member that asks for chunks has accepted the file.
      receipt({ ...event, kind: "receipt", state: "accepted" }, parts);
      const client = localMember(room, event.client);
      return transfers.handlePull({ kind: "pull", room, client, file, index, count });
    }
    case "taken":
      return transfers.handleSealedTaken(event);
    case "receipt":
      return receipt(event, parts);
  }
}

function receipt(
  { file, state, name, client }: Extract<SealedFileEvent, { kind: "receipt" }>,
  { transfers, room, date }: SealedFileParts,
): void {
  const about = { room, client: localMember(room, client), name, time: date() };
  transfers.handleReceipt({ kind: "receipt", ...about, file, state });
}
