// Tells clients where the other servers of the cluster are, and asks some to move there: those that would notice least.

import type { ServerPlace } from "../cluster/server_places.ts";
import type { Session } from "../session/session.ts";

// Nothing was asked for so long: nobody is in the middle of a conversation or a file.
const IDLE_MS = 5_000;
// A client that cannot move, such as a page, or does not want to, is left alone for so long.
const ASK_AGAIN_MS = 600_000;

const askedAt = new WeakMap<Session, number>();

/** Asks up to `count` of `sessions` to go on at `to`; gives how many. `now` is monotonic, ms. */
export function passOn(
  sessions: Iterable<Session>,
  { to, count }: { readonly to: ServerPlace; readonly count: number },
  now: number,
): number {
  let asked = 0;
  for (const session of sessions) {
    if (asked >= count) break;
    if (!mayMove(session, now)) continue;
    askedAt.set(session, now);
    session.tell({ kind: "move", host: to.host, port: to.port });
    asked++;
  }
  return asked;
}

/** Tells a client where other servers are; v1 could not use it. */
export function tellServers(session: Session, list: readonly ServerPlace[]): void {
  if (session.isV1) return;
  session.tell({ kind: "servers", list: list.map(({ host, port }) => [host, port]) });
}

function mayMove(session: Session, now: number): boolean {
  if (session.writer === undefined || session.ticket === undefined) return false;
  // The part of a file that is on its way would be sent again.
  if (session.hasFiles) return false;
  return now - session.actedAt > IDLE_MS &&
    now - (askedAt.get(session) ?? -Infinity) > ASK_AGAIN_MS;
}
