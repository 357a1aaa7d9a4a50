// The token, name and room of a newcomer, checked the same way for both protocols.

import { CmdchatError } from "../../shared/base/errors.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import { encodeRefusal } from "../../shared/channel/handshake_messages.ts";
import { parseName, parseRoom } from "../../shared/text/names.ts";
import { HANDSHAKE_DEADLINE_MS } from "../config/limits.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";
import type { Exclusion, Newcomer } from "../session/room_access.ts";
import type { InvitedBy } from "../limits/invites.ts";
import type { Returning } from "../relay/access.ts";
import { Refusal, type RefusalReason } from "./refusal.ts";
import type { Relay } from "../relay/relay.ts";
import type { Room } from "../room/room.ts";

// Half of the handshake's deadline: what is left is for the answer.
const ROOMS_READY_MS = HANDSHAKE_DEADLINE_MS / 2;

/** Refuses a client whose token is wrong or not checked now. Throws Refusal. */
export function checkToken(
  relay: Relay,
  token: string | null | undefined,
  from: { readonly address: string; readonly returning: Returning | undefined },
): void {
  switch (relay.access.judgeToken(token, from)) {
    case "right":
      return;
    case "wrong":
      throw new Refusal("unauthorized");
    case "later":
      throw new Refusal("too_many_attempts");
    case "unknown":
      throw new Refusal("unavailable");
  }
}

/**
 * Lets a newcomer in by its token, of which an invite has one use less then; not where `enter` throws. Throws Refusal
 * where it has just ended, or where the other servers cannot say whether it has.
 */
export async function byToken<T>(
  relay: Relay,
  token: string | null | undefined,
  enter: (invite: InvitedBy | undefined) => T | Promise<T>,
): Promise<T> {
  const use = await relay.access.useInvite(token);
  if (use === "ended") throw new Refusal("unauthorized");
  if (use === "unknown") throw new Refusal("unavailable");
  try {
    const entered = await enter(use?.invite);
    if (use !== undefined) relay.counters.invitesUsed++;
    return entered;
  } catch (error) {
    // A client that tries again at once must not find the invite used up by this attempt.
    await use?.giveBack();
    throw error;
  }
}

/** The name as it is used from now on. Throws Refusal. */
export function checkName(wanted: string): string {
  return checked("invalid_name", () => parseName(wanted));
}

/** The room called `wanted`; creates it for `address` where it does not exist. Throws Refusal. */
export function checkRoom(
  relay: Relay,
  { wanted, address }: { readonly wanted: string; readonly address: string },
): Room {
  const title = checked("invalid_room", () => parseRoom(wanted));
  return checked("too_many_rooms", () => relay.rooms.open(title, address));
}

/** A client without a session yet, as rooms judge it. */
export function newcomerOf(
  relay: Relay,
  { address, token }: { readonly address: string; readonly token: string | null | undefined },
): Newcomer {
  const tokenName = relay.access.nameOfToken(token);
  return { id: 0, address, tokenName, since: Date.now(), host: relay };
}

/** The refusal of a client that may not join its only room. */
export function exclusionRefusal({ isBrief }: Exclusion): Refusal {
  return new Refusal(isBrief ? "too_many_attempts" : "excluded");
}

/**
 * Called where nothing is waited for any more before a session begins, or goes on, here. Throws Refusal once the server
 * stops or hands over: what its client is told then, such as the next secret of its ticket, no other process knows.
 */
export function requireRunning({ stopping }: Relay): void {
  if (stopping) throw new Refusal("server_stopping");
}

/** The same for a client whose handshake has yet to be computed: with the versions, without which it must take this for v1. */
export function requireRunningForV2({ stopping }: Relay): void {
  if (stopping) throw new Refusal("server_stopping", encodeFrame(encodeRefusal("server_stopping")));
}

/** Does the costly part of a handshake in its turn. Throws ConnectionLost where the deadline came first. */
export function inTurn<T>(
  relay: Relay,
  { address, since }: Connection,
  work: () => Promise<T>,
): Promise<T> {
  return relay.handshakeQueue.run(address, () => {
    if (performance.now() - since > HANDSHAKE_DEADLINE_MS) {
      throw new ConnectionLost("its handshake deadline passed before its turn came");
    }
    return work();
  });
}

/**
 * Waits until events of `rooms` on other servers are known here. Throws Refusal where they cannot be known now: a client
 * that waited longer would miss the deadline of its handshake and stay in the room as a ghost.
 */
export async function allReady(relay: Relay, rooms: readonly Room[]): Promise<void> {
  if (rooms.every(({ ready }) => ready === undefined)) return;
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), ROOMS_READY_MS);
  if (relay.cluster?.isUp === false) late.resolve("late");
  const waiting = Promise.all(rooms.map(({ ready }) => ready)).then(() => "ready" as const);
  const outcome = await Promise.race([waiting, late.promise]);
  clearTimeout(timer);
  if (outcome === "ready") return;
  for (const room of rooms) relay.rooms.tidy(room);
  throw new Refusal("unavailable");
}

function checked<T>(word: RefusalReason, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof CmdchatError) throw new Refusal(word);
    throw error;
  }
}
