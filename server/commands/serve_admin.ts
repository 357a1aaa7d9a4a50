// The admin pages of a server that runs: what each page shows and does is bound to its relay here.

import { VERSION } from "../../shared/base/version.ts";
import { runAdminCommand } from "../admin/admin_actions.ts";
import { HandOverAuth } from "../admin/hand_over_auth.ts";
import { type AdminListener, serveAdmin, serveWhenFree } from "../admin/http_server.ts";
import type { AdminView } from "../admin/routes.ts";
import { TokenGate } from "../admin/token_gate.ts";
import { isLoopback } from "../config/admin_address.ts";
import type { ServerConfig } from "../config/server_options.ts";
import type { Relay } from "../relay/relay.ts";
import { faultText } from "../telemetry/log.ts";
import { prometheusPage } from "../telemetry/prometheus_page.ts";

const EXIT_UNEXPECTED = 1;

/** What the admin pages are made of. */
export interface AdminParts {
  readonly config: ServerConfig;
  readonly relay: Relay;
  readonly build: string | undefined;
  /** Lets go of all clients, and gives what the next process needs. */
  readonly handOver: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly adminToken: string | undefined;
  /** The process before this one may still have the port for a moment. */
  readonly isTaking: boolean;
}

/** Serves the admin pages at --admin-listen; undefined without it. Throws ConfigError. */
export async function openAdmin(parts: AdminParts): Promise<AdminListener | undefined> {
  const { config, relay, isTaking, adminToken } = parts;
  const address = config["admin-listen"];
  if (address === undefined) return undefined;
  const gate = adminToken === undefined ? undefined : new TokenGate(adminToken);
  const canHandOver = isLoopback(address.hostname) && relay.cluster === undefined;
  // Once it is answered nothing is left to do; and a server that let go of all clients is of no use.
  const end = (code: number) => void admin.finish().then(() => Deno.exit(code));
  const view: AdminView = {
    ready: () => !relay.stopping && !relay.access.draining,
    handOver: canHandOver && adminToken !== undefined && gate !== undefined
      ? new HandOverAuth(
        { token: adminToken, gate },
        () => relay.stopping ? undefined : handOverThen(end, parts),
      )
      : undefined,
    gate,
    answer: (ask) => runAdminCommand(relay, ask),
    metrics: pageOf(parts),
  };
  const onFault = (error: unknown) =>
    relay.log.error("unexpected fault", { stack: faultText(error) });
  const admin = await (isTaking ? serveWhenFree : serveAdmin)(address, view, onFault);
  return admin;
}

async function handOverThen(
  end: (code: number) => void,
  { handOver }: AdminParts,
): Promise<Uint8Array<ArrayBuffer>> {
  let code = EXIT_UNEXPECTED;
  try {
    const bytes = await handOver();
    code = 0;
    return bytes;
  } finally {
    end(code);
  }
}

function pageOf({ relay, build }: AdminParts): () => string {
  const startedAt = Date.now() / 1_000;
  const start = performance.now();
  return () =>
    prometheusPage({
      version: build === undefined ? VERSION : `${VERSION} ${build}`,
      startedAt,
      uptime: (performance.now() - start) / 1_000,
      metrics: relay.metrics,
      gauges: relay.gauges,
      census: relay.census,
      stopping: relay.stopping,
      memory: Deno.memoryUsage(),
    });
}
