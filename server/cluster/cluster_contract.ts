// What a server and its part in the cluster ask of each other.

import { timingSafeEqual } from "node:crypto";
import type { BackplaneStatus } from "./backplane.ts";
import type { Slot } from "./client_numbers.ts";
import type {
  AdminMessage,
  ClusterMessageOf,
  RoomMessage,
  StandingMessage,
  Unsettled,
} from "./cluster_messages.ts";
import type { ServerLoad, ServerPlace, Surplus } from "./server_places.ts";

/** How a cluster looks from one of its servers. */
export interface ClusterStatus extends BackplaneStatus {
  /** This server's slot. */
  readonly server: Slot;
  readonly others: readonly { readonly server: Slot; readonly hasOurIdentity: boolean }[];
  /** Messages that no key of this cluster sealed: another cluster on the same NATS, or somebody who tries. */
  readonly foreignMessages: number;
  /** Where clients are told that they reach the others. */
  readonly told: readonly ServerPlace[];
}

/** Why another server is none of this cluster, or should not be. */
export type Mismatch = "key" | "identity";

/** A session of this server, as other servers see it. */
export interface SharedSession {
  readonly id: number;
  /** `former`: SHA-256 of secrets before it that still hold, the newest first. */
  readonly ticket: {
    readonly id: Uint8Array;
    readonly secret: Uint8Array;
    readonly former?: readonly Uint8Array[];
  } | undefined;
}

/** A message that waits for a client: the title of its room, and the event as bytes. */
export type Mail = readonly [title: string, event: Uint8Array];

/** What a server knows of a session that goes to another one. */
export interface GivenSession {
  /** Number of its last request. */
  readonly request: number;
  readonly mail: readonly Mail[];
  readonly unsettled: Unsettled;
}

/** By which invite the client of a session came: it stays welcome after the invite has ended. */
export type GuestPass = Omit<ClusterMessageOf<"guest">, "kind" | "ticket">;

/** What the cluster asks of this server. */
export interface ClusterHost {
  /** All sessions that can be resumed. */
  sessions(): Iterable<SharedSession>;
  /** The invite by which session `client` came; undefined = by none. */
  guestPass(client: number): GuestPass | undefined;
  /**
   * Gives up a session that is resumed at another server, by a secret of SHA-256 `digest`; "kept" = that does not hold any
   * more, undefined = unknown.
   */
  giveUp(ticket: Uint8Array, digest: Uint8Array): Promise<GivenSession | "kept" | undefined>;
  /** Where clients reach this server, and how many it has; undefined where it does not say. */
  load(): ServerLoad | undefined;
  /** The list of the other servers is another one. */
  tellServers(list: readonly ServerPlace[]): void;
  /** Asks some of its clients to go on elsewhere. */
  passOn(surplus: Surplus): void;
  /** Follows a decision of the admin at another server. */
  follow(message: AdminMessage): void;
  /** Decisions of the admin, and what members left behind, that a new server must know. */
  standing(): Iterable<StandingMessage>;
  /** Ends a session for the admin at another server: its address; undefined if it is not here. */
  expel(client: number): string | undefined;
  /** Notes at another server what holds for those who come into a room. */
  followRoom(message: RoomMessage): void;
  /** Delivers a direct message if its receiver is here; false if not. */
  direct(message: ClusterMessageOf<"direct">): boolean;
}

/** A session of another server, for the one that resumes it. */
export interface RemoteSession {
  readonly client: number;
  /** SHA-256 of the secrets that held at its server, the newest first. */
  readonly digests: readonly Uint8Array[];
  /** Number of its last request; undefined if its server cannot be asked any more, or cannot tell. */
  readonly request: number | undefined;
  readonly unsettled: Unsettled;
  readonly mail: readonly Mail[];
  /** Tells that it is here, or that it is not coming: direct messages for it wait for that. */
  readonly arrived: () => void;
}

/** Whether `digest` is one of `known`; all are compared, each in constant time. */
export function isOneOf(known: readonly Uint8Array[], digest: Uint8Array): boolean {
  return known.map((one) => timingSafeEqual(one, digest)).includes(true);
}
