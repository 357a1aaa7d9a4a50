// Puts a chat together from its configuration, runs it, and takes it apart in order.

import { type CmdchatError, ConfigError } from "../../shared/base/errors.ts";
import { applyAppearance } from "../output/appearance.ts";
import { Chat } from "../chat/chat.ts";
import { type InputOptions, readPipe, readTerminal } from "./pipe_input.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { createCompleter } from "../commands/completer.ts";
import { tellStatus } from "../commands/screen_commands.ts";
import type { ClientConfig } from "../config/read_options.ts";
import { Dialer } from "../session/dialer.ts";
import { defaultDownloadFolder } from "../files/save_download.ts";
import { type EndSignal, printError, signalExitCode } from "../base/exit.ts";
import type { History } from "../history/history.ts";
import { KnownServers } from "../net/known_servers.ts";
import { Output, type OutputOptions } from "../output/output.ts";
import { readPassphrase, readToken } from "../config/read_secrets.ts";
import { createJsonRenderer } from "../render/json.ts";
import { createMinimalRenderer } from "../render/minimal.ts";
import { createRichRenderer } from "../render/rich.ts";
import type { NoteLevel, Renderer } from "../render/text.ts";
import { Settings } from "../config/chat_settings.ts";
import { ServerCheck } from "../net/server_check.ts";
import type { Tty } from "../console/console.ts";
import { detectColorDepth, Style } from "../terminal/style.ts";
import { readTlsSettings } from "../net/tls_trust.ts";
import { Transfers } from "../transfers/transfers.ts";
import { openUserSide, screenOf, type UserSide } from "./open_console.ts";

/** An environment variable; undefined where the program may not read it. */
export function readVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    // The executable may read only what it was compiled for; whoever asks for more does without.
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

const INSECURE_WARNING =
  "--tls-insecure: nobody checks the certificate. Whoever answers there gets to talk to you.";
const LEGACY_WARNING =
  "--legacy: the old protocol has no forward secrecy and cannot tell who the server is. " +
  "Without TLS, anybody in between can read and change everything.";

/** What a script's reader gets. */
export interface ScriptInput extends InputOptions {
  /** Whether standard input is a terminal, where somebody may not know that they are waited for. */
  readonly isTerminal: boolean;
  /** Standard input as it is, for a script that reads no lines. */
  readonly bytes: AsyncIterable<Uint8Array> | undefined;
}

/** A chat that a script has instead of a person. */
export interface Script {
  /** Drives the chat to its end; resolves with the first fault that was shown already, throws one that was not. */
  readonly read: (input: ScriptInput) => Promise<CmdchatError | undefined>;
  /** Makes the output over what a pipe would get. */
  readonly output: (options: OutputOptions) => Output;
  /** Whether it takes files. */
  readonly receives: boolean;
}

/**
 * Runs a chat to its end, for a person or a script, and gives the exit code. Throws what ended it, with the terminal
 * restored.
 */
export async function runChat(config: ClientConfig, script?: Script): Promise<number> {
  const { host, port, linkToken, fingerprint, "known-servers": knownPath } = config;
  const [ownToken, tls] = await Promise.all([
    readToken(config, { env: readVariable, warn: (text) => printError(`warning: ${text}`) }),
    readTlsSettings(config),
  ]);
  const token = ownToken ?? linkToken;
  if (config.linkShows) {
    printError(
      "warning: the link shows its secrets to everyone who can list this machine's processes; " +
        "better: CMDCHAT_LINK, or --link - and the link on standard input",
    );
  }
  let current: Chat | undefined;
  const ending = new EndOfProgram(() => current?.end());
  const home = readVariable("HOME") ?? readVariable("USERPROFILE");
  const settings = new Settings();
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
    address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    known: knownPath === undefined ? undefined : new KnownServers(knownPath),
    ...{ pinned: fingerprint !== undefined, tell },
    hasToken: (): boolean => dialer.hasToken,
    onChanged: () => current?.requests.refuseUnsent(),
  });
  const dialer: Dialer = new Dialer({
    endpoint: { host, port, tls },
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
      address: { host, port, tls: tls !== undefined, token },
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
    return await converse(chat, { side, downloads, ending, script });
  } finally {
    await side.console.close();
    await history?.close();
    ending.release();
  }
}

interface Conversation {
  readonly side: UserSide;
  readonly downloads: boolean;
  readonly ending: EndOfProgram;
  readonly script: Script | undefined;
}

async function converse(
  chat: Chat,
  { side, downloads, ending, script }: Conversation,
): Promise<number> {
  const read = script?.read ?? (side.isPerson ? readTerminal : readPipe);
  const { canAsk: isTerminal, bytes } = side;
  const input = read({ chat, downloads, clock: SYSTEM_CLOCK, isTerminal, bytes });
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
  const passphrase = await readPassphrase(config, {
    env: readVariable,
    ask: canAsk ? console.ask.bind(console) : undefined,
    warn: (text) => notice(`warning: ${text}`),
  });
  if (passphrase === undefined) {
    throw new ConfigError("Cannot keep a history: no passphrase was given", {
      hint: "CMDCHAT_HISTORY_PASSPHRASE or --history-passphrase-file FILE",
    });
  }
  const { openHistory } = await import("../history/history.ts");
  return await openHistory(path, passphrase, { onNotice: notice });
}

interface OutputParts {
  readonly side: UserSide;
  readonly style: Style;
  readonly history: History | undefined;
  readonly script: Script | undefined;
  readonly settings: Settings;
}

function createOutput(
  config: ClientConfig,
  { side, style, history, script, settings }: OutputParts,
): Output {
  const { console, tty, isPerson } = side;
  const screen = config.renderer === "json" ? undefined : screenOf(side);
  const renderer = createRenderer(rendererFor(config), { style, tty, settings });
  const print = (text: string) => console.print(text);
  const apart = !isPerson && config.renderer !== "json";
  const options: OutputOptions = {
    renderer,
    print,
    ...(apart ? { diagnose: printError, diagnosis: createMinimalRenderer() } : { diagnose: print }),
    history,
    bufferSize: config["buffer-size"],
    clock: SYSTEM_CLOCK,
    settings,
    ...(screen === undefined ? {} : { screen }),
  };
  return script?.output(options) ?? new Output(options);
}

/** Without times and numbers, which a screen reader would read out before every line. */
function rendererFor({ plain, renderer, sources }: ClientConfig): ClientConfig["renderer"] {
  return plain && !sources.has("renderer") ? "minimal" : renderer;
}

function createRenderer(
  name: ClientConfig["renderer"],
  { style, tty, settings }: Pick<OutputParts, "style" | "settings"> & { tty: Tty | undefined },
): Renderer {
  switch (name) {
    case "rich":
      return createRichRenderer({
        style,
        time: () => settings.get("time"),
        numbers: () => settings.get("numbers") === "on",
        links: () => tty !== undefined && settings.get("links") === "on",
        ...(tty === undefined ? {} : { columns: () => tty.columns }),
      });
    case "minimal":
      return createMinimalRenderer();
    case "json":
      return createJsonRenderer();
  }
}

/** Signals that end the program in order. */
class EndOfProgram {
  /** The signal that came, if one did. */
  signal: EndSignal | undefined;
  readonly #end: () => void;
  #removers: (() => void)[] = [];

  constructor(end: () => void) {
    this.#end = end;
  }

  /** Ends the chat because of a signal. A second one ends the process at once. */
  request(signal: EndSignal): void {
    if (this.signal !== undefined) Deno.exit(signalExitCode(signal));
    this.signal = signal;
    this.#end();
  }

  /** Takes the signals itself; a terminal in raw mode brings its own. */
  listen(): void {
    const signals: EndSignal[] = Deno.build.os === "windows"
      ? ["SIGINT"]
      : ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) {
      const handler = () => this.request(signal);
      Deno.addSignalListener(signal, handler);
      this.#removers.push(() => Deno.removeSignalListener(signal, handler));
    }
  }

  /** Gives the signals back. */
  release(): void {
    for (const remove of this.#removers.splice(0)) remove();
  }
}
