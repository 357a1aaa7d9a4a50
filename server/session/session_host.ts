// What a session needs from the server around it. The relay implements it.

import type { ClientId } from "../../shared/messages/ids.ts";
import type { Logger } from "@logtape/logtape";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { ServerConfig } from "../config/server_options.ts";
import type { FairBudget, FirmBudget } from "../limits/fair_budget.ts";
import type { DepartedMembers } from "../limits/departed_members.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import type { Invite } from "../limits/invites.ts";
import type { RoomBans } from "../limits/room_bans.ts";
import type { SourceRate } from "../limits/source_rate.ts";
import type { Room } from "../room/room.ts";
import type { SealedRooms } from "../sealed/sealed_rooms.ts";
import type { Counters } from "../telemetry/counters.ts";
import type { Membership } from "./membership.ts";

/** Another session of this server, as far as a session may touch it. */
export interface SessionRef {
  readonly id: number;
  readonly address: string;
  /** Its membership in room number `room`; undefined where it is not in that room. */
  membership(room: number): Membership | undefined;
  /** Delivers an event, or keeps it while the connection is lost. False where too much is kept already. */
  tellSurely(event: EventOf<"direct" | "undelivered">): boolean;
}

/** The open plain rooms. */
export interface RoomKeeper {
  /** The room called `title`, which `address` makes where it does not exist. Throws LimitError at a cap. */
  open(title: string, address?: string): Room;
  /** Forgets `room` when nobody is in it. */
  tidy(room: Room): void;
}

/** What a member wants of an invite. */
export interface InviteRequest {
  /** The room that its link leads to; "" = not told. */
  readonly title: string;
  readonly seconds: number;
  /** Sessions that it may let in; 0 = any number. */
  readonly uses: number;
}

/** A new invite, and the token that nobody but its maker is told. */
export interface MintedInvite {
  readonly invite: Invite;
  readonly token: string;
  /** Where others reach the server, where that is known. */
  readonly place: [host: string, port: number] | null;
}

/** Invites, as members ask for them. All throw LimitError where that is refused; other servers may have to be asked. */
export interface Inviting<S = SessionRef> {
  mint(session: S, request: InviteRequest): Promise<MintedInvite>;
  /** Those that are open whose maker came with the same token. */
  list(session: S): readonly Invite[];
  /** Ends one of those. */
  revoke(session: S, number: number): Promise<void>;
}

/** The server around a session. */
export interface SessionHost {
  readonly config: Pick<ServerConfig, "rate-limit" | "max-message" | "max-file" | "hold">;
  readonly counters: Counters;
  readonly budget: FairBudget;
  readonly rooms: RoomKeeper;
  /** Addresses that the makers of rooms banned. */
  readonly roomBans: RoomBans;
  /** Mutes and paces of members that left their room. */
  readonly departed: DepartedMembers;
  /** What waits for the other servers. */
  readonly undecided: FirmBudget;
  /** How often one address may come into one room; undefined = as often as it likes. */
  readonly joinRate: SourceRate | undefined;
  readonly sealed: SealedRooms;
  readonly inviting: Inviting;
  /** The other servers; undefined where there are none. */
  readonly cluster: Cluster | undefined;
  readonly log: Logger;
  /** True once the server stops or hands over. */
  readonly stopping: boolean;
  /** The name of the token that a session came with; undefined where it has none. */
  tokenName(session: SessionRef): string | undefined;
  /** A number for a new client, never used again. */
  nextClientId(): number;
  /** The session of client number `id`; undefined where it is gone. */
  session(id: ClientId): SessionRef | undefined;
  /** A connection slot outside the caps, for a session whose own connection is about to end. */
  keepSlot(address: string): ConnectionSlot;
  /** Ends a session for good: it leaves its rooms. */
  expire(session: SessionRef): void;
  /** Tells the sender of a direct message that its receiver left without it. */
  tellUndelivered(direct: EventOf<"direct">): void;
}
