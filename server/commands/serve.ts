// `cmdchat-server` without a command: serves until a signal comes.

import { setTimeout } from "node:timers/promises";
import type { Logger } from "@logtape/logtape";
import { variableNames } from "../../shared/cli/environment.ts";
import { strayVariables } from "../../shared/cli/environment_check.ts";
import { SERVER_READS } from "../../shared/cli/program_variables.ts";
import { ConfigError } from "../../shared/base/errors.ts";
import { VERSION } from "../../shared/base/version.ts";
import { RelayClusterHost } from "../admin/cluster_host.ts";
import { joinCluster, type JoinedCluster } from "../nats/join_cluster.ts";
import { addressText } from "../config/admin_address.ts";
import { readPageToken } from "../config/admin_token.ts";
import { openIdentity } from "../config/identity_file.ts";
import { INTRODUCED_MS } from "../config/limits.ts";
import { readReloadable } from "../config/reloadable_files.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { connectionsMax } from "../net/file_handles.ts";
import { listen } from "../net/listen.ts";
import { isPortTaken } from "../net/listen_error.ts";
import type { Listener } from "../net/listener.ts";
import { checkHandOverFormat, decodeHandOver, type HandOver } from "../relay/hand_over_state.ts";
import { loadSodiumKem } from "../connection/sodium_kem.ts";
import { loadShortCipher } from "../delivery/short_cipher.ts";
import { useShortCipher } from "../../shared/crypto/aead.ts";
import type { Kem } from "../../shared/crypto/kem.ts";
import { faultText, flushLog, openLog } from "../telemetry/log.ts";
import { openManager, type SystemdNotifier } from "../telemetry/systemd_notify.ts";
import { checkDoor } from "../web/door.ts";
import { pageDoubts, readPage, servesPage } from "../web/page.ts";
import { type HangUps, STOP_SIGNALS } from "./command_io.ts";
import {
  readBans,
  reload,
  type ReloadParts,
  reportCertificate,
  watchCertificate,
} from "./reload.ts";
import { openAdmin } from "./serve_admin.ts";
import { listenPatiently } from "./patient_listen.ts";
import { ServedRelay } from "./served_relay.ts";
import { requestHandOver } from "./take_over.ts";

// Several signs of life in the time after which the manager gives up: a single late one is no fault.
const WATCHDOG_SHARE = 3;
const EXIT_SECOND_SIGNAL = 1;
// Longer than the pause between two attempts, with one that takes its time.
const EXTENSION_US = 30_000_000;
const SODIUM_RETRY_MS = 60_000;

/** What the server runs in. */
export interface ServeContext {
  readonly env: (name: string) => string | undefined;
  /** Reads the configuration again: the settings file may be another. Throws CmdchatError. */
  readonly configAgain: () => ServerConfig;
  /** Prints one line on standard output. */
  readonly print: (text: string) => void;
  /** Which build this is, where the program knows. */
  readonly build: string | undefined;
  readonly hangUps: HangUps;
  /** Somebody at a terminal serves; absent for a service. */
  readonly attended?: Attended;
}

/** How somebody at a terminal serves. */
export interface Attended {
  /** Listens. Throws ConfigError. */
  readonly listen: () => Promise<Listener>;
  /** Says where the server is, in place of the usual lines, and who is in until `signal` aborts. */
  readonly tell: (served: ServedRelay, signal: AbortSignal) => Promise<void>;
  /** Says that a signal ends it. */
  readonly tellEnd: () => void;
}

/** A server that runs. */
interface Running extends ReloadParts {
  readonly manager: SystemdNotifier;
}

/** Serves until a signal comes and everything is drained and closed. Throws CmdchatError where it cannot start. */
export async function serve(config: ServerConfig, context: ServeContext): Promise<void> {
  const { env, print, configAgain } = context;
  const { host, port } = config;
  const files = readReloadable(config, Date.now());
  const bans = readBans(config);
  checkDoor(config, files.tokens.length > 0);
  const page = servesPage(config) ? readPage() : undefined;
  const log = openLog(config["log-level"], config["log-format"]);
  for (const { variable, why } of strayVariables({ ...SERVER_READS, env, all: variableNames() })) {
    log.warning("environment variable without effect", { variable, why });
  }
  const asked = config["max-connections"];
  const most = connectionsMax(asked);
  if (most < asked) {
    log.warning("the system's limit of open files leaves fewer connections", { most });
  }
  for (const { origin, why } of pageDoubts(config, files.tls !== undefined)) {
    log.warning("no browser can use the page", { origin, why });
  }
  const adminToken = readPageToken("admin", { env, files: config });
  const metricsToken = readPageToken("metrics", { env, files: config });
  const manager = openManager(log, env);
  const onWaiting = () => tellWaiting(manager);
  const identityFile = config["identity-file"];
  const own = identityFile === undefined ? undefined : await openIdentity(identityFile);
  const previous = await findPrevious(config, adminToken);
  const identity = own ?? await openIdentity(undefined, previous?.state.identity);
  let tellAll = (_text: string): void => {};
  const joined = await joinCluster(config, {
    env,
    log,
    identity: String(identity.fingerprint),
    tellAll: (text) => tellAll(text),
    onWaiting,
  });
  const listener = await context.attended?.listen() ??
    await listenPatiently({ host, port, tls: files.tls }, {
      log,
      isManaged: env("NOTIFY_SOCKET") !== undefined,
      isSuccessor: previous !== undefined,
      onWaiting,
    });
  const parts = { config, log, identity, cluster: joined?.cluster, listener, files, bans, page };
  const served = new ServedRelay(parts);
  tellAll = (text) => served.relay.tellAll(text);
  if (previous !== undefined) {
    served.takeOver(previous.state.relay);
    await previous.finish();
  }
  logStrayFaults(log);
  const running: Running = { config, configAgain, served, manager, log };
  const stop = new AbortController();
  start(running, joined, stop.signal);
  const admin = await openAdmin({
    config,
    served,
    log,
    build: context.build,
    isTaking: previous !== undefined,
    adminToken,
    metricsToken,
  });
  const { attended } = context;
  const stopped = stopOnSignal(running, stop, context);
  // Who comes meanwhile waits in the listener's queue.
  if (joined !== undefined) await acquainted(joined, served);
  if (files.tls !== undefined) reportCertificate(files.tls, log, Date.now());
  if (attended === undefined) {
    print(banner(files.tokens.length === 0, listener));
    print(`fingerprint ${identity.fingerprint}${identityNote(config)}`);
  } else await attended.tell(served, stop.signal);
  if (page !== undefined) print(`page for ${config.web?.join(", ")}, SHA-256 ${page.sha256}`);
  if (admin !== undefined) print(`admin pages on http://${admin.address}`);
  manager.tell("READY=1");
  await served.serve();
  await stopped;
  await joined?.close();
  await flushLog();
}

function tellWaiting(manager: SystemdNotifier): void {
  manager.tell(`EXTEND_TIMEOUT_USEC=${EXTENSION_US}`);
}

interface Previous {
  readonly state: HandOver;
  /** Tells the previous process that this one serves; see `TakenState`. */
  readonly finish: () => Promise<void>;
}

/** Throws ConfigError where this process could not listen although the server on `served` has let go of its port. */
async function checkPort(
  { host, port }: ServerConfig,
  served: number | undefined,
): Promise<void> {
  try {
    (await listen({ host, port, tls: undefined })).close();
  } catch (error) {
    const isTheirs = served === undefined || served === port;
    if (error instanceof ConfigError && isPortTaken(error.cause) && isTheirs) return;
    throw error;
  }
}

/** The state of the server that --take-over names, which stops serving for it; undefined if none runs there. */
async function findPrevious(
  config: ServerConfig,
  token: string | undefined,
): Promise<Previous | undefined> {
  const address = config["take-over"];
  // Over NATS there is nothing to take over: rooms are kept there, and clients go on at another server.
  if (address === undefined || config.nats !== undefined) return undefined;
  const taken = await requestHandOver({
    address,
    token,
    async check({ format, port }) {
      // A server that says nothing is of an older version; what it gives tells.
      if (format !== undefined) checkHandOverFormat(format);
      await checkPort(config, port);
    },
  });
  if (taken === undefined) return undefined;
  return { state: decodeHandOver(taken.bytes), finish: () => taken.finish() };
}

// A rejection that nothing awaits is a fault of this program: it must be seen, and must not end everybody's session.
function logStrayFaults(log: Logger): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unexpected fault", { stack: faultText(event.reason) });
  });
}

function start(running: Running, joined: JoinedCluster | undefined, signal: AbortSignal): void {
  joined?.cluster.run(new RelayClusterHost(running.served.relay), signal);
  startWatchdog(running, signal);
  watchCertificate(running, { signal });
  void useSodium(running, { signal });
}

/** Loads libsodium for this process, and how a server then encapsulates. */
async function loadLibrary(): Promise<Kem["encapsulate"]> {
  useShortCipher(await loadShortCipher());
  return (await loadSodiumKem()).encapsulate;
}

/** Waits for what the other servers know and newcomers may ask for: their sessions, and invites. */
async function acquainted({ cluster }: JoinedCluster, { relay }: ServedRelay): Promise<void> {
  await Promise.all([
    cluster.introductions.over(INTRODUCED_MS),
    relay.access.invites.whenKnown(),
  ]);
}

/**
 * Has libsodium compute what is cheaper with it. It takes some 100 ms to load, and nobody waits for it: until then the
 * platform computes everything. Where it cannot be loaded, which is said once, it is tried again until `signal` aborts: at
 * a take-over two processes share what memory there is.
 */
export async function useSodium(
  { log, served }: { readonly log: Logger; readonly served: Pick<ServedRelay, "useEncapsulation"> },
  { signal, load = loadLibrary, retryMs = SODIUM_RETRY_MS }: {
    readonly signal: AbortSignal;
    readonly load?: () => Promise<Kem["encapsulate"]>;
    readonly retryMs?: number;
  },
): Promise<void> {
  for (let attempts = 1; !signal.aborted; attempts++) {
    try {
      served.useEncapsulation(await load());
      if (attempts > 1) log.info("libsodium was loaded", { attempts });
      return;
    } catch (error) {
      const why = faultText(error);
      if (attempts === 1) {
        log.warning("libsodium could not be loaded: short messages and handshakes cost more", {
          why,
        });
      }
      await setTimeout(retryMs, undefined, { signal }).catch(() => {});
    }
  }
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
function startWatchdog({ served, manager }: Running, signal: AbortSignal): void {
  if (manager.watchdogMs === undefined) return;
  const timer = setInterval(() => {
    const { members, rooms } = served.relay.gauges;
    manager.tell("WATCHDOG=1", `STATUS=${members} members in ${rooms} rooms`);
  }, manager.watchdogMs / WATCHDOG_SHARE);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** Certificate, key, tokens, bans and settings are read again. What cannot be read stays, and holds up nothing else. */
function reloadFiles(running: Running): void {
  running.manager.tell("RELOADING=1");
  reload(running);
  running.manager.tell("READY=1");
}

/** Resolves once a signal came and everything is drained and closed. A second signal ends the process at once. */
async function stopOnSignal(
  running: Running,
  stop: AbortController,
  { attended, hangUps }: Pick<ServeContext, "attended" | "hangUps">,
): Promise<void> {
  const { served, manager, log } = running;
  const asked = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = () => {
    if (++count > 1) return void flushLog().then(() => Deno.exit(EXIT_SECOND_SIGNAL));
    asked.resolve();
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, onSignal);
  // Whoever hosts at a terminal has no files to be read again.
  const onHangUp = attended === undefined ? () => reloadFiles(running) : asked.resolve;
  hangUps.deliverTo({ reload: onHangUp, stop: asked.resolve });
  await asked.promise;
  attended?.tellEnd();
  manager.tell("STOPPING=1");
  log.info("stopping: no new connections, telling clients");
  await served.stop();
  stop.abort();
  log.info("stopped");
  for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, onSignal);
}
