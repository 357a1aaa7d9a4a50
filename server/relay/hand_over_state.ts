// Everything that a process must know to go on as another one: rooms with what they remember, and sessions that wait
// for their clients. Plain data in CBOR; each part is described where it is kept. It is never in a file (ADR 20).

import { decode, encode } from "cborg";
import { ConfigError } from "../../shared/base/errors.ts";
import type { Departed } from "../limits/departed_members.ts";
import type { InvitedBy, InvitesState } from "../limits/invites.ts";
import type { RoomSourcesState } from "../limits/room_sources.ts";
import type { SealedSnapshot } from "../sealed/room_contract.ts";
import type { RoomSnapshot } from "../room/room_snapshot.ts";
import type { ExpelledTicket } from "../session/expelled_tickets.ts";
import type { SessionSnapshot } from "../session/session_snapshot.ts";

/** All of a relay. */
export interface RelaySnapshot {
  readonly issued: number;
  readonly nextRoom: number;
  readonly rooms: readonly RoomSnapshot[];
  readonly sealed: SealedSnapshot;
  readonly sessions: readonly SessionSnapshot[];
  /** Networks that an admin banned, and until when in ms since 1970; 0 = for good. */
  readonly bans: readonly (readonly [network: string, until: number])[];
  /** Tickets of sessions that an admin ended. */
  readonly expelled: readonly ExpelledTicket[];
  /** Addresses that the makers of rooms banned. */
  readonly roomBans: RoomSourcesState<number>;
  /** Mutes and paces of members that left their room. */
  readonly departed: RoomSourcesState<Departed>;
  /** Digests of the tokens that sessions came with, by which they end with their token. */
  readonly tokens: readonly (readonly [client: number, digest: Uint8Array])[];
  /** Absent, as what follows, where the process before knew no invites. */
  readonly invites?: InvitesState;
  /** The invites that sessions came by. */
  readonly invited?: readonly (readonly [client: number, invite: InvitedBy])[];
}

/** A relay, and who its server is. */
export interface HandOver {
  readonly identity: string;
  readonly relay: RelaySnapshot;
}

/**
 * What is handed over, by its shape: tests/server/relay/hand_over_state_test.ts makes the name of everything below,
 * and says another one for each change. Processes with different names do not take over from each other.
 */
export const HAND_OVER_FORMAT = "cmdchat hand-over e85a7902";

/** The bytes in which one process hands over to the next. */
export function encodeHandOver(state: HandOver): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode({ format: HAND_OVER_FORMAT, ...state }));
}

/** Reads them. Throws ConfigError where another version wrote them. */
export function decodeHandOver(bytes: Uint8Array): HandOver {
  const state = decoded(bytes);
  checkHandOverFormat(state?.format);
  return state as HandOver;
}

/** Throws ConfigError where a state of this format cannot be read. */
export function checkHandOverFormat(format: unknown): void {
  if (format === HAND_OVER_FORMAT) return;
  throw new ConfigError("Cannot take over: the running server hands over in another format", {
    hint: "it keeps serving; stop it, then start this one: members come back by themselves",
  });
}

function decoded(bytes: Uint8Array): HandOver & { readonly format?: unknown } | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}
