// cmdchat-server: the relay's entry point.

import { identityToText } from "../shared/crypto/identity.ts";
import { CmdchatError, UsageError } from "../shared/base/errors.ts";
import { commandHelp, findCommand, programHelp } from "../shared/cli/program.ts";
import { isLoopback } from "./config/admin_address.ts";
import { readAdminPeer, requestHandOver } from "./commands/admin_client.ts";
import { healthCommand, topCommand } from "./commands/health_and_top.ts";
import type { CommandIo } from "./commands/command_io.ts";
import { readAdminToken } from "./config/admin_token.ts";
import { type AdminListener, serveAdmin, serveWhenFree } from "./admin/http_server.ts";
import type { AdminView } from "./admin/routes.ts";
import { takeBuild, VERSION, versionText } from "../shared/base/version.ts";
import { readConfig, SERVER_OPTIONS, type ServerConfig } from "./config/server_options.ts";
import { serveConnection } from "./connection/serve_connection.ts";
import { decodeHandOver, encodeHandOver, type HandOver } from "./relay/hand_over_state.ts";
import { HandOverAuth } from "./admin/hand_over_auth.ts";
import { newIdentityText, openIdentity } from "./config/identity_file.ts";
import { keep } from "./commands/keep.ts";
import { listen } from "./net/listen.ts";
import type { Listener } from "./net/listener.ts";
import { faultText, openLog } from "./telemetry/log.ts";
import { prometheusPage } from "./telemetry/prometheus_page.ts";
import { runAdminCommand } from "./admin/admin_actions.ts";
import { adminCommand } from "./commands/admin.ts";
import { joinCluster } from "./cluster/join_cluster.ts";
import { SERVER_COMMANDS, SERVER_PROGRAM, type ServerCommand } from "./commands/program.ts";
import { Relay } from "./relay/relay.ts";
import { findSystemd, type SystemdNotifier } from "./telemetry/systemd_notify.ts";
import { TokenGate } from "./admin/token_gate.ts";
import { readReloadable } from "./config/reloadable_files.ts";

const encoder = new TextEncoder();
const EXIT_UNEXPECTED = 1;
// Several signs of life in the time after which the manager gives up: a single late one is no fault.
const WATCHDOG_SHARE = 3;
const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

function print(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

async function serve(config: ServerConfig, build: string | undefined): Promise<void> {
  const { host, port } = config;
  const { tls, tokenDigests } = readReloadable(config, Date.now());
  const log = openLog(config["log-level"]);
  const adminToken = readAdminToken({ env: readVariable, file: config["admin-token-file"] });
  const previous = await takeOver(config, adminToken);
  const listener = await listen({ host, port, tls });
  const identity = await openIdentity(config["identity-file"], previous?.identity);
  const joined = await joinCluster(config, {
    ...{ env: readVariable, log },
    tellAll: (text): void => relay.tellAll(text),
  });
  const relay: Relay = new Relay(config, { log, identity, cluster: joined?.cluster });
  relay.useTokens(tokenDigests);
  if (previous !== undefined) {
    relay.takeOver(previous.relay);
    log.info("took over", { held: relay.held.size, rooms: relay.gauges.rooms });
  }
  const running = new AbortController();
  // What nobody waited for is a mistake of ours; it must be seen, and must not end everybody's conversation.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unexpected fault", { stack: faultText(event.reason) });
  });
  relay.run(running.signal);
  const handOver = async () => {
    listener.close();
    log.info("handing over: no new connections, telling clients");
    const state = await relay.handOver();
    return encodeHandOver({ identity: await identityToText(identity), relay: state });
  };
  const taking = previous !== undefined;
  const admin = await openAdmin({ config, relay, build, handOver, taking, adminToken });
  const manager = openManager(log);
  const serving = { config, relay, listener, manager };
  const stopped = stopOnSignal(serving, running);
  reloadOnSignal(serving);
  watch(serving, running.signal);
  print(banner(tokenDigests.length === 0, listener));
  print(`fingerprint ${identity.fingerprint}${identityNote(config)}`);
  if (admin !== undefined) print(`admin pages on http://${admin.address}`);
  manager.tell("READY=1");
  await listener.serve({
    admit: (address) => relay.admit(address),
    onConnection: (connection, slot) => serveConnection(relay, connection, slot),
    onHandshakeFailed: () => relay.metrics.handshake("tls"),
    onFault: (error) => relay.log.error("unexpected fault", { stack: faultText(error) }),
  });
  await stopped;
  await joined?.close();
}

/** What a running server knows, where --take-over says that there may be one; it stops for that. */
async function takeOver(
  config: ServerConfig,
  token: string | undefined,
): Promise<HandOver | undefined> {
  const address = config["take-over"];
  // Over NATS there is nothing to take over: rooms live there, and clients go on at another server.
  if (address === undefined || config.nats !== undefined) return undefined;
  const bytes = await requestHandOver({ address, token });
  return bytes === undefined ? undefined : decodeHandOver(bytes);
}

interface AdminParts {
  readonly config: ServerConfig;
  readonly relay: Relay;
  readonly build: string | undefined;
  readonly handOver: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly adminToken: string | undefined;
  /** The process before this one may still have the port for a moment. */
  readonly taking: boolean;
}

async function openAdmin(parts: AdminParts): Promise<AdminListener | undefined> {
  const { config, relay, build, taking, adminToken } = parts;
  const address = config["admin-listen"];
  if (address === undefined) return undefined;
  const startedAt = Date.now() / 1_000;
  const start = performance.now();
  const handOver = async () => {
    let code = EXIT_UNEXPECTED;
    try {
      const bytes = await parts.handOver();
      code = 0;
      return bytes;
    } finally {
      // Answered, there is nothing left to do; and a server that let go of everything is of no use.
      void admin.finish().then(() => Deno.exit(code));
    }
  };
  const gate = adminToken === undefined ? undefined : new TokenGate(adminToken);
  const handsOver = isLoopback(address.hostname) && relay.cluster === undefined;
  const view: AdminView = {
    ready: () => !relay.stopping && !relay.draining,
    handOver: handsOver && adminToken !== undefined && gate !== undefined
      ? new HandOverAuth({ token: adminToken, gate }, () => relay.stopping ? undefined : handOver())
      : undefined,
    gate,
    answer: (ask) => runAdminCommand(relay, ask),
    metrics: () =>
      prometheusPage({
        version: build === undefined ? VERSION : `${VERSION} ${build}`,
        ...{ startedAt, uptime: (performance.now() - start) / 1_000 },
        ...{ metrics: relay.metrics, gauges: relay.gauges, census: relay.census },
        ...{ stopping: relay.stopping, memory: Deno.memoryUsage() },
      }),
  };
  const onFault = (error: unknown) =>
    relay.log.error("unexpected fault", { stack: faultText(error) });
  const admin = await (taking ? serveWhenFree : serveAdmin)(address, view, onFault);
  return admin;
}

function banner(open: boolean, listener: Listener): string {
  const { hostname, port } = listener.address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const access = open ? "open to everyone" : "token needed";
  return `cmdchat-server ${VERSION} listening on ${host}:${port} (${
    listener.tls ? "TLS" : "no TLS"
  }, ${access})`;
}

function identityNote(config: ServerConfig): string {
  return config["identity-file"] === undefined ? " (until this server stops)" : "";
}

interface Serving {
  readonly config: ServerConfig;
  readonly relay: Relay;
  readonly listener: Listener;
  readonly manager: SystemdNotifier;
}

/** Signs of life for the service manager: a server that hangs is started anew by it. */
function watch({ relay, manager }: Serving, signal: AbortSignal): void {
  if (manager.watchdogMs === undefined) return;
  const timer = setInterval(() => {
    const { members, rooms } = relay.gauges;
    manager.tell("WATCHDOG=1", `STATUS=${members} members in ${rooms} rooms`);
  }, manager.watchdogMs / WATCHDOG_SHARE);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** SIGHUP: certificate, key and tokens are read anew; where that fails, what was read before stays. */
function reloadOnSignal({ config, relay, listener, manager }: Serving): void {
  if (Deno.build.os === "windows") return;
  Deno.addSignalListener("SIGHUP", () => {
    manager.tell("RELOADING=1");
    try {
      const { tls, tokenDigests } = readReloadable(config, Date.now());
      if (tls !== undefined) listener.renew(tls);
      relay.useTokens(tokenDigests);
      relay.log.info("read certificate and tokens again");
    } catch (error) {
      const why = error instanceof CmdchatError ? error.message : faultText(error);
      relay.log.error("cannot read certificate and tokens again, the old ones stay", { why });
    }
    manager.tell("READY=1");
  });
}

/** Resolves when a signal came and everything is drained and closed. A second signal ends the process at once. */
async function stopOnSignal(
  { relay, listener, manager }: Serving,
  running: AbortController,
): Promise<void> {
  const asked = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = () => {
    if (++count > 1) Deno.exit(EXIT_UNEXPECTED);
    asked.resolve();
  };
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, onSignal);
  await asked.promise;
  manager.tell("STOPPING=1");
  relay.log.info("stopping: no new connections, telling clients");
  listener.close();
  await relay.stop();
  running.abort();
  relay.log.info("stopped");
  for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, onSignal);
}

/** `cmdchat-server keygen`: prints, and writes nothing; the shell decides where it goes. */
async function printIdentity(rest: readonly string[]): Promise<void> {
  if (rest.length > 0) {
    throw new UsageError(`Cannot use ${JSON.stringify(rest[0])}: keygen takes no arguments`, {
      hint: "umask 077; cmdchat-server keygen > identity.pem",
    });
  }
  print((await newIdentityText()).trimEnd());
}

/** `cmdchat-server help [COMMAND]`. Throws UsageError for a command that there is not. */
function helpOf(word: string | undefined): string {
  if (word === undefined) return programHelp(SERVER_PROGRAM, VERSION);
  return commandHelp(SERVER_PROGRAM, findCommand(SERVER_COMMANDS, word));
}

/** `cmdchat-server completions SHELL`. */
async function printCompletions(args: readonly string[]): Promise<void> {
  const { completionScript } = await import("../shared/cli/completion_script.ts");
  const options = { help: SERVER_OPTIONS.help };
  print(completionScript(SERVER_PROGRAM, options, { args, env: readVariable }).trimEnd());
}

/** `health` and `top`: ask a server that runs. */
async function askServer(command: typeof healthCommand, args: readonly string[]): Promise<never> {
  const peer = readAdminPeer({ args, env: readVariable });
  const stop = new AbortController();
  const ended = () => stop.abort();
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, ended);
  Deno.exit(await command(peer, here(stop.signal)));
}

function here(signal: AbortSignal): CommandIo {
  return {
    write: (text) => Deno.stdout.writeSync(encoder.encode(text)),
    warn: (text) => Deno.stderr.writeSync(encoder.encode(text)),
    terminal: Deno.stdout.isTerminal(),
    signal,
  };
}

/** `keep`: between one server and the next. */
async function keepForNext(args: readonly string[]): Promise<void> {
  const peer = readAdminPeer({ args, env: readVariable });
  const log = openLog("INFO");
  const manager = openManager(log);
  const stop = new AbortController();
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, () => stop.abort());
  Deno.exit(await keep(peer, { log, manager, signal: stop.signal }));
}

function openManager(log: ReturnType<typeof openLog>): SystemdNotifier {
  return findSystemd({
    env: readVariable,
    onFault: (error) => log.warning("cannot tell the service manager", { why: faultText(error) }),
  });
}

const RUNS: Readonly<Record<ServerCommand, (args: readonly string[]) => Promise<void>>> = {
  keygen: printIdentity,
  health: (args) => askServer(healthCommand, args),
  keep: keepForNext,
  top: (args) => askServer(topCommand, args),
  admin: async (args) =>
    Deno.exit(
      await adminCommand({ args, env: readVariable }, here(new AbortController().signal)),
    ),
  completions: printCompletions,
};

function readVariable(name: string): string | undefined {
  return Deno.env.get(name);
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  return options.includes("--help") || options.includes("-h");
}

async function main(): Promise<void> {
  const { build, args } = takeBuild(Deno.args);
  const [command, ...rest] = args;
  if (command === "help") return print(helpOf(rest[0]));
  const known = SERVER_COMMANDS.find(({ name }) => name === command);
  if (known !== undefined) {
    return asksForHelp(rest) ? print(helpOf(known.name)) : await RUNS[known.name](rest);
  }
  const words = ["help", ...SERVER_COMMANDS.map(({ name }) => name)];
  const config = readConfig({ args, env: readVariable }, words);
  if (config.help) return print(programHelp(SERVER_PROGRAM, VERSION));
  if (config.version) return print(versionText("cmdchat-server", build));
  await serve(config, build);
  // Connections in the middle of their handshake have nothing to be told, and would hold the process for 10 s.
  Deno.exit(0);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof CmdchatError)) throw error;
    const hint = error.hint === undefined ? "" : `\nhint: ${error.hint}`;
    Deno.stderr.writeSync(encoder.encode(`error: ${error.message}${hint}\n`));
    Deno.exit(error.exitCode);
  }
}
