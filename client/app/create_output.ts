// Builds what shows the chat: the renderer, the settings of the screen, and the output.

import { printError } from "../base/exit.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import { ChatSettings } from "../config/chat_settings.ts";
import type { ClientConfig } from "../config/read_options.ts";
import type { History } from "../history/history.ts";
import { createMinimalRenderer } from "../render/minimal.ts";
import { Output, type OutputOptions } from "../output/output.ts";
import { Style } from "../terminal/style.ts";
import { screenOf, type UserSide } from "./open_console.ts";
import type { Script } from "./script.ts";
import { columnsOf } from "../terminal/tty.ts";
import type { Tty } from "../terminal/terminal.ts";
import { createJsonRenderer } from "../render/json.ts";
import { createRichRenderer } from "../render/rich.ts";
import { paint } from "../render/paint.ts";
import { plainText, type RenderedLine } from "../render/shown.ts";
import type { Renderer } from "../render/text.ts";

interface OutputParts {
  readonly side: UserSide;
  readonly style: Style;
  readonly history: History | undefined;
  readonly script: Script | undefined;
  readonly settings: ChatSettings;
}

/** The output of a chat: its renderer, what the settings say of the screen, and the history. */
export function createOutput(
  config: ClientConfig,
  { side, style: colors, history, script, settings }: OutputParts,
): Output {
  const { console, tty, isPerson } = side;
  const style = rendererFor(config) === "rich" ? colors : new Style("none");
  const blocks = style.depth !== "none";
  const renderer = createRenderer(rendererFor(config), { tty, settings, blocks });
  const screen = config.renderer === "json" ? undefined : screenOf(side, style);
  const links = () => tty !== undefined && settings.get("links") === "on";
  const print = (shown: RenderedLine) => console.print(paint(shown, { style, links }));
  const apart = !isPerson && config.renderer !== "json";
  const options: OutputOptions = {
    renderer,
    print,
    ...(apart
      ? {
        diagnose: (shown: RenderedLine) => printError(plainText(shown)),
        diagnosis: createMinimalRenderer({ columns: () => columnsOf("stderr") }),
      }
      : { diagnose: print }),
    history,
    bufferSize: config["buffer-size"],
    clock: SYSTEM_CLOCK,
    settings,
    ...(screen === undefined ? {} : { screen }),
  };
  return script?.output(options) ?? new Output(options);
}

/** Without what a screen reader would read out before every line. */
export function rendererFor({ plain, renderer, sources }: ClientConfig): ClientConfig["renderer"] {
  return plain && !sources.has("renderer") ? "minimal" : renderer;
}

function createRenderer(
  name: ClientConfig["renderer"],
  { tty, settings, blocks }:
    & Pick<OutputParts, "settings">
    & { readonly tty: Tty | undefined; readonly blocks: boolean },
): Renderer {
  const columns = () => tty?.columns ?? columnsOf("stdout");
  switch (name) {
    case "rich":
      return createRichRenderer({
        time: () => settings.get("time"),
        numbers: () => settings.get("numbers") !== "off",
        markup: () => settings.get("markup") === "on",
        blocks,
        columns,
      });
    case "minimal":
      return createMinimalRenderer({ columns, numbers: () => settings.get("numbers") });
    case "json":
      return createJsonRenderer();
  }
}
