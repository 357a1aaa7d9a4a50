// cmdchat-client: the terminal client's entry point.

import { columns } from "../shared/text/columns.ts";
import type { CommandLineInput } from "../shared/cli/command_line.ts";
import { LINK_MAX_CHARACTERS } from "../shared/base/limits.ts";
import { askedHelp, asksHelp, hasOption } from "../shared/cli/program.ts";
import { outputFault, STDOUT, writeAllSync } from "../shared/cli/write_all.ts";
import { takeBuild, VERSION, versionText } from "../shared/base/version.ts";
import {
  type ClientConfig,
  type LinkInput,
  readConfig,
  readHistoryConfig,
} from "./config/read_options.ts";
import { HELP_OPTIONS } from "./config/connection_options.ts";
import { printError, reportError } from "./base/exit.ts";
import { CLIENT_PROGRAM, type ClientCommand } from "./config/program.ts";
import { readCall } from "./config/read_call.ts";
import type { ChatSurroundings } from "./app/run_chat.ts";
import { readVariable, variableNames } from "../shared/cli/environment.ts";
import { strayVariables } from "../shared/cli/environment_check.ts";
import { CLIENT_READS } from "../shared/cli/program_variables.ts";
import { openSettings } from "./config/settings_file.ts";
import { readFirstLine } from "./terminal/tty.ts";

const encoder = new TextEncoder();

/** A command with the arguments behind its name; gives the exit code. What it needs is loaded when it runs. */
type Run = (input: LinkInput, build: string | undefined) => Promise<number>;

const RUNS: Readonly<Record<ClientCommand, Run>> = {
  send: async (input) => (await import("./headless/run_script.ts")).runSend(input),
  recv: async (input) => (await import("./headless/run_script.ts")).runRecv(input),
  "send-file": async (input) => (await import("./headless/run_script.ts")).runSendFile(input),
  "recv-file": async (input) => (await import("./headless/run_script.ts")).runRecvFile(input),
  history: showHistoryFile,
  keygen: async (input) => (await import("./headless/keygen.ts")).runKeygen(input),
  doctor: async (input, build) => (await import("./doctor/run_doctor.ts")).runDoctor(input, build),
  completions: printCompletions,
};

/** Prints text and a line break. Throws ConfigError for a full disk and the like. */
function print(text: string): void {
  try {
    writeAllSync(STDOUT, encoder.encode(`${text}\n`));
  } catch (cause) {
    const fault = outputFault(cause);
    if (fault !== undefined) throw fault;
  }
}

/** The help that the words of a call ask for; undefined where they ask for none. */
async function helpAsked(words: readonly string[]): Promise<string | undefined> {
  if (!asksHelp(words)) return undefined;
  const { COMMANDS } = await import("./commands/dispatcher.ts");
  const { slashRows } = await import("./commands/screen_commands.ts");
  const more = () => [`in the chat:\n${columns(slashRows(COMMANDS))}`];
  return askedHelp(CLIENT_PROGRAM, words, { version: VERSION, more });
}

async function showHistoryFile(input: CommandLineInput): Promise<number> {
  const config = readHistoryConfig(input);
  const { printHistory } = await import("./headless/print_history.ts");
  return await printHistory({ ...config, path: config.path ?? "" }, readVariable);
}

async function chatInJson(config: ClientConfig): Promise<number> {
  const { jsonScript } = await import("./headless/json_chat.ts");
  const { runChat } = await import("./app/run_chat.ts");
  // A program that says {"accept":1} is asked as a person is.
  return await runChat({ ...config, renderer: "json" }, jsonScript(!config["no-downloads"]));
}

async function printCompletions(input: CommandLineInput): Promise<number> {
  const { completionScript } = await import("../shared/cli/completion_script.ts");
  print(completionScript(CLIENT_PROGRAM, HELP_OPTIONS, input).trimEnd());
  return 0;
}

/** Says which variables were probably meant for this program. Those of a server in the same shell are not. */
function warnOfStrayVariables(): void {
  const view = { ...CLIENT_READS, env: readVariable, all: variableNames() };
  for (const { variable, why, meant } of strayVariables(view)) {
    if (meant === undefined || readVariable(meant)) continue;
    printError(`warning: ${variable} has no effect: ${why}`);
  }
}

/** Runs the program with these arguments; gives its exit code. */
export async function main(
  argv: readonly string[],
  surroundings: ChatSurroundings = {},
): Promise<number> {
  const { build, args: all } = takeBuild(argv);
  try {
    if (hasOption(all, "--version", "-V")) {
      return print(versionText("cmdchat-client", build)), 0;
    }
    const { command, args, words } = readCall(all);
    const help = await helpAsked(words);
    if (help !== undefined) return print(help), 0;
    warnOfStrayVariables();
    // A doctor has to say what is wrong with the settings, and go on.
    const settings = command?.name === "doctor"
      ? undefined
      : await openSettings({ args, env: readVariable });
    const readLine = () => readFirstLine(LINK_MAX_CHARACTERS, "Paste the link: ");
    const input: LinkInput = {
      args,
      env: readVariable,
      setting: settings?.find,
      readLine,
    };
    if (command !== undefined) return await RUNS[command.name](input, build);
    const config = readConfig(input);
    if (config.json) return await chatInJson(config);
    const { runChat } = await import("./app/run_chat.ts");
    return await runChat(config, undefined, {
      ...surroundings,
      aliases: settings?.aliases,
      keys: settings?.keys,
    });
  } catch (error) {
    return reportError(error);
  }
}

/** Never called: it names the worker's module, so that Deno asks for its packages at a start and not when a room is sealed. */
export function sealedWorker(): Promise<unknown> {
  return import("./sealed_engine/worker.ts");
}

if (import.meta.main) {
  // Where `ulimit -f` ends a file, the write fails then, and says why; by itself the signal ends the program.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGXFSZ", () => {});
  Deno.exit(await main(Deno.args));
}
