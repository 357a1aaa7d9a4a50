// Puts a chat together from its configuration, runs it, and takes it apart in order.

import { ConfigError } from "../../shared/base/errors.ts";
import { type AppearanceOptions, applyAppearance } from "../output/appearance.ts";
import { Chat } from "../chat/chat.ts";
import { readPipe } from "./pipe_input.ts";
import { readTerminal } from "./terminal_input.ts";
import type { Script } from "./script.ts";
import { FILE_ANSWER_MS } from "../base/limits.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { readKeys } from "../editing/key_bindings.ts";
import { SlashAliases } from "../commands/aliases.ts";
import type { Setting } from "../../shared/cli/command_line.ts";
import { createCompleter } from "../commands/completer.ts";
import { tellStatus } from "../commands/screen_commands.ts";
import type { ClientConfig } from "../config/read_options.ts";
import { defaultDownloadFolder, tryDownloadFolder } from "../files/save_download.ts";
import { printError, signalExitCode } from "../base/exit.ts";
import type { History } from "../history/history.ts";
import type { Output } from "../output/output.ts";
import { readPassphrase } from "../config/read_secrets.ts";
import { ChatSettings } from "../config/chat_settings.ts";
import { parseColorFgBg } from "../terminal/contrast.ts";
import { detectColorDepth, Style } from "../terminal/style.ts";
import { completePath } from "../files/path_completion.ts";
import { localDisk } from "../transfers/local_disk.ts";
import { Transfers } from "../transfers/transfers.ts";
import { openUserSide, type UserSide } from "./open_console.ts";
import { readVariable } from "../../shared/cli/environment.ts";
import { chooseName } from "./choose_name.ts";
import { openPeople } from "./open_people.ts";
import type { OwnPeople } from "../people/own_people.ts";
import { createOutput } from "./create_output.ts";
import { QuitQuestion } from "./quit_question.ts";
import { EndSignals } from "./end_signals.ts";
import type { ChatConsole } from "../console/console.ts";
import { Connector, readAccess } from "./connector.ts";

const LINK_WARNING =
  "warning: the link shows its secrets to everyone who can list this machine's processes; " +
  "better: CMDCHAT_LINK, or - in place of the link, which then asks for it";

/** How long the connection waits for the first paint at most. */
const PAINT_PATIENCE_MS = 100;

/** What callbacks of the terminal reach while a chat is put together. */
interface Running {
  chat: Chat | undefined;
  output: Output | undefined;
}

/** What a chat is put together from. */
interface Parts {
  readonly config: ClientConfig;
  readonly aliases: SlashAliases;
  readonly keys: ReadonlyMap<string, string>;
  readonly script: Script | undefined;
  readonly running: Running;
  readonly settings: ChatSettings;
  readonly home: string | undefined;
  readonly ending: EndSignals;
}

/**
 * Runs a chat to its end, for a person or a script, and gives the exit code. Throws what ended it, with the terminal
 * restored.
 */
export async function runChat(
  config: ClientConfig,
  script?: Script,
  { hostsServer = false, aliases: table, keys: keyTable }: ChatSurroundings = {},
): Promise<number> {
  const access = await readAccess(config);
  if (config.linkShows) printError(LINK_WARNING);
  const running: Running = { chat: undefined, output: undefined };
  const aliases = new SlashAliases(table);
  const parts: Parts = {
    config,
    aliases,
    keys: readKeys(keyTable ?? new Map()),
    script,
    running,
    settings: new ChatSettings(),
    home: readVariable("HOME") ?? readVariable("USERPROFILE"),
    ending: new EndSignals(() => {
      running.chat?.end();
      return running.chat !== undefined;
    }),
  };
  const side = openSide(parts);
  const connector = new Connector(config, access, {
    tell: (level, text, hint) => running.output?.note(level, text, hint),
    askToken: side.canAsk ? () => side.console.ask("Token:", { hidden: true }) : undefined,
    shown: () => whenPainted(side),
  });
  let history: History | undefined;
  try {
    const name = await chooseName(config, side);
    if (typeof name !== "string") return name.exitCode;
    history = await openConfiguredHistory(config, side);
    const downloads = takesFiles(parts, side);
    const folder = config["download-dir"];
    // One that nobody named may be unusable: most chats receive no file.
    if (downloads && folder !== undefined) await tryDownloadFolder(folder);
    const people = await openPeople(config, side);
    const writes = downloads || history !== undefined || config["known-servers"] !== undefined ||
      people.known.path !== undefined;
    if (!writes) await Deno.permissions.revoke({ name: "write" });
    const chat = createChat(parts, { side, connector, history, downloads, name, people });
    const { ending, keys } = parts;
    const question = new QuitQuestion(chat, hostsServer);
    return await converse(chat, { side, downloads, ending, script, question, aliases, keys });
  } finally {
    side.title?.set(undefined);
    try {
      await side.console.close();
    } finally {
      await history?.close();
      parts.ending.release();
    }
  }
}

/** Resolves when the terminal has what was to be painted by now: the first paint waits for a turn of the event loop. */
async function whenPainted({ tty }: UserSide): Promise<void> {
  if (tty === undefined) return;
  await SYSTEM_CLOCK.wait(0);
  // A terminal that takes nothing is no reason not to connect.
  const painted = new AbortController();
  const late = SYSTEM_CLOCK.wait(PAINT_PATIENCE_MS, painted.signal);
  await Promise.race([tty.flush().catch(() => {}), late]);
  painted.abort();
}

/** What the program that runs a chat tells of itself. */
export interface ChatSurroundings {
  /** Whether the server ends with this process (`deno task chat`). */
  readonly hostsServer?: boolean;
  /** `[alias]` of the settings file. */
  readonly aliases?: ReadonlyMap<string, Setting> | undefined;
  /** `[keys]` of it. */
  readonly keys?: ReadonlyMap<string, Setting> | undefined;
}

/** Takes the terminal, or the streams; what happens there reaches the chat as soon as there is one. */
function openSide(parts: Parts): UserSide {
  const { config, script, running, settings, home, ending, aliases } = parts;
  const side = openUserSide({
    env: readVariable,
    keys: parts.keys,
    settings,
    home,
    plain: config.plain,
    isScript: script !== undefined,
    complete: createCompleter(() => running.chat, {
      paths: (typed) => completePath(typed, home),
      aliases: aliases.names,
    }),
    entered: (text) => running.chat?.entered(text),
    resized: () => running.output?.resized(),
    lookBack: () => running.output?.lookBack(running.chat?.rooms.current?.title),
    onTerminate: (signal) => ending.request(signal),
  });
  if (!side.ownsSignals) ending.listen();
  return side;
}

function takesFiles({ config, script }: Parts, { isPerson }: UserSide): boolean {
  return script?.receives ?? (!config["no-downloads"] && (isPerson || config["accept-files"]));
}

/** What a chat has of the outside. */
interface ChatParts {
  readonly side: UserSide;
  readonly connector: Connector;
  readonly history: History | undefined;
  readonly downloads: boolean;
  readonly name: string;
  readonly people: OwnPeople;
}

/** Asks the terminal; one that gives no answer, such as an older tmux, may have it from the one outside of it. */
function backgroundOf({ background }: UserSide): AppearanceOptions["background"] {
  if (background === undefined) return undefined;
  return async () => await background() ?? parseColorFgBg(readVariable("COLORFGBG"));
}

function createChat(
  parts: Parts,
  { side, connector, history, downloads, name, people }: ChatParts,
): Chat {
  const { config, script, running, settings, home } = parts;
  const style = new Style(detectColorDepth(readVariable, side.tty !== undefined));
  const output = running.output = createOutput(config, { side, style, history, script, settings });
  applyAppearance({
    settings,
    style,
    home,
    background: backgroundOf(side),
    warn: (text, hint) => output.note("warning", text, hint),
    changed: () => running.chat?.refreshStatus(),
  });
  // The new value counts only after this.
  settings.onChange("title", () => queueMicrotask(() => running.chat?.refreshStatus()));
  if (config.set !== undefined) settings.setAll(config.set);
  return running.chat = new Chat({
    place: { name, room: config.room },
    secret: config.linkSecret,
    alarms: side.isPerson ? "hold" : config["allow-changed-keys"] ? "pass" : "stop",
    people,
    address: connector.address,
    dial: (place, signal) => connector.dial(place, signal),
    move: (place, move) => connector.move(place, move),
    isProven: () => connector.isProven,
    isCompared: () => connector.isCompared,
    isUnverified: () => connector.isUnverified,
    remember: (server) => connector.remember(server),
    trust: side.isPerson ? (server) => connector.trust(server) : undefined,
    console: side.console,
    output,
    style,
    clock: SYSTEM_CLOCK,
    quiet: config["quiet-reconnect"],
    tellsSilence: side.tty === undefined,
    transfers: (host) =>
      new Transfers({
        ...host,
        disk: localDisk({
          folder: downloads ? config["download-dir"] ?? defaultDownloadFolder(home) : undefined,
          home,
        }),
        acceptAll: config["accept-files"],
        answerMs: script === undefined ? FILE_ANSWER_MS.person : FILE_ANSWER_MS.script,
      }),
  });
}

interface Conversation {
  readonly side: UserSide;
  readonly downloads: boolean;
  readonly ending: EndSignals;
  readonly script: Script | undefined;
  readonly question: QuitQuestion;
  readonly aliases: SlashAliases;
  readonly keys: ReadonlyMap<string, string>;
}

async function converse(
  chat: Chat,
  { side, ending, script, ...rest }: Conversation,
): Promise<number> {
  const read = script?.read ?? (side.isPerson ? readTerminal : readPipe);
  const { canAsk: isTerminal, bytes } = side;
  const input = read({ ...rest, chat, clock: SYSTEM_CLOCK, isTerminal, bytes });
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
    side.title?.set(undefined);
    await side.console.close();
  }
  const fault = await input;
  return ending.signal === undefined ? fault?.exitCode ?? 0 : signalExitCode(ending.signal);
}

function tellNewcomer(chat: Chat, { tty }: UserSide): void {
  // Without a status line the chat says once by itself who can read.
  if (tty === undefined) tellStatus(chat);
  const completes = tty === undefined ? "" : "; Tab completes them";
  chat.output.answer(`/help lists the commands${completes}.`);
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

/** Asks for a new secret twice: a typo would lock its file forever. */
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
      notice("The passphrases differ. Type them again:");
    }
  };
}
