// What transfers need from the chat.

import type { AnyRoomId, WithAnyIds } from "../base/local_ids.ts";
import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import type { TransferEvent } from "./transfer_event.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { RequestRoom } from "../session/request_ledger.ts";

/** An offer before the chat has given it its number and that of its room. */
export type OfferDraft = Omit<RequestOf<"offer">, "id" | "room">;

/** What is sent about one of our files. */
export type UploadRequest = OfferDraft | RequestOf<"chunk" | "part">;

/** What is sent about files to the server. */
export type FileRequest = UploadRequest | WithAnyIds<RequestOf<"pull" | "receipt">>;

/** What transfers need of the rest of the client. */
export interface TransferHost {
  /** Resolves when the connection can take more, rejects when it is lost. Offers go to a room, chunks after their offer. */
  readonly send: (request: FileRequest, room?: RequestRoom) => Promise<void>;
  /** Whether receivers in a room ask for chunks, so that files go on after a lost connection. */
  readonly survives?: (room: RequestRoom) => boolean;
  /** Who is in a room, ourselves included. */
  readonly members: (room: RequestRoom) => readonly RosterEntry[];
  /** How long those who have not answered are waited for once somebody has one of our files, ms. */
  readonly answerMs: number;
  readonly notify: (event: TransferEvent) => void;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
  /** The name of our room. */
  readonly roomTitle?: (room: AnyRoomId) => string | undefined;
  /** Our number in this session: our own offer comes back to us. */
  readonly ownId: () => number | undefined;
  /** Where accepted files go, made (mode 0700) on first use; undefined: none is taken or held. */
  readonly folder: string | undefined;
  /** For `~/`; undefined where unknown. */
  readonly home?: string | undefined;
  /** `--accept-files`. */
  readonly acceptAll?: boolean;
}
