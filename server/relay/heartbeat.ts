// The pulse of the server: pings clients, closes silent connections, ends held sessions whose time is over, and has
// quiet rooms forget what they may no longer keep.

import type { Logger } from "@logtape/logtape";
import {
  HEARTBEAT_INTERVAL_S,
  HEARTBEAT_SWEEP_MS,
  HEARTBEAT_TIMEOUT_MS,
} from "../../shared/base/limits.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type { HeldSessions } from "../session/held_sessions.ts";
import type { Session } from "../session/session.ts";
import type { Counters } from "../telemetry/counters.ts";

/** What the heartbeat looks at. */
export interface HeartbeatOptions {
  readonly sessions: ReadonlyMap<number, Session>;
  readonly held: HeldSessions;
  /** Has all rooms forget what is too old at `now`. */
  readonly forgetOld: (now: number) => void;
  readonly counters: Counters;
  readonly log: Logger;
}

/** Sweeps every HEARTBEAT_SWEEP_MS until `signal` aborts. */
export function startHeartbeat(options: HeartbeatOptions, signal: AbortSignal): void {
  const timer = setInterval(() => sweep(options, performance.now()), HEARTBEAT_SWEEP_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

function sweep(options: HeartbeatOptions, now: number): void {
  const { sessions, held, counters, log } = options;
  held.sweep(now);
  options.forgetOld(now);
  // One for all who are pinged now: encoding it for each of 10,000 would be most of the garbage of a quiet server.
  const ping = new EncodedEvent({ kind: "ping" }, "");
  for (const session of sessions.values()) {
    if (session.writer === undefined) continue;
    if (now - session.heardAt > HEARTBEAT_TIMEOUT_MS) {
      counters.silentClosed++;
      log.info("client is silent, closed", { client: session.id });
      session.close();
    } else if (now - session.pingedAt >= HEARTBEAT_INTERVAL_S * 1_000) {
      session.ping(now, ping);
    }
  }
}
