// The admin pages of a server that runs: what each page shows and does is bound to its relay here.

import type { Logger } from "@logtape/logtape";
import { VERSION } from "../../shared/base/version.ts";
import { runAdminCommand } from "../admin/admin_actions.ts";
import { HandOverAuth, type HandOverNotice, type HandOverSource } from "../admin/hand_over_auth.ts";
import { type AdminListener, serveAdmin, whenFree } from "../admin/http_server.ts";
import type { AdminView } from "../admin/routes.ts";
import { checkTokenStrength, guessReporter, TokenGate } from "../admin/token_gate.ts";
import { isLoopback } from "../config/admin_address.ts";
import { HAND_OVER_FORMAT } from "../relay/hand_over_state.ts";
import type { ServerConfig } from "../config/server_options.ts";
import type { ServedRelay } from "./served_relay.ts";
import { faultText, flushLog } from "../telemetry/log.ts";
import { prometheusPage } from "../telemetry/prometheus_page.ts";

const EXIT_UNEXPECTED = 1;
// A process that handed over needs some ms to exit.
const PORT_FREE_MS = 5_000;

/** What the admin pages are made of. */
export interface AdminParts {
  readonly config: ServerConfig;
  readonly served: ServedRelay;
  readonly log: Logger;
  readonly build: string | undefined;
  readonly adminToken: string | undefined;
  /** Opens /metrics alone. */
  readonly metricsToken: string | undefined;
  /** The process before this one may still have the port for a moment. */
  readonly isTaking: boolean;
}

/** Serves the admin pages at --admin-listen; undefined without it. Throws ConfigError. */
export async function openAdmin(parts: AdminParts): Promise<AdminListener | undefined> {
  const { config, served, log, isTaking, adminToken, metricsToken } = parts;
  const address = config["admin-listen"];
  if (address === undefined) return undefined;
  // Other machines can guess as fast as the network allows.
  if (!isLoopback(address.hostname)) {
    if (adminToken !== undefined) checkTokenStrength(adminToken, "admin");
    if (metricsToken !== undefined) checkTokenStrength(metricsToken, "metrics");
  }
  const gate = gateOf([adminToken], parts);
  const canHandOver = isLoopback(address.hostname) && served.relay.cluster === undefined;
  let admin: AdminListener | undefined;
  const exit = (code: number) =>
    void admin?.finish().then(() => flushLog()).then(() => Deno.exit(code));
  const view: AdminView = {
    ready: () => served.isServing && isReady(served.relay),
    handOver: canHandOver && adminToken !== undefined && gate !== undefined
      ? new HandOverAuth(
        { token: adminToken, gate, notice: () => noticeOf(served) },
        sourceOf(served, exit),
      )
      : undefined,
    gate,
    metricsGate: gateOf([adminToken, metricsToken], parts),
    answer: (ask) => runAdminCommand(served.relay, ask),
    metrics: pageOf(parts),
  };
  const onFault = (error: unknown) => log.error("unexpected fault", { stack: faultText(error) });
  const open = () => serveAdmin(address, view, onFault);
  if (!isTaking) return admin = await open();
  try {
    return admin = await whenFree(open, PORT_FREE_MS);
  } catch (error) {
    // This process has the only copy of the state: it serves, whatever becomes of its pages.
    log.error("cannot open the admin pages yet", { why: faultText(error) });
    void whenFree(open, Infinity).then((late) => admin = late);
    return undefined;
  }
}

// A server that does not reach the others lets nobody in, and answers nothing.
function isReady({ stopping, access, cluster }: ServedRelay["relay"]): boolean {
  return !stopping && !access.draining && cluster?.isUp !== false;
}

function gateOf(
  tokens: readonly (string | undefined)[],
  { served, log }: AdminParts,
): TokenGate | undefined {
  const known = tokens.filter((token) => token !== undefined);
  if (known.length === 0) return undefined;
  const report = guessReporter(log);
  return new TokenGate(known, {
    onGuess(peer) {
      served.relay.metrics.counters.adminGuesses++;
      report(peer);
    },
  });
}

function sourceOf(served: ServedRelay, exit: (code: number) => void): HandOverSource {
  return {
    prepare() {
      if (served.relay.stopping) return undefined;
      const state = served.handOver();
      // A server that let go of all clients, and cannot say what they had, is of no use.
      state.catch(() => exit(EXIT_UNEXPECTED));
      return state;
    },
    finish: () => exit(0),
    resume: () => void served.resume(),
  };
}

function noticeOf({ listener }: ServedRelay): HandOverNotice {
  return { format: HAND_OVER_FORMAT, port: listener.address.port };
}

function expirySeconds({ files }: ServedRelay): number | undefined {
  return files.tls === undefined ? undefined : files.tls.expiresAt / 1_000;
}

function pageOf({ served, build }: AdminParts): () => string {
  const startedAt = Date.now() / 1_000;
  const start = performance.now();
  return () =>
    prometheusPage({
      version: build === undefined ? VERSION : `${VERSION} ${build}`,
      startedAt,
      uptime: (performance.now() - start) / 1_000,
      metrics: served.relay.metrics,
      gauges: served.relay.gauges,
      census: served.relay.census,
      stopping: served.relay.stopping,
      certificateExpiresAt: expirySeconds(served),
      cluster: served.relay.cluster?.status,
      memory: Deno.memoryUsage(),
    });
}
