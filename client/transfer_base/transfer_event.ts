// What a transfer is to those who show it: its number and names, and each turn it takes.

import { safeDownloadName } from "../../shared/text/download_name.ts";
import type { FileReceipt } from "../../shared/messages/messages_v2.ts";

/** `in`: a member sends it to us; `out`: we send it to the room. */
export type TransferDirection = "in" | "out";

/** One transfer in the words of `/files`, `/accept`, `/reject` and `/cancel`. */
export interface TransferRef {
  /** The number the user calls it by, from 1, never used twice by one client. */
  readonly n: number;
  readonly direction: TransferDirection;
  /** Safe to be a file's name and to be shown. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** It is a folder, sent as a tar archive. */
  readonly isFolder?: boolean;
  /** Left out of our folder: links and what is neither file nor folder. */
  readonly leftOut?: number;
  /** Who sends it, as it came from the peer: NOT sanitized; undefined for our own. */
  readonly sender: string | undefined;
  /** The room it is offered in, by name; NOT sanitized. */
  readonly room?: string | undefined;
  /** The name of the only member who is offered it; undefined: the whole room. NOT sanitized. */
  readonly to?: string | undefined;
}

/** What a file of a peer's `name` is called, and a folder, whose archive has that name. */
export function shownFileName(name: string, isFolder: boolean): string {
  return safeDownloadName(isFolder ? name.replace(/\.tar$/i, "") : name);
}

/** `offered`: the user has not answered; `accepted`: saved once all is here; `saving`; `sending`. */
export type TransferState = "offered" | "accepted" | "saving" | "sending";

/** What a transfer waits for: our connection, that of the file's sender, or a receiver that accepts the file. */
export type Waiting = "connection" | "sender" | "receiver";

/** A transfer as `/files` lists it. */
export interface TransferInfo extends TransferRef {
  readonly state: TransferState;
  /** Bytes received or sent. */
  readonly done: number;
  readonly waitingFor?: Waiting | undefined;
}

/** Why a transfer did not happen: `code` for programs, `reason` in our own words, without a peer's text. */
export interface TransferFault {
  readonly code:
    | "cancelled" // by our user
    | "sender_gave_up"
    | "sender_left"
    | "connection_lost"
    | "room_left"
    | "stalled" // no chunk for too long
    | "expired" // nobody answered the offer
    | "unconfirmed" // the server did not take our offer
    | "stopped" // by the server: we are muted
    | "nobody" // nobody was offered it
    | "refused" // by all to whom we offered it
    | "unsaved" // nobody to whom we offered it has it
    | "changed" // our file is not what it was when it was offered
    | "unreadable" // our file could not be read to its end
    | "bad_offer" // size, chunk count or id do not fit
    | "bad_chunk" // missing, twice, wrong size
    | "bad_digest" // all is here, and is not what its sender offered
    | "not_wanted" // this client was started to take no files
    | "too_large"
    | "too_many" // from this sender
    | "no_memory" // too much is held already
    | "not_saved"; // disk full, no permission
  readonly reason: string;
}

/**
 * What became of one of our files at one receiver: it has not said; what it said; it left before it said so; or it speaks
 * v1, which says nothing, and was sent the file.
 */
export type FileAnswer = "open" | FileReceipt | "left" | "fetched";

/** One receiver of one of our files. `name` is NOT sanitized. */
export interface ReceiverAnswer {
  readonly name: string;
  readonly answer: FileAnswer;
}

/** Of a transfer that cannot wait for another connection. */
export const CONNECTION_LOST: TransferFault = {
  code: "connection_lost",
  reason: "the connection was lost in the middle",
};

/** Whoever offered a file is gone. */
export const SENDER_LEFT: TransferFault = {
  code: "sender_left",
  reason: "its sender left in the middle",
};

/** A client that saves nothing is offered a file. */
export const NOT_WANTED: TransferFault = {
  code: "not_wanted",
  reason: "this client takes no files",
};

/** What the chat shows. `sender` and names of receivers are NOT sanitized, everything else is safe. */
export type TransferEvent =
  | { readonly kind: "offered"; readonly file: TransferRef; readonly accepted: boolean }
  | { readonly kind: "accepted"; readonly file: TransferRef }
  | { readonly kind: "rejected"; readonly file: TransferRef }
  | { readonly kind: "sending"; readonly file: TransferRef }
  /** At most one a percent and one in 100 ms, the last one always. */
  | { readonly kind: "progress"; readonly file: TransferRef; readonly done: number }
  /** It does not go on until what it waits `for` is here; `done` of it is through. */
  | {
    readonly kind: "waiting";
    readonly file: TransferRef;
    readonly done: number;
    readonly for: Waiting;
  }
  | { readonly kind: "resumed"; readonly file: TransferRef; readonly done: number }
  /** `path` is where it is; its last part differs from `file.name` where that one was taken. */
  | {
    readonly kind: "saved";
    readonly file: TransferRef;
    readonly path: string;
    readonly sha256: string;
  }
  /** A receiver of one of our files said something; `isLate`: after the file counted as sent. */
  | {
    readonly kind: "answered";
    readonly file: TransferRef;
    readonly receivers: readonly ReceiverAnswer[];
    /** Who said it. */
    readonly by: ReceiverAnswer;
    readonly isLate: boolean;
  }
  /** Somebody has it; no `receivers` where the server cannot tell who. */
  | {
    readonly kind: "sent";
    readonly file: TransferRef;
    readonly sha256: string;
    readonly receivers: readonly ReceiverAnswer[];
  }
  | {
    readonly kind: "failed";
    readonly file: TransferRef;
    readonly fault: TransferFault;
    /** Of one of our files. */
    readonly receivers?: readonly ReceiverAnswer[];
    /** It is offered still: whoever accepts it again may have it. */
    readonly canRetry?: true;
  }
  /** An offer that was never taken up; told once for each sender until something of theirs ends. */
  | {
    readonly kind: "refused";
    readonly sender: string;
    readonly name: string;
    readonly size: number;
    readonly fault: TransferFault;
  };
