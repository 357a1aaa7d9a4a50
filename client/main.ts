// cmdchat-client: the terminal client's entry point.

import { optionHelp } from "../shared/command_line.ts";
import { LINK_MAX_CHARACTERS } from "../shared/limits.ts";
import { takeBuild, VERSION, versionText } from "../shared/version.ts";
import { commandHelp } from "./commands/screen_commands.ts";
import { COMMANDS } from "./commands/dispatcher.ts";
import { CLIENT_OPTIONS, HISTORY_OPTIONS, readConfig, readHistoryConfig } from "./config.ts";
import { EXIT_CODES, reportError } from "./exit.ts";
import { readVariable, runChat } from "./run_chat.ts";
import { readFirstLine } from "./terminal/tty.ts";

const encoder = new TextEncoder();

function print(text: string): void {
  Deno.stdout.writeSync(encoder.encode(`${text}\n`));
}

function helpText(): string {
  return `cmdchat-client ${VERSION}: an encrypted console chat

usage: cmdchat-client [OPTIONS]
       cmdchat-client LINK [OPTIONS]          join by an invite link
       cmdchat-client history FILE [OPTIONS]
       COMMAND | cmdchat-client [OPTIONS]     send each line and leave

${optionHelp(CLIENT_OPTIONS)}

environment only:
  CMDCHAT_TOKEN               token of the server
  CMDCHAT_HISTORY_PASSPHRASE  passphrase of the history
  NO_COLOR                    no colours

in the chat:
${commandHelp(COMMANDS).replaceAll(/^/gm, "  ")}

exit codes:
${EXIT_CODES.map(([code, meaning]) => `  ${code}  ${meaning}`).join("\n")}`;
}

async function showHistoryFile(
  args: readonly string[],
  build: string | undefined,
): Promise<number> {
  const config = readHistoryConfig({ args, env: readVariable });
  if (config.help || config.path === undefined) {
    print(
      config.version
        ? versionText("cmdchat-client", build)
        : `usage: cmdchat-client history FILE [OPTIONS]\n\n${optionHelp(HISTORY_OPTIONS)}`,
    );
    return 0;
  }
  const { printHistory } = await import("./print_history.ts");
  return await printHistory({ ...config, path: config.path }, readVariable);
}

/** Runs the program with these arguments; gives its exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const { build, args } = takeBuild(argv);
  try {
    if (args[0] === "history") return await showHistoryFile(args.slice(1), build);
    const readLine = () => readFirstLine(LINK_MAX_CHARACTERS);
    const config = readConfig({ args, env: readVariable, readLine });
    if (config.help) return print(helpText()), 0;
    if (config.version) return print(versionText("cmdchat-client", build)), 0;
    return await runChat(config);
  } catch (error) {
    return reportError(error);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
