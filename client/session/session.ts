// What the chat knows of a session, whichever protocol it speaks.

import type { ClientId } from "../../shared/messages/ids.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { Event, Request } from "../../shared/messages/messages_v2.ts";
import { requirePlain } from "../base/local_ids.ts";
import type { RequestSink } from "./request_ledger.ts";
import type { Rate } from "../../shared/base/rate.ts";

/** A room by name, and the place of the last of its events that we have. */
export type WantedRoom = readonly [title: string, at: number];

/** What a client says of itself. */
export interface SessionRequest {
  readonly name: string;
  /** Where it wants to be; v1 knows the first one only. */
  readonly rooms: readonly WantedRoom[];
  readonly token: string | undefined;
}

/** Proof that a held session is ours, for the server that issued it and no other. */
export interface Ticket {
  readonly server: Fingerprint;
  readonly session: Uint8Array;
  readonly secret: Uint8Array;
}

/** All that a v2 server is told of us at first. */
export interface Introduction extends SessionRequest {
  /** The session to resume. */
  readonly ticket: Ticket | undefined;
}

/** What the server granted. */
export interface Welcome {
  /** Our number among the server's clients. */
  readonly client: ClientId;
  /** How many rooms we are in at once: an `entered` for each comes next. */
  readonly rooms: number;
  /** v1: one room at a time, and nothing beyond chats, names and files. */
  readonly isV1: boolean;
  readonly messageMax: number;
  readonly fileMax: number;
  /** undefined = no limit. */
  readonly rate: Rate | undefined;
  /** Whether this is our former session, taken up again. */
  readonly resumed: boolean;
  /** Seconds for which the session is held when the connection breaks; 0 = not at all. */
  readonly holdSeconds: number;
  /** What proves the session ours; undefined on v1. */
  readonly ticket: Ticket | undefined;
  /** Who the server is; undefined on v1, which cannot tell. */
  readonly fingerprint: Fingerprint | undefined;
  /** Whether the server has a page for browsers; absent on v1. */
  readonly hasPage?: boolean;
  /** What proofs inside this session are made over; absent on v1. */
  readonly challenge?: Uint8Array;
}

/** An open session, whatever its wire format. */
export interface Session {
  readonly welcome: Welcome;
  /** Milliseconds that the last ping took to the server and back; undefined before that, and on v1. */
  readonly roundTripMs: number | undefined;
  /** For how long the server has said nothing although it should have answered; undefined where all is well. */
  readonly silentMs: number | undefined;
  /** Called when `silentMs` has another value; to be set by the owner. */
  onSilence: () => void;
  /** Asks the server for a sign of life where there was none lately. */
  nudge(): void;
  /** Asks the server for a sign of life, and gives it up where none comes soon: the machine slept. */
  wake(): void;
  /** Sends one message; resolves when the system took it. Throws ConnectionError or LimitError. */
  send(message: Request): Promise<void>;
  /**
   * What the server sends, to be iterated once; pings are answered by the session. Ends when the connection ends; throws
   * ConnectionError, ProtocolError or CryptoError when it broke.
   */
  events(): AsyncIterable<Event>;
  /**
   * Says goodbye, so that the session is not held; resolves once the connection has ended, which is a matter of a moment.
   * No event comes any more, and nothing can be sent. Never throws.
   */
  leave(): Promise<void>;
  /** Ends the connection, where leave() does not do so already; idempotent. */
  close(): void;
}

/** Who we want to be and where. */
export interface Destination {
  readonly name: string;
  readonly room: string;
}

/** What an attempt asks for, and the session it would take up again. */
export interface SessionDestination {
  readonly name: string;
  readonly rooms: readonly WantedRoom[];
  readonly ticket: Ticket | undefined;
}

/** Where clients reach a server. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number;
}

/** What it takes to go on with a session at another server. */
export interface MoveRequest {
  /** Lets the present one go, once who it goes to is known: all that it was told has arrived then. */
  readonly letGo: () => Promise<SessionDestination>;
  readonly signal: AbortSignal;
}

/** The session as the sink of the ledger of plain rooms: a request that names a sealed room ends it, unsent. */
export function plainSink(session: Session): RequestSink {
  return {
    send: async (request) => await session.send(requirePlain(request)),
    close: () => session.close(),
  };
}
