// What transfers need from the chat.

import type { AnyClientId, AnyRoomId, WithAnyIds } from "../base/local_ids.ts";
import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import type { SourceFile } from "./source_file.ts";
import type { TransferEvent } from "./transfer_event.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { RequestRoom } from "../session/request_ledger.ts";

/** An offer before the chat has given it its number and that of its room. */
export type OfferDraft = Omit<WithAnyIds<RequestOf<"offer">>, "id" | "room">;

/** What is sent about one of our files. The bytes of a part are given back once it is sent: whoever takes it copies them. */
export type UploadRequest = OfferDraft | WithAnyIds<RequestOf<"chunk" | "part">>;

/** What is sent about files to the server. */
export type FileRequest = UploadRequest | WithAnyIds<RequestOf<"pull" | "receipt">>;

/** The only member who is offered a file. */
export interface OnlyReceiver {
  readonly client: AnyClientId;
  /** NOT sanitized. */
  readonly name: string;
}

/** A received file was not saved. */
export class NotSavedError extends Error {
  /** `reason` ends a sentence; it has no path and no text of a peer. */
  constructor(reason: string, cause: unknown) {
    super(reason, { cause });
  }
}

/** Where files come from and go. */
export interface TransferDisk {
  /** Opens what the user named after `/send`: one file, or several that were dropped. Throws UsageError or LimitError. */
  open(typed: string, fileMax: number): Promise<readonly SourceFile[]>;
  /**
   * Keeps a file of a peer's `name` under a safe form of it, and resolves with where that is; undefined: no file is
   * taken or held. Rejects with NotSavedError.
   */
  readonly save:
    | ((name: string, chunks: readonly Uint8Array[], isFolder: boolean) => Promise<string>)
    | undefined;
  /** Begins a file, where files can be written as they come; `onKept` gets whole chunks that are here already. */
  readonly begin?:
    | ((
      file: { readonly hash: Uint8Array; readonly size: number; readonly isFolder: boolean },
      onKept: (chunk: Uint8Array) => void,
    ) => Promise<IncomingPart>)
    | undefined;
}

/** A file that is written as it comes. Methods reject with NotSavedError. */
export interface IncomingPart {
  /** The bytes are given back once it has resolved. */
  append(data: Uint8Array): Promise<void>;
  /** All is there: resolves with where it is. */
  finish(name: string): Promise<string>;
  /** It is not wanted, or not what it should be. */
  discard(): Promise<void>;
  /** It ended early: what came may help another time. */
  keep(): Promise<void>;
}

/** What transfers need of the rest of the client. */
export interface TransferHost {
  /** Resolves when the connection can take more, rejects when it is lost. Offers go to a room, chunks after their offer. */
  readonly send: (request: FileRequest, room?: RequestRoom) => Promise<void>;
  /** Throws UsageError where a file must not be offered in a room under its name. */
  readonly checkName?: (name: string, room: RequestRoom) => void;
  /** Whether receivers in a room ask for chunks, so that files go on after a lost connection. */
  readonly survives?: (room: RequestRoom) => boolean;
  /** Who else is in a room. */
  readonly others: (room: RequestRoom) => readonly RosterEntry[];
  /** How long those who have not answered are waited for once somebody has one of our files, ms. */
  readonly answerMs: number;
  readonly notify: (event: TransferEvent) => void;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
  /** The name of our room. */
  readonly roomTitle?: (room: AnyRoomId) => string | undefined;
  /** Our name in a room. */
  readonly ownName?: (room: AnyRoomId) => string | undefined;
  /** Our number in this session: our own offer comes back to us. */
  readonly ownId: () => number | undefined;
  readonly disk: TransferDisk;
  /** `--accept-files`. */
  readonly acceptAll?: boolean;
}
