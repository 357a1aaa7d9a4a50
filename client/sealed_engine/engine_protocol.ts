// What a sealed room tells the chat and what the chat asks of it: plain data, since a worker lies between.

import type { RequestId, SequenceNumber } from "../../shared/messages/ids.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { FileReceipt, SealedEvent, SealedRequest } from "../../shared/messages/messages_v2.ts";
import type { DeviceKey } from "../../shared/crypto/device_key.ts";
import type { AlarmCause, RememberedPerson, SealedPerson } from "./people.ts";

/** How the room is right now. */
export interface SealStatus {
  readonly kind: "status";
  /** entering = not a member yet; catching up = a member, but not everything has been read. */
  readonly phase: "offline" | "entering" | "catching up" | "in" | "out";
  readonly name: string;
  readonly epoch: number;
  /** Six groups of five digits; equal on all screens. Empty before one is in. */
  readonly code: string;
  /** Whether another member has said that we are seen. Alone in a new room nobody can. */
  readonly confirmed: boolean;
  /** Number of who made the room, and may remove others, lock it and make ops; 0 = is not here. */
  readonly maker: number;
  /** Numbers of the ops who are here. */
  readonly ops: readonly number[];
  /** Whether nobody else is let in. */
  readonly locked: boolean;
  /** Whether nothing is sent just now, since a name has come back with another key. */
  readonly stopped: boolean;
  readonly people: readonly SealedPerson[];
}

/** What the chat is told. Times are milliseconds since 1970. */
export type SealedRoomEvent =
  | SealStatus
  | {
    readonly kind: "text";
    readonly client: number;
    readonly name: string;
    readonly text: string;
    /** What they do, as in "* alice waves". */
    readonly action: boolean;
    /** Sequence of the text that it answers; 0 = none that we have heard. */
    readonly reply: number;
    readonly time: number;
    readonly sequence: number;
    /** Our request that it answers; 0 for others' texts. */
    readonly request: number;
  }
  /** Somebody gave a text of theirs another one, or took it back: null. */
  | {
    readonly kind: "revised";
    readonly client: number;
    readonly name: string;
    readonly time: number;
    readonly sequence: number;
    readonly text: string | null;
    readonly request: number;
  }
  /** Somebody put an emoji under a text, or took it back. */
  | {
    readonly kind: "reacted";
    readonly client: number;
    readonly name: string;
    readonly time: number;
    readonly sequence: number;
    readonly emoji: string;
    readonly on: boolean;
    readonly request: number;
  }
  /** What the room is about; `told`: as whoever confirmed us says, not as we heard. */
  | {
    readonly kind: "topic";
    readonly client: number;
    readonly name: string;
    readonly time: number;
    readonly text: string;
    readonly request: number;
    readonly told: boolean;
  }
  /** What is pinned; `told`: as whoever confirmed us says, not as we heard. */
  | {
    readonly kind: "pinned";
    readonly client: number;
    readonly name: string;
    readonly time: number;
    /** `sequence` 0: a text that we have not heard; the name and the text are the word of who tells it. */
    readonly pin:
      | { readonly sequence: number; readonly authorName: string; readonly text: string }
      | null;
    readonly request: number;
    readonly told: boolean;
  }
  | { readonly kind: "typing"; readonly client: number; readonly name: string }
  /** A text for one member alone; `to` and `toName` say for whom. */
  | {
    readonly kind: "direct";
    readonly client: number;
    readonly name: string;
    readonly to: number;
    readonly toName: string;
    readonly text: string;
    readonly time: number;
    readonly request: number;
  }
  | { readonly kind: "joined" | "left"; readonly client: number; readonly name: string }
  | {
    readonly kind: "renamed";
    readonly client: number;
    readonly name: string;
    readonly previous: string;
  }
  /** Somebody who moderates has decided something; `whom` and `whomName` where it is about somebody. */
  | {
    readonly kind: "moderated";
    readonly what: "kick" | "lock" | "unlock" | "op" | "deop";
    readonly client: number;
    readonly name: string;
    readonly whom: number;
    readonly whomName: string;
    readonly reason: string;
  }
  | { readonly kind: "away" | "back"; readonly client: number; readonly name: string }
  /** A request was carried out, and nothing else says so. */
  | { readonly kind: "done"; readonly request: number }
  | { readonly kind: "flushed" }
  /** A request was not carried out. */
  | { readonly kind: "declined"; readonly request: number; readonly why: string }
  /** `of`: the member whom it is about, where that is certain. */
  | {
    readonly kind: "note";
    readonly level: NoteLevel;
    readonly text: string;
    readonly of?: string;
  }
  /** A name has come back with another key; `held`: the requests that were not sent because of it, and why. */
  | {
    readonly kind: "alarm";
    readonly name: string;
    readonly cause: AlarmCause;
    readonly held: readonly RequestId[];
    readonly why: string;
  }
  /** The room cannot be entered: the text for a person, and the reason alone. */
  | { readonly kind: "shut"; readonly text: string; readonly why: string }
  /** A member says that the room moves to a new link. */
  | {
    readonly kind: "moved";
    readonly client: number;
    readonly name: string;
    readonly secret: Uint8Array;
  }
  | {
    readonly kind: "file";
    readonly client: number;
    readonly name: string;
    readonly time: number;
    readonly file: SealedFile;
    /** Our own number where it is for us alone; 0 = for all members. */
    readonly to: number;
  }
  /** Somebody wants chunks of one of our files, by the chat's id of it. */
  | {
    readonly kind: "pull";
    readonly file: string;
    readonly client: number;
    readonly name: string;
    readonly index: number;
    readonly count: number;
  }
  /** The relay has a chunk of one of our files. */
  | { readonly kind: "taken"; readonly file: string; readonly index: number }
  /** A receiver says what becomes of one of our files. */
  | {
    readonly kind: "receipt";
    readonly file: string;
    readonly client: number;
    readonly name: string;
    readonly state: FileReceipt;
  }
  | {
    readonly kind: "chunk";
    readonly client: number;
    readonly id: string;
    readonly index: number;
    /** 32 KiB, the last one what remains; empty in a last one: the file will not come. */
    readonly data: Uint8Array;
    readonly last: boolean;
  };

/** A file that somebody hands out. */
export interface SealedFile {
  /** Hexadecimal. */
  readonly id: string;
  readonly name: string;
  readonly size: number;
  /** Without padding. */
  readonly chunks: number;
  /** SHA-256 of the whole. */
  readonly hash: Uint8Array;
  /** It is a tar archive that is unpacked into a folder. */
  readonly folder: boolean;
}

/** What the chat asks for. */
export type SealedRoomRequest =
  /** The connection to the relay is open; its challenge is to be answered. */
  | { readonly kind: "online"; readonly challenge: Uint8Array }
  | { readonly kind: "offline" }
  | {
    readonly kind: "say";
    readonly request: RequestId;
    readonly text: string;
    readonly action?: boolean;
    readonly reply?: SequenceNumber;
  }
  /** Another text for an own one, by the sequence under which it was told; null takes it back. */
  | {
    readonly kind: "revise";
    readonly request: number;
    readonly sequence: SequenceNumber;
    readonly text: string | null;
  }
  /** An emoji under the text of that sequence; `on` false takes it back. */
  | {
    readonly kind: "react";
    readonly request: number;
    readonly sequence: SequenceNumber;
    readonly emoji: string;
    readonly on: boolean;
  }
  | { readonly kind: "topic"; readonly request: number; readonly text: string }
  /** Pins a text by the sequence under which it was told; 0 removes the pin. For who moderates the room. */
  | {
    readonly kind: "pin";
    readonly request: number;
    readonly sequence: SequenceNumber;
    readonly authorName: string;
    readonly text: string;
  }
  /** We are writing: told now or never. */
  | { readonly kind: "typing" }
  /** A text for the member with that number alone. */
  | {
    readonly kind: "whisper";
    readonly request: number;
    readonly to: number;
    readonly text: string;
  }
  /** The user has compared somebody's key, or takes notice that it is another one. */
  | {
    readonly kind: "accept";
    readonly name: string;
    readonly verified: boolean;
    /** Of the fingerprint that the user saw. */
    readonly digits: string;
  }
  /** The user knows these people by their device keys, and no others. */
  | { readonly kind: "remember"; readonly people: readonly RememberedPerson[] }
  | { readonly kind: "move"; readonly request: number; readonly secret: Uint8Array }
  /** A file to hand out; its chunks follow as they are pulled. */
  | {
    readonly kind: "offer";
    readonly request: number;
    readonly file: string;
    readonly name: string;
    readonly size: number;
    /** SHA-256 of the whole. */
    readonly hash: Uint8Array;
    /** It is a tar archive of a folder. */
    readonly folder: boolean;
    /** The only member who may have it; 0 = all. */
    readonly to: number;
  }
  /** A chunk of an own file for those who pulled it; no data: it is not available any longer. */
  | {
    readonly kind: "part";
    readonly to: readonly number[];
    readonly file: string;
    readonly index: number;
    readonly data: Uint8Array;
  }
  /** An own file is handed out no longer. */
  | { readonly kind: "withdraw"; readonly file: string }
  /** Chunks of a file of somebody else are wanted; with `count` 0 none any longer. */
  | {
    readonly kind: "pull";
    readonly client: number;
    readonly file: string;
    readonly index: number;
    readonly count: number;
  }
  /** What becomes of a file of somebody else. */
  | {
    readonly kind: "receipt";
    readonly client: number;
    readonly file: string;
    readonly state: FileReceipt;
  }
  /** Removes the member with that number; for who moderates the room. */
  | {
    readonly kind: "kick";
    readonly request: number;
    readonly whom: number;
    readonly reason: string;
  }
  /** Lets nobody else in, or again; for who moderates the room. */
  | { readonly kind: "lock"; readonly request: number; readonly locked: boolean }
  /** Makes the member with that number an op, or none any more; for who made the room. */
  | {
    readonly kind: "op";
    readonly request: number;
    readonly whom: number;
    readonly isOp: boolean;
  }
  | { readonly kind: "rename"; readonly request: number; readonly name: string }
  /** New keys for the room, at once. */
  | { readonly kind: "renew" }
  /** To be answered by "flushed" once all requests before it are with the relay's connection. */
  | { readonly kind: "flush" }
  | { readonly kind: "leave" };

/** Requests of a member; `ask` is repeated by the answer. */
export type ToRelay = SealedRequest;

/** What the relay says. */
export type FromRelay = SealedEvent;

/** One kind of what the relay says. */
export type RelayEvent<K extends FromRelay["kind"]> = Extract<FromRelay, { kind: K }>;

/** Into the worker; the first is `open`. */
export type ToWorker =
  | {
    readonly kind: "open";
    readonly secret: Uint8Array;
    readonly name: string;
    readonly holds: boolean;
    readonly device?: DeviceKey | undefined;
    readonly remembered?: readonly RememberedPerson[] | undefined;
  }
  | { readonly kind: "request"; readonly request: SealedRoomRequest }
  | { readonly kind: "event"; readonly event: FromRelay };

/** Out of the worker. */
export type FromWorker =
  | { readonly kind: "send"; readonly request: ToRelay }
  | { readonly kind: "tell"; readonly event: SealedRoomEvent }
  /** What the relay said, of so many bytes, is worked off. */
  | { readonly kind: "taken"; readonly bytes: number }
  | { readonly kind: "fail"; readonly why: string };

// The size of a message besides what it carries.
const EVENT_BYTES = 1_024;

/** Bytes that an event of the relay takes while it waits for the worker, roughly. */
export function bytesOf(event: FromRelay): number {
  return EVENT_BYTES + ("body" in event ? event.body.length : 0);
}
