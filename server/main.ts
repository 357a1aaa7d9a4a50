// cmdchat-server: from the command line to a command to an exit code.

import { CmdchatError, ConfigError, UsageError } from "../shared/base/errors.ts";
import { takeBuild, VERSION, versionText } from "../shared/base/version.ts";
import { readVariable } from "../shared/cli/environment.ts";
import { errorText, EXIT_UNEXPECTED } from "../shared/cli/error_report.ts";
import { parseCommandLine } from "../shared/cli/command_line.ts";
import { outputFault, STDOUT, tryWrite, writeAllSync } from "../shared/cli/write_all.ts";
import { askedHelp } from "../shared/cli/program.ts";
import { adminCommand } from "./commands/admin.ts";
import { readAdminPeer, readTopPeer } from "./commands/admin_client.ts";
import { type CommandIo, HangUps, ownTerminal, STOP_SIGNALS } from "./commands/command_io.ts";
import { giveUpInterfaces } from "./host/own_addresses.ts";
import {
  PAGE_OPTIONS,
  SERVER_COMMANDS,
  SERVER_PROGRAM,
  type ServerCommand,
} from "./commands/program.ts";
import { readConfig, SERVER_OPTIONS } from "./config/server_options.ts";
import { readPage } from "./web/page.ts";
import { settle } from "./config/settings_file.ts";

const encoder = new TextEncoder();

function env(name: string): string | undefined {
  // An empty variable counts as not set: compose files and units say "none" that way.
  return readVariable(name) || undefined;
}

function print(text: string): void {
  writeAll(encoder.encode(`${text}\n`));
}

/** Throws ConfigError where nobody can be told: a server whose address and fingerprint nobody saw is of no use. */
function writeAll(bytes: Uint8Array): void {
  try {
    writeAllSync(STDOUT, bytes);
  } catch (cause) {
    throw outputFault(cause) ??
      new ConfigError("Cannot print: standard output is closed", { cause });
  }
}

function commandIo(signal = new AbortController().signal): CommandIo {
  return {
    write: (text) => writeAll(encoder.encode(text)),
    warn: (text) => tryWrite(Deno.stderr, text),
    terminal: ownTerminal(),
    signal,
  };
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, () => stop.abort());
  return stop.signal;
}

/** `keygen`: it prints, and writes no file; the shell decides where the identity goes. */
async function printIdentity(rest: readonly string[]): Promise<number> {
  if (rest.length > 0) {
    throw new UsageError(`Cannot use ${JSON.stringify(rest[0])}: keygen takes no arguments`, {
      hint: "umask 077; cmdchat-server keygen > identity.pem",
    });
  }
  const { newIdentityText } = await import("./config/identity_file.ts");
  print((await newIdentityText()).trimEnd());
  return 0;
}

/** `page`: a page that somebody keeps cannot be changed by a server. */
function printPage(args: readonly string[]): number {
  const { values, positionals } = parseCommandLine(PAGE_OPTIONS, { args, env });
  if (positionals.length > 0) {
    throw new UsageError(`Cannot use ${JSON.stringify(positionals[0])}: page takes no arguments`, {
      hint: "cmdchat-server page > page.html",
    });
  }
  const page = readPage();
  if (values.hash) print(page.sha256);
  else writeAll(page.bytes);
  return 0;
}

/** `completions SHELL`. */
async function printCompletions(args: readonly string[]): Promise<number> {
  const { completionScript } = await import("../shared/cli/completion_script.ts");
  const options = { help: SERVER_OPTIONS.help };
  print(completionScript(SERVER_PROGRAM, options, { args, env }).trimEnd());
  return 0;
}

/** A command with the arguments behind its name; gives the exit code. What it needs is loaded when it runs. */
type Run = (args: readonly string[], build: string | undefined) => number | Promise<number>;

const RUNS: Readonly<Record<ServerCommand, Run>> = {
  async host(args, build) {
    const { hostCommand } = await import("./host/run_host.ts");
    return await hostCommand({ args, print, build });
  },
  keygen: printIdentity,
  async check(args) {
    const settled = settle({ args, env });
    const { checkCommand } = await import("./commands/check.ts");
    return await checkCommand(readConfig(settled), { env: settled.env, print });
  },
  async health(args) {
    const { healthCommand } = await import("./commands/health_and_top.ts");
    return await healthCommand(readAdminPeer({ args, env }), commandIo());
  },
  async keep(args) {
    const { keepCommand } = await import("./commands/keep.ts");
    return await keepCommand(readAdminPeer({ args, env }), { env, signal: stopSignal() });
  },
  async top(args) {
    const { topCommand } = await import("./commands/health_and_top.ts");
    return await topCommand(readTopPeer({ args, env }), commandIo(stopSignal()));
  },
  admin: (args) => adminCommand({ args, env }, commandIo()),
  page: printPage,
  completions: printCompletions,
};

async function run(argv: readonly string[]): Promise<number> {
  const { build, args } = takeBuild(argv);
  const help = askedHelp(SERVER_PROGRAM, args, { version: VERSION });
  if (help !== undefined) return print(help), 0;
  const [command, ...rest] = args;
  const known = SERVER_COMMANDS.find(({ name }) => name === command);
  if (known?.name !== "host") giveUpInterfaces();
  if (known !== undefined) return await RUNS[known.name](rest, build);
  const words = ["help", ...SERVER_COMMANDS.map(({ name }) => name)];
  const hangUps = new HangUps();
  const settled = settle({ args, env });
  const config = readConfig(settled, words);
  const configAgain = () => readConfig(settle({ args, env }));
  if (config.version) return print(versionText("cmdchat-server", build)), 0;
  const { serve } = await import("./commands/serve.ts");
  await serve(config, { env: settled.env, print, build, hangUps, configAgain });
  return 0;
}

/** Runs the program with these arguments; gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    if (!(error instanceof CmdchatError)) throw error;
    tryWrite(Deno.stderr, `${errorText(error)}\n`);
    return error.exitCode;
  }
}

/** The end of a process with an internal fault: the fault is reported, and no open port remains. */
function endWithFault(error: unknown): void {
  tryWrite(Deno.stderr, `error: unexpected fault\n${faultOf(error)}\n`);
  Deno.exit(EXIT_UNEXPECTED);
}

function faultOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}

// Connections in the middle of their handshake have nothing to be told, and would hold the process for 10 s.
// A rejection at the top would be hidden by the listener for stray ones, so both ends are taken here.
if (import.meta.main) main(Deno.args).then((code) => Deno.exit(code), endWithFault);
