// `deno task chat`: for newcomers. Starts a server on this machine if none listens there, and opens the client.

import { readConfig } from "../client/config/read_options.ts";
import { isListening } from "../client/net/connection.ts";
import { printError } from "../client/base/exit.ts";
import { main } from "../client/main.ts";
import { readVariable } from "../shared/cli/environment.ts";
import { openSettings } from "../client/config/settings_file.ts";

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

/** A server that lives as long as this process. Resolves when it listens or has failed. */
async function startServer(port: number): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-net",
      "--allow-env",
      "--allow-read",
      "--allow-sys=hostname,uid",
      new URL("../server/main.ts", import.meta.url).href,
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
    ],
    // Its log would run into the prompt.
    env: { CMDCHAT_LOG_LEVEL: "ERROR", CMDCHAT_METRICS: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  void drain(reader);
  return child;
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

if (import.meta.main) {
  const wanted = await wantsLocalServer(Deno.args);
  let server: Deno.ChildProcess | undefined;
  if (wanted !== undefined && !await isListening("127.0.0.1", wanted.port)) {
    server = await startServer(wanted.port);
    server.unref();
    printError(
      `Started a server on 127.0.0.1:${wanted.port}; it ends with this chat. The same command in another terminal joins it.`,
    );
    // Also when the terminal is closed or a signal ends this process.
    const child = server;
    globalThis.addEventListener("unload", () => stop(child));
  }
  const code = await main(Deno.args, { hostsServer: server !== undefined });
  if (server !== undefined) stop(server);
  Deno.exit(code);
}
