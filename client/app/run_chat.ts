// Puts a chat together from its configuration, runs it, and takes it apart in order.

import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { ConfigError } from "../../shared/base/errors.ts";
import { applyAppearance } from "../output/appearance.ts";
import { Chat } from "../chat/chat.ts";
import { readPipe } from "./pipe_input.ts";
import { readTerminal } from "./terminal_input.ts";
import type { Script } from "./script.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { createCompleter } from "../commands/completer.ts";
import { tellStatus } from "../commands/screen_commands.ts";
import type { ClientConfig } from "../config/read_options.ts";
import { Dialer } from "../session/dialer.ts";
import { defaultDownloadFolder } from "../files/save_download.ts";
import { printError, signalExitCode } from "../base/exit.ts";
import type { History } from "../history/history.ts";
import { KnownServers } from "../net/known_servers.ts";
import { Output } from "../output/output.ts";
import { readPassphrase, readToken } from "../config/read_secrets.ts";
import type { ChatConsole } from "../console/console.ts";
import type { NoteLevel } from "../base/note_level.ts";
import { ChatSettings } from "../config/chat_settings.ts";
import { readProxy } from "../net/proxy_choice.ts";
import { ServerCheck } from "../net/server_check.ts";
import { detectColorDepth, Style } from "../terminal/style.ts";
import { readTlsSettings } from "../net/tls_trust.ts";
import { Transfers } from "../transfers/transfers.ts";
import { openUserSide, type UserSide } from "./open_console.ts";
import { readVariable } from "../base/environment.ts";
import { createOutput } from "./create_output.ts";
import { QuitQuestion } from "./quit_question.ts";
import { EndSignals } from "./end_signals.ts";

const INSECURE_WARNING =
  "--tls-insecure: nobody checks the certificate. Whoever answers there gets to talk to you.";
const LEGACY_WARNING =
  "--legacy: the old protocol has no forward secrecy and cannot tell who the server is. " +
  "Without TLS, anybody in between can read and change everything.";

/**
 * Runs a chat to its end, for a person or a script, and gives the exit code. Throws what ended it, with the terminal
 * restored.
 */
export async function runChat(
  config: ClientConfig,
  script?: Script,
  { hostsServer = false }: ChatSurroundings = {},
): Promise<number> {
  const { host, port, linkToken, fingerprint, "known-servers": knownPath } = config;
  const [ownToken, tls, proxy] = await Promise.all([
    readToken(config, { env: readVariable, warn: (text) => printError(`warning: ${text}`) }),
    readTlsSettings(config),
    readProxy(config, readVariable),
  ]);
  const token = ownToken ?? linkToken;
  const webSocket = config.transport === "wss";
  if (config.linkShows) {
    printError(
      "warning: the link shows its secrets to everyone who can list this machine's processes; " +
        "better: CMDCHAT_LINK, or --link - and the link on standard input",
    );
  }
  let current: Chat | undefined;
  const ending = new EndSignals(() => {
    current?.end();
    return current !== undefined;
  });
  const home = readVariable("HOME") ?? readVariable("USERPROFILE");
  const settings = new ChatSettings();
  let output: Output | undefined;
  const side = openUserSide({
    ...{ env: readVariable, settings, home, plain: config.plain, isScript: script !== undefined },
    complete: createCompleter(() => current, home),
    entered: (text) => current?.typing.entered(text),
    resized: () => output?.resized(),
    onTerminate: (signal) => ending.request(signal),
  });
  if (side.tty === undefined) ending.listen();
  const tell = (level: NoteLevel, text: string, hint?: string) => output?.note(level, text, hint);
  const check = new ServerCheck({
    address: hostAndPort(host, port),
    known: knownPath === undefined ? undefined : new KnownServers(knownPath),
    ...{ pinned: fingerprint !== undefined, tell },
    hasToken: (): boolean => dialer.hasToken,
    onChanged: () => current?.requests.refuseUnsent(),
  });
  const dialer: Dialer = new Dialer({
    endpoint: { host, port, tls, webSocket, proxy },
    token,
    renderer: config.renderer,
    bufferSize: config["buffer-size"],
    clock: SYSTEM_CLOCK,
    ...(side.canAsk ? { askToken: () => side.console.ask("Token:", { hidden: true }) } : {}),
    onInsecure: () => tell("danger", INSECURE_WARNING),
    onLegacy: config.legacy ? () => tell("danger", LEGACY_WARNING) : undefined,
    expected: fingerprint,
    check: (seen) => check.check(seen),
  });
  let history: History | undefined;
  try {
    history = await openConfiguredHistory(config, side);
    const downloads = script?.receives ??
      (!config["no-downloads"] && (side.isPerson || config["accept-files"]));
    const writes = downloads || history !== undefined || knownPath !== undefined;
    if (!writes) await Deno.permissions.revoke({ name: "write" });
    const style = new Style(detectColorDepth(readVariable, side.tty !== undefined));
    output = createOutput(config, { side, style, history, script, settings });
    applyAppearance({
      ...{ settings, style, home, background: side.background },
      warn: (text, hint) => tell("warning", text, hint),
    });
    if (config.set !== undefined) settings.setAll(config.set);
    const chat = current = new Chat({
      place: { name: config.name, room: config.room },
      secret: config.linkSecret,
      address: { host, port, tls: tls !== undefined, webSocket, token },
      dial: (place, signal) => dialer.dial(place, signal),
      console: side.console,
      output,
      style,
      clock: SYSTEM_CLOCK,
      quiet: config["quiet-reconnect"],
      transfers: (parts) =>
        new Transfers({
          ...parts,
          folder: downloads ? config["download-dir"] ?? defaultDownloadFolder(home) : undefined,
          home,
          acceptAll: config["accept-files"],
        }),
    });
    const question = new QuitQuestion(chat, hostsServer);
    if (side.isPerson) ending.onInterrupt = () => question.interrupt();
    return await converse(chat, { side, downloads, ending, script, question });
  } finally {
    try {
      await side.console.close();
    } finally {
      await history?.close();
      ending.release();
    }
  }
}

/** What the program that runs a chat tells of itself. */
export interface ChatSurroundings {
  /** Whether the server ends with this process (`deno task chat`). */
  readonly hostsServer?: boolean;
}

interface Conversation {
  readonly side: UserSide;
  readonly downloads: boolean;
  readonly ending: EndSignals;
  readonly script: Script | undefined;
  readonly question: QuitQuestion;
}

async function converse(
  chat: Chat,
  { side, downloads, ending, script, question }: Conversation,
): Promise<number> {
  const read = script?.read ?? (side.isPerson ? readTerminal : readPipe);
  const { canAsk: isTerminal, bytes } = side;
  const input = read({ chat, downloads, clock: SYSTEM_CLOCK, isTerminal, bytes, question });
  if (side.isPerson) void chat.whenConnected().then(() => tellNewcomer(chat, side));
  // Whatever ends the reading ends the chat; its error is thrown below.
  input.catch(() => chat.end());
  if (ending.signal !== undefined) chat.end();
  try {
    await chat.run();
  } finally {
    chat.end();
    await chat.transfers.dispose();
    chat.output.flush();
    await side.console.close();
  }
  const fault = await input;
  return ending.signal === undefined ? fault?.exitCode ?? 0 : signalExitCode(ending.signal);
}

function tellNewcomer(chat: Chat, { tty }: UserSide): void {
  // Where no status line says it, who can read is said once without being asked.
  if (tty === undefined) tellStatus(chat);
  chat.output.answer("/help lists the commands; Tab completes them.");
}

async function openConfiguredHistory(
  config: ClientConfig,
  { console, canAsk, isPerson }: UserSide,
): Promise<History | undefined> {
  const path = config["history-file"];
  if (path === undefined) return undefined;
  const notice = (text: string) => isPerson ? console.print(text) : printError(text);
  const { isNewHistory, openHistory } = await import("../history/history.ts");
  const ask = canAsk ? console.ask.bind(console) : undefined;
  const isNew = ask !== undefined && await isNewHistory(path);
  const passphrase = await readPassphrase(config, {
    env: readVariable,
    ask: isNew ? askTwice(ask, notice) : ask,
    warn: (text) => notice(`warning: ${text}`),
  });
  if (passphrase === undefined) {
    throw new ConfigError("Cannot keep a history: no passphrase was given", {
      hint: "CMDCHAT_HISTORY_PASSPHRASE or --history-passphrase-file FILE",
    });
  }
  return await openHistory(path, passphrase, { onNotice: notice });
}

/** Asks for a new secret twice: a typo would lock its file for ever. */
function askTwice(
  ask: ChatConsole["ask"],
  notice: (text: string) => void,
): ChatConsole["ask"] {
  return async (question, options) => {
    for (;;) {
      const first = await ask(question, options);
      if (first === undefined || first === "") return first;
      const second = await ask("The same again:", options);
      if (second === undefined || second === first) return second;
      notice("The two are not equal. Once more, please:");
    }
  };
}
