// `cmdchat-server` without a command: serves until a signal comes.

import type { Logger } from "@logtape/logtape";
import { CmdchatError } from "../../shared/base/errors.ts";
import { VERSION } from "../../shared/base/version.ts";
import { identityToText, type ServerIdentity } from "../../shared/crypto/identity.ts";
import { RelayClusterHost } from "../admin/cluster_host.ts";
import { joinCluster, type JoinedCluster } from "../cluster/join_cluster.ts";
import { addressText } from "../config/admin_address.ts";
import { readAdminToken } from "../config/admin_token.ts";
import { openIdentity } from "../config/identity_file.ts";
import { readReloadable } from "../config/reloadable_files.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { serveConnection } from "../connection/serve_connection.ts";
import { listen } from "../net/listen.ts";
import { decodeHandOver, encodeHandOver, type HandOver } from "../relay/hand_over_state.ts";
import { Relay } from "../relay/relay.ts";
import { handOver, takeOver } from "../relay/succession.ts";
import { faultText, openLog } from "../telemetry/log.ts";
import type { SystemdNotifier } from "../telemetry/systemd_notify.ts";
import { requestHandOver } from "./admin_client.ts";
import { STOP_SIGNALS } from "./command_io.ts";
import { openAdmin } from "./serve_admin.ts";
import { openManager } from "./service_manager.ts";

// Several signs of life in the time after which the manager gives up: a single late one is no fault.
const WATCHDOG_SHARE = 3;
const EXIT_SECOND_SIGNAL = 1;

type Listener = Awaited<ReturnType<typeof listen>>;

/** What the server runs in. */
export interface ServeContext {
  readonly env: (name: string) => string | undefined;
  /** Prints one line on standard output. */
  readonly print: (text: string) => void;
  /** Which build this is, where the program knows. */
  readonly build: string | undefined;
}

/** A server that runs. */
interface Running {
  readonly config: ServerConfig;
  readonly relay: Relay;
  readonly listener: Listener;
  readonly manager: SystemdNotifier;
  readonly identity: ServerIdentity;
}

/** Serves until a signal comes and everything is drained and closed. Throws CmdchatError where it cannot start. */
export async function serve(config: ServerConfig, context: ServeContext): Promise<void> {
  const { env, print } = context;
  const { host, port } = config;
  const { tls, tokenDigests } = readReloadable(config, Date.now());
  const log = openLog(config["log-level"]);
  const adminToken = readAdminToken({ env, file: config["admin-token-file"] });
  const previous = await findPrevious(config, adminToken);
  const listener = await listen({ host, port, tls });
  const identity = await openIdentity(config["identity-file"], previous?.identity);
  const tellAll = (text: string) => relay.tellAll(text);
  const joined = await joinCluster(config, { env, log, tellAll });
  const relay: Relay = new Relay(config, { log, identity, cluster: joined?.cluster });
  relay.access.useTokens(tokenDigests);
  if (previous !== undefined) goOn(relay, previous);
  logStrayFaults(log);
  const manager = openManager(log, env);
  const running: Running = { config, relay, listener, manager, identity };
  const stop = new AbortController();
  start(running, joined, stop.signal);
  const admin = await openAdmin({
    config,
    relay,
    build: context.build,
    handOver: () => handOverAll(running),
    isTaking: previous !== undefined,
    adminToken,
  });
  const stopped = stopOnSignal(running, stop);
  reloadOnSignal(running);
  print(banner(tokenDigests.length === 0, listener));
  print(`fingerprint ${identity.fingerprint}${identityNote(config)}`);
  if (admin !== undefined) print(`admin pages on http://${admin.address}`);
  manager.tell("READY=1");
  await listener.serve({
    admit: (address) => relay.access.admit(address),
    onConnection: (connection, slot) => serveConnection(relay, connection, slot),
    onHandshakeFailed: () => relay.metrics.handshake("tls"),
    onFault: (error) => log.error("unexpected fault", { stack: faultText(error) }),
  });
  await stopped;
  await joined?.close();
}

/** The state of the server that --take-over names, which stops for it; undefined where none runs there. */
async function findPrevious(
  config: ServerConfig,
  token: string | undefined,
): Promise<HandOver | undefined> {
  const address = config["take-over"];
  // Over NATS there is nothing to take over: rooms are kept there, and clients go on at another server.
  if (address === undefined || config.nats !== undefined) return undefined;
  const bytes = await requestHandOver({ address, token });
  return bytes === undefined ? undefined : decodeHandOver(bytes);
}

function goOn(relay: Relay, previous: HandOver): void {
  takeOver(relay, previous.relay);
  relay.log.info("took over", { held: relay.held.size, rooms: relay.gauges.rooms });
}

// A rejection that nothing awaits is a fault of this program: it must be seen, and must not end everybody's session.
function logStrayFaults(log: Logger): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unexpected fault", { stack: faultText(event.reason) });
  });
}

function start(running: Running, joined: JoinedCluster | undefined, signal: AbortSignal): void {
  const { relay } = running;
  relay.run(signal);
  joined?.cluster.run(new RelayClusterHost(relay), signal);
  startWatchdog(running, signal);
}

async function handOverAll(
  { relay, listener, identity }: Running,
): Promise<Uint8Array<ArrayBuffer>> {
  listener.close();
  relay.log.info("handing over: no new connections, telling clients");
  const state = await handOver(relay);
  return encodeHandOver({ identity: await identityToText(identity), relay: state });
}

function banner(isOpen: boolean, { address, tls }: Listener): string {
  const access = isOpen ? "open to everyone" : "token needed";
  return `cmdchat-server ${VERSION} listening on ${addressText(address)} (${
    tls ? "TLS" : "no TLS"
  }, ${access})`;
}

function identityNote(config: ServerConfig): string {
  return config["identity-file"] === undefined ? " (until this server stops)" : "";
}

/** Signs of life for the service manager, which restarts a server that hangs. */
function startWatchdog({ relay, manager }: Running, signal: AbortSignal): void {
  if (manager.watchdogMs === undefined) return;
  const timer = setInterval(() => {
    const { members, rooms } = relay.gauges;
    manager.tell("WATCHDOG=1", `STATUS=${members} members in ${rooms} rooms`);
  }, manager.watchdogMs / WATCHDOG_SHARE);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** SIGHUP: certificate, key and tokens are read again; where that fails, the old ones stay. */
function reloadOnSignal({ config, relay, listener, manager }: Running): void {
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGHUP", () => {
    manager.tell("RELOADING=1");
    try {
      const { tls, tokenDigests } = readReloadable(config, Date.now());
      if (tls !== undefined) listener.renew(tls);
      relay.access.useTokens(tokenDigests);
      relay.log.info("read certificate and tokens again");
    } catch (error) {
      const why = error instanceof CmdchatError ? error.message : faultText(error);
      relay.log.error("cannot read certificate and tokens again, the old ones stay", { why });
    }
    manager.tell("READY=1");
  });
}

/** Resolves once a signal came and everything is drained and closed. A second signal ends the process at once. */
async function stopOnSignal(
  { relay, listener, manager }: Running,
  stop: AbortController,
): Promise<void> {
  const asked = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = () => {
    if (++count > 1) Deno.exit(EXIT_SECOND_SIGNAL);
    asked.resolve();
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, onSignal);
  await asked.promise;
  manager.tell("STOPPING=1");
  relay.log.info("stopping: no new connections, telling clients");
  listener.close();
  await relay.stop();
  stop.abort();
  relay.log.info("stopped");
  for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, onSignal);
}
