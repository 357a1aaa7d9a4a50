// cmdchat-server: the relay's entry point.

import { optionHelp } from "../shared/command_line.ts";
import { CmdchatError, UsageError } from "../shared/errors.ts";
import { takeBuild, VERSION, versionText } from "../shared/version.ts";
import { ENVIRONMENT_ONLY, readConfig, SERVER_OPTIONS, type ServerConfig } from "./config.ts";
import { serveConnection } from "./connection.ts";
import { newIdentityText, openIdentity } from "./identity_file.ts";
import { listen, type Listener } from "./listener.ts";
import { faultText, openLog } from "./log.ts";
import { Relay } from "./relay.ts";
import { readTlsFiles } from "./tls_files.ts";

const encoder = new TextEncoder();
const EXIT_UNEXPECTED = 1;

function print(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

function helpText(): string {
  const variables = Object.entries(ENVIRONMENT_ONLY).map(([name, help]) => `  ${name}  ${help}`);
  return `cmdchat-server ${VERSION}: an encrypted chat relay that keeps everything in memory

usage: cmdchat-server [OPTIONS]
       cmdchat-server keygen      print a new identity for --identity-file

${optionHelp(SERVER_OPTIONS)}

environment only:
${variables.join("\n")}`;
}

async function serve(config: ServerConfig): Promise<void> {
  const { certfile, keyfile, host, port } = config;
  const tls = certfile === undefined || keyfile === undefined
    ? undefined
    : readTlsFiles(certfile, keyfile, Date.now());
  const listener = await listen({ host, port, tls });
  const identity = await openIdentity(config["identity-file"]);
  const log = openLog(config["log-level"]);
  const relay = new Relay(config, { log, identity });
  const running = new AbortController();
  // What nobody waited for is a mistake of ours; it must be seen, and must not end everybody's conversation.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("unexpected fault", { stack: faultText(event.reason) });
  });
  relay.run(running.signal);
  const stopped = stopOnSignal(relay, listener, running);
  print(banner(config, listener));
  print(`fingerprint ${identity.fingerprint}${identityNote(config)}`);
  await listener.serve({
    admit: (address) => relay.admit(address),
    onLink: (link) => serveConnection(relay, link),
    onHandshakeFailed: () => relay.metrics.counters.handshakesFailed++,
    onFault: (error) => relay.log.error("unexpected fault", { stack: faultText(error) }),
  });
  await stopped;
}

function banner(config: ServerConfig, listener: Listener): string {
  const { hostname, port } = listener.address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const access = config.tokenDigests.length === 0 ? "open to everyone" : "token needed";
  return `cmdchat-server ${VERSION} listening on ${host}:${port} (${
    listener.tls ? "TLS" : "no TLS"
  }, ${access})`;
}

function identityNote(config: ServerConfig): string {
  return config["identity-file"] === undefined ? " (until this server stops)" : "";
}

/** Resolves when a signal came and everything is drained and closed. A second signal ends the process at once. */
async function stopOnSignal(
  relay: Relay,
  listener: Listener,
  running: AbortController,
): Promise<void> {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM"];
  const asked = Promise.withResolvers<void>();
  let count = 0;
  const onSignal = () => {
    if (++count > 1) Deno.exit(EXIT_UNEXPECTED);
    asked.resolve();
  };
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  await asked.promise;
  relay.log.info("stopping: no new connections, telling clients");
  listener.close();
  await relay.stop();
  running.abort();
  relay.log.info("stopped");
  for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
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

async function main(): Promise<void> {
  const { build, args } = takeBuild(Deno.args);
  if (args[0] === "keygen") return await printIdentity(args.slice(1));
  const config = readConfig({ args, env: (name) => Deno.env.get(name) });
  if (config.help) return print(helpText());
  if (config.version) return print(versionText("cmdchat-server", build));
  await serve(config);
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
