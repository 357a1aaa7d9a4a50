// `deno task chat`: for newcomers. Starts a server on this machine if none listens there, and opens the client. With
// `--share` it hosts for friends: it prints links for them, and opens the client in the same room.

import { readConfig } from "../client/config/read_options.ts";
import { isListening } from "../client/net/connection.ts";
import { printError } from "../client/base/exit.ts";
import { main } from "../client/main.ts";
import { readVariable } from "../shared/cli/environment.ts";
import { openSettings } from "../client/config/settings_file.ts";

const SERVER = new URL("../server/main.ts", import.meta.url);
const LOCAL_HOSTS = ["127.0.0.1", "localhost"];

/** Whether the client would look for a plain server on this machine; false where its options are wrong. */
async function wantsLocalServer(
  args: readonly string[],
): Promise<{ readonly port: number } | undefined> {
  try {
    const settings = await openSettings({ args, env: readVariable });
    const source = { args, env: readVariable, setting: settings?.find };
    const config = readConfig({ ...source, readLine: () => "" });
    const isLocal = LOCAL_HOSTS.includes(config.host) && !config.help && !config.version;
    const isPlain = !config.tls && !config["tls-insecure"] && config["ca-file"] === undefined;
    return isLocal && isPlain ? { port: config.port } : undefined;
  } catch {
    // The client reads them again and says what is wrong.
    return undefined;
  }
}

/** What the runtime gets of flags and permissions where it runs the task `host`. */
async function hostFlags(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("flags/host.txt", import.meta.url));
  return text.trim().split(/\s+/);
}

/** A server that lives as long as this process. Resolves with what it said when it listens, "" where it has failed. */
async function startServer(args: readonly string[]): Promise<Started> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...await hostFlags(), SERVER.href, ...args],
    // Its log would run into the prompt.
    env: { CMDCHAT_LOG_LEVEL: "ERROR", CMDCHAT_METRICS: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  child.unref();
  // Also when the terminal is closed or a signal ends this process.
  globalThis.addEventListener("unload", () => stop(child));
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  void drain(reader);
  return { child, said: new TextDecoder().decode(value) };
}

interface Started {
  readonly child: Deno.ChildProcess;
  readonly said: string;
}

/** Nobody reads what the server prints later on; a closed pipe would be an error to it. */
async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

function stop(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended already.
  }
}

/** The server of this call; undefined if one is running, or the client goes elsewhere. */
async function ownServer(args: readonly string[]): Promise<Deno.ChildProcess | undefined> {
  const wanted = await wantsLocalServer(args);
  if (wanted === undefined || await isListening("127.0.0.1", wanted.port)) return undefined;
  const place = ["--host", "127.0.0.1", "--port", String(wanted.port)];
  const { child } = await startServer(place);
  printError(
    `Started a server on 127.0.0.1:${wanted.port}; it ends with this chat. The same command in another terminal joins it.`,
  );
  return child;
}

/** A server for friends: its links are printed, and the client gets the one of this machine. */
async function sharedServer(): Promise<Deno.ChildProcess> {
  const { child, said } = await startServer(["host"]);
  const [forOthers = "", own = ""] = said.split(/^You join .*$/m);
  const link = /cmdchat:[^']+/.exec(own)?.[0];
  if (link === undefined) {
    printError("error: Cannot share a chat: the server did not start");
    Deno.exit(3);
  }
  printError(forOthers.replace("Ctrl-C ends it.", "It ends when you do.").trimEnd());
  Deno.env.set("CMDCHAT_LINK", link);
  return child;
}

const SHARE = "--share";

if (import.meta.main) {
  const args = Deno.args.filter((arg) => arg !== SHARE);
  const server = args.length < Deno.args.length ? await sharedServer() : await ownServer(args);
  const code = await main(args, { hostsServer: server !== undefined });
  if (server !== undefined) stop(server);
  Deno.exit(code);
}
