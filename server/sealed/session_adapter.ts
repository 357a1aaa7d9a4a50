// What sealed rooms may ask of a session.

import type { ServerConfig } from "../config/server_options.ts";
import type { EncodedEvent } from "../delivery/encoded_event.ts";
import type { Counters } from "../telemetry/counters.ts";
import type { RequestBudget } from "../limits/request_budget.ts";
import { RateLimit } from "../limits/rate_limit.ts";
import type { SealedSession } from "./attachments.ts";

/** A session, as far as sealed rooms touch it. */
export interface AttachingSession {
  readonly address: string;
  deliver(broadcast: EncodedEvent): void;
  close(): void;
  readonly rateLimit: RateLimit | undefined;
  readonly requestBudget: RequestBudget;
  readonly host: {
    readonly config: Pick<ServerConfig, "max-file" | "rate-limit">;
    readonly counters: Pick<Counters, "rateLimited">;
  };
}

/** The owner of a session's attachments. Talk shares the limit of plain rooms; the group's work has one of its own. */
export function adaptSession(session: AttachingSession): SealedSession {
  const { config, counters } = session.host;
  let { rateLimit } = session;
  let groupWork = limitOf(session);
  const takeWork = (now: number): number => {
    // The operator has set another rate since.
    if (session.rateLimit !== rateLimit) groupWork = limitOf(session);
    rateLimit = session.rateLimit;
    return groupWork?.take(now) ?? 0;
  };
  const counted = (wait: number): number => {
    if (wait > 0) counters.rateLimited++;
    return wait;
  };
  return {
    address: session.address,
    deliver: (broadcast) => {
      if (broadcast.event.kind === "sealed_chunk") session.requestBudget.earnPart();
      session.deliver(broadcast);
    },
    takeMessage: (now) => counted(session.rateLimit?.take(now) ?? 0),
    takeGroupWork: (now) => counted(takeWork(now)),
    spendPace: () => session.requestBudget.spend(),
    takesFiles: config["max-file"] > 0,
    close: () => session.close(),
  };
}

function limitOf({ host: { config } }: AttachingSession): RateLimit | undefined {
  const rate = config["rate-limit"];
  return rate === undefined ? undefined : new RateLimit(rate);
}
