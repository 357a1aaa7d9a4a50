// The last line of a server that stops or hands over.

import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { STOP_DRAIN_MS } from "../config/limits.ts";
import type { Session } from "../session/session.ts";

/** Tells every session why its connection ends; resolves once all of it is written, or after STOP_DRAIN_MS. */
export async function drain(
  sessions: readonly Session[],
  closing: Omit<EventOf<"closing">, "kind">,
): Promise<void> {
  const told = sessions.map((session) => session.dismiss(closing));
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, STOP_DRAIN_MS);
  await Promise.race([Promise.allSettled(told), late.promise]);
  clearTimeout(timer);
}
