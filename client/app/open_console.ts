// The user's side of a chat: a terminal with a prompt, a terminal with plain lines, or pipes.

import { droppedFile } from "../files/dropped_file.ts";
import type { OutputScreen } from "../output/output.ts";
import type { ChatSettings } from "../config/chat_settings.ts";
import type { ChatConsole } from "../console/console.ts";
import type { Completer } from "../editing/completion.ts";
import type { Tty } from "../terminal/terminal.ts";
import type { Rgb } from "../terminal/contrast.ts";
import { editText } from "../console/external_editor.ts";
import { LineConsole } from "../console/line_console.ts";
import { PlainPrompt } from "../console/plain_prompt.ts";
import type { LookBackSource } from "../console/look_back.ts";
import { Prompt } from "../console/prompt.ts";
import { paint, paintedRows } from "../render/paint.ts";
import type { Style } from "../terminal/style.ts";
import { WindowTitle } from "../terminal/window_title.ts";
import {
  detectReflow,
  type ExitSignal,
  hasKeyboard,
  isDumbTerminal,
  isInteractive,
  openLineIo,
  openPlainTty,
  openTty,
} from "../terminal/tty.ts";

/** Where lines come from and where text goes. */
export interface UserSide {
  readonly console: ChatConsole;
  /** undefined where no row is ever painted twice. */
  readonly tty: Tty | undefined;
  /** The title of the terminal's window; absent where nothing but lines is written. */
  readonly title?: WindowTitle;
  /** Whether it takes the signals of the system itself, and passes on those that end the program. */
  readonly ownsSignals: boolean;
  /** Whether a person reads and writes; a pipe or a script otherwise. */
  readonly isPerson: boolean;
  /** Whether somebody can be asked. */
  readonly canAsk: boolean;
  /** Standard input as it is, for who reads no lines; undefined where it is a terminal with a prompt. */
  readonly bytes: AsyncIterable<Uint8Array> | undefined;
  /** Asks the terminal for its background; undefined where there is none to ask. */
  readonly background: (() => Promise<Rgb | undefined>) | undefined;
}

/** What the side is opened for. */
export interface UserSideOptions {
  readonly env: (name: string) => string | undefined;
  readonly complete: Completer;
  /** Called with the input line whenever the user adds to it. */
  readonly entered: (text: string) => void;
  /** Told of each change of the terminal's size. */
  readonly resized: () => void;
  /** What the user may look back at. */
  readonly lookBack: () => LookBackSource | undefined;
  /** Keys of the user's own. */
  readonly keys: ReadonlyMap<string, string>;
  readonly settings: ChatSettings;
  readonly home: string | undefined;
  /** `--plain`: line after line, the cursor never moved; what a terminal gets that cannot do more. */
  readonly plain: boolean;
  readonly isScript: boolean;
  /** A signal came, and the terminal has been given back. */
  readonly onTerminate: (signal: ExitSignal) => void;
}

/** Takes the terminal, or the streams that are there instead. */
export function openUserSide(options: UserSideOptions): UserSide {
  const { env, isScript } = options;
  const plain = options.plain || isDumbTerminal(env);
  if (!plain && !isScript && isInteractive(env)) return openPrompt(options);
  if (plain && !isScript && hasKeyboard()) return openPlainPrompt(options);
  const io = openLineIo();
  return {
    console: new LineConsole(io),
    tty: undefined,
    ownsSignals: false,
    isPerson: false,
    canAsk: io.setEcho !== undefined,
    background: undefined,
    bytes: io.input,
  };
}

/** The screen of a side that has one. */
export function screenOf(
  { console, tty, title }: UserSide,
  style: Style,
): OutputScreen | undefined {
  return tty && {
    setLive: (lines) => console.setLive(lines.flatMap((line) => paintedRows(line, { style }))),
    alert: (alert) => console.alert(alert),
    columns: () => tty.columns,
    paint: (line) => paint(line, { style }),
    title: (text) => title?.set(text),
  };
}

function openPrompt(options: UserSideOptions): UserSide {
  const { env, complete, entered, resized, settings, home, onTerminate, lookBack } = options;
  const tty = openTty({ onTerminate });
  const console = Prompt.open(tty, {
    complete,
    entered,
    resized,
    reflow: detectReflow(env),
    asksWidths: true,
    keys: options.keys,
    vi: () => settings.get("keys") === "vi",
    lookBack,
    edit: (text) => editText(text, env),
    pasted: (text) => droppedFile(text, home),
    pasteLines: () => settings.count("paste"),
  });
  const background = () => console.background();
  const person = { ownsSignals: true, isPerson: true, canAsk: true } as const;
  const title = new WindowTitle((text) => tty.write(text));
  return { ...person, console, tty, title, background, bytes: undefined };
}

function openPlainPrompt(options: UserSideOptions): UserSide {
  const { env, entered, settings, onTerminate, keys } = options;
  const brackets = env("TERM") !== "dumb";
  const { tty, redirected } = openPlainTty({ onTerminate, brackets });
  const console = PlainPrompt.open(tty, {
    brackets,
    keys,
    redirected,
    entered,
    pasteLines: () => settings.count("paste"),
  });
  const person = { ownsSignals: true, isPerson: true, canAsk: true } as const;
  return { ...person, console, tty: undefined, background: undefined, bytes: undefined };
}
