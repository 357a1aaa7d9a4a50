// `cmdchat-server keep`: holds a server's state between its end and the start of the next one, for a service manager
// that stops one process before it starts another. In memory only, and for a short time.

import type { Logger } from "@logtape/logtape";
import { ConfigError, LimitError } from "../../shared/base/errors.ts";
import { KEEP_MS } from "../config/limits.ts";
import type { AdminPeer } from "./admin_client.ts";
import { requestHandOver, type TakeOverOptions } from "./take_over.ts";
import { serveAdmin, whenFree } from "../admin/http_server.ts";
import { checkHandOverFormat, decodeHandOver, HAND_OVER_FORMAT } from "../relay/hand_over_state.ts";
import { faultText, flushLog, openLog } from "../telemetry/log.ts";
import { HandOverAuth, type HandOverNotice, type HandOverSource } from "../admin/hand_over_auth.ts";
import { openManager, type SystemdNotifier } from "../telemetry/systemd_notify.ts";
import type { AdminView } from "../admin/routes.ts";
import { guessReporter, TokenGate } from "../admin/token_gate.ts";

/** For how long a keeper asks a server that does not answer; with GIVE_MS less than its unit gives it to start. */
export const KEEP_PATIENCE_MS = 6_000;

/** What a keeper needs. */
export interface KeeperContext {
  readonly log: Logger;
  readonly manager: SystemdNotifier;
  /** Aborts when the keeper must stop. */
  readonly signal: AbortSignal;
  /** Looks at what the server says of itself before it is asked. Throws ConfigError where it must not be asked. */
  readonly check?: TakeOverOptions["check"];
  /** Runs something after so many ms, unless what it gives is called; a timer, if absent. */
  readonly after?: (ms: number, run: () => void) => () => void;
  /** Reads what is kept. Throws ConfigError where the next server would not understand it. */
  readonly read: (bytes: Uint8Array) => unknown;
}

/**
 * Takes over from the server at `peer` and hands on to the next server, at the same address. Returns the exit code: 0,
 * or 1 if no server asked within KEEP_MS. Throws ConfigError if no server is there.
 */
export async function keep(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  { log, manager, signal, check = () => {}, read, after = timer }: KeeperContext,
): Promise<number> {
  if (token === undefined) {
    throw new ConfigError("Cannot keep a server's state: it requires the admin token");
  }
  const taken = await requestHandOver({ address, token, check, patienceMs: KEEP_PATIENCE_MS });
  if (taken === undefined) {
    throw new ConfigError("Cannot keep a server's state: no server has its admin pages there");
  }
  // What nobody can take up must not be taken from a server that still has it.
  read(taken.bytes);
  await taken.finish();
  const over = Promise.withResolvers<boolean>();
  const view = keeperView(token, {
    log,
    source: {
      prepare: () => Promise.resolve(taken.bytes),
      finish: () => over.resolve(true),
      resume: () => log.warning("the next server did not start; the state is kept for another one"),
    },
  });
  const onFault = (error: unknown) => log.error("unexpected fault", { stack: faultText(error) });
  const admin = await whenFree(() => serveAdmin(address, view, onFault), KEEP_MS);
  log.info("keeping the server's state for the next one");
  manager.tell("READY=1");
  const stopTimer = after(KEEP_MS, () => over.resolve(false));
  signal.addEventListener("abort", () => over.resolve(false), { once: true });
  const wasTaken = await over.promise;
  stopTimer();
  await admin.finish();
  if (wasTaken) log.info("handed on");
  else log.warning("no server took over; the kept state is lost");
  return wasTaken ? 0 : 1;
}

function timer(ms: number, run: () => void): () => void {
  const id = setTimeout(run, ms);
  return () => clearTimeout(id);
}

/** `cmdchat-server keep`: the same, with the log and the service manager of this process. */
export function keepCommand(
  peer: Pick<AdminPeer, "address" | "token">,
  { env, signal }: {
    readonly env: (name: string) => string | undefined;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const log = openLog("INFO");
  const manager = openManager(log, env);
  const check = ({ format }: Partial<HandOverNotice>) => {
    if (format !== undefined) checkHandOverFormat(format);
  };
  return keep(peer, { log, manager, signal, check, read: decodeHandOver })
    .finally(() => flushLog());
}

interface Keeping {
  readonly log: Logger;
  readonly source: HandOverSource;
}

// What is kept was read, so it is as this program's own; the server's port is free.
const notice = () => ({ format: HAND_OVER_FORMAT, port: undefined });

function keeperView(token: string, { log, source }: Keeping): AdminView {
  const gate = new TokenGate(token, { onGuess: guessReporter(log) });
  return {
    // A keeper accepts no clients.
    ready: () => false,
    metrics: () => "",
    gate,
    metricsGate: gate,
    // There is no server to act on.
    answer: () =>
      Promise.reject(new LimitError("Cannot run the command: the server is restarting")),
    handOver: new HandOverAuth({ token, gate, notice }, source),
  };
}
