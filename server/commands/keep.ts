// `cmdchat-server keep`: holds what a server knows between its end and the start of the next one, for a service manager
// that ends one before it starts another. In memory, like everything, and not for long.

import type { Logger } from "@logtape/logtape";
import { ConfigError, LimitError } from "../../shared/base/errors.ts";
import { KEEP_MS } from "../config/limits.ts";
import { type AdminPeer, requestHandOver } from "./admin_client.ts";
import { serveWhenFree } from "../admin/http_server.ts";
import { faultText } from "../telemetry/log.ts";
import { HandOverAuth } from "../admin/hand_over_auth.ts";
import type { SystemdNotifier } from "../telemetry/systemd_notify.ts";
import { TokenGate } from "../admin/token_gate.ts";

/** What a keeper lives among. */
export interface KeeperContext {
  readonly log: Logger;
  readonly manager: SystemdNotifier;
  /** Told to end. */
  readonly signal: AbortSignal;
}

/**
 * Takes over from the server at `peer`, and hands on to the first who asks for it there. Gives the exit code: 0, or 1
 * where nobody asked for KEEP_MS. Throws ConfigError where there is nothing to keep.
 */
export async function keep(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  { log, manager, signal }: KeeperContext,
): Promise<number> {
  const kept = await requestHandOver({ address, token });
  if (token === undefined || kept === undefined) {
    throw new ConfigError("Cannot keep anything: no server has its pages there");
  }
  const over = Promise.withResolvers<boolean>();
  let bytes: Uint8Array | undefined = kept;
  const gate = new TokenGate(token);
  const desk = new HandOverAuth({ token, gate }, () => {
    const given = bytes;
    bytes = undefined;
    if (given === undefined) return undefined;
    over.resolve(true);
    return Promise.resolve(given);
  });
  const admin = await serveWhenFree(address, {
    // It takes no clients.
    ready: () => false,
    metrics: () => "",
    gate,
    // It has no server of its own to act on.
    answer: () =>
      Promise.reject(new LimitError("Cannot do that: the server is being started anew")),
    handOver: desk,
  }, (error) => log.error("unexpected fault", { stack: faultText(error) }));
  log.info("keeping what the server knew for the next one");
  manager.tell("READY=1");
  const timer = setTimeout(() => over.resolve(false), KEEP_MS);
  signal.addEventListener("abort", () => over.resolve(false), { once: true });
  const wasTaken = await over.promise;
  clearTimeout(timer);
  await admin.finish();
  if (wasTaken) log.info("handed on");
  else log.warning("nobody asked for what was kept; it is gone");
  return wasTaken ? 0 : 1;
}
