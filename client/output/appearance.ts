// Applies the setting `theme`: the colors of everything that is painted from then on.

import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { ChatSettings } from "../config/chat_settings.ts";
import type { Rgb } from "../terminal/contrast.ts";
import type { Style } from "../terminal/style.ts";
import { hardToRead, parseTheme, type Theme, themeFor, THEMES } from "../terminal/theme.ts";
import { pathCandidates } from "../files/typed_path.ts";

const THEME_FILE_MAX = 65_536;

/** What a theme needs and changes. */
export interface AppearanceOptions {
  readonly settings: ChatSettings;
  readonly style: Style;
  /** Asks the terminal for its background; undefined without a terminal. */
  readonly background: (() => Promise<Rgb | undefined>) | undefined;
  readonly home: string | undefined;
  readonly warn: (text: string, hint?: string) => void;
  /** Called when the colors are others than before. */
  readonly changed: () => void;
}

/** Sets the style's theme from the settings, now and after each change. */
export function applyAppearance(options: AppearanceOptions): void {
  const { settings } = options;
  settings.onChange("theme", (value) => setTheme(value, options));
  setTheme(settings.get("theme"), options);
}

function setTheme(value: string, options: AppearanceOptions): void {
  const { style } = options;
  const name = value.toLowerCase();
  if (name === "auto") return void followTerminal(options);
  if (isThemeName(name)) style.theme = THEMES[name];
  else {
    const theme = readTheme(value, options.home);
    const hard = hardToRead(theme);
    if (hard.length > 0) {
      options.warn(
        `Hard to read on the theme's background: ${hard.join(", ")}`,
        "choose colors with a contrast of 4.5 or more",
      );
    }
    style.theme = theme;
  }
  options.changed();
}

/** Dark until the terminal answers, and if it does not: most terminals are. */
async function followTerminal(options: AppearanceOptions): Promise<void> {
  const { style, settings, background, changed } = options;
  style.theme = THEMES.dark;
  changed();
  const color = await background?.();
  const isStillAuto = settings.get("theme").toLowerCase() === "auto";
  if (color === undefined || !isStillAuto) return;
  style.theme = THEMES[themeFor(color)];
  changed();
}

function isThemeName(name: string): name is keyof typeof THEMES {
  return Object.hasOwn(THEMES, name);
}

function readTheme(typed: string, home: string | undefined): Theme {
  const paths = pathCandidates(typed, { home, windows: Deno.build.os === "windows" });
  for (const path of paths) {
    try {
      if (Deno.statSync(path).size > THEME_FILE_MAX) {
        throw new ConfigError(`Cannot use the theme ${quote(typed)}: it is not a theme file`);
      }
      return parseTheme(Deno.readTextFileSync(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      if (error instanceof ConfigError) throw error;
      throw new ConfigError(`Cannot use the theme ${quote(typed)}: it cannot be read`, {
        cause: error,
      });
    }
  }
  throw new UsageError(`Cannot use the theme ${quote(typed)}: there is no such theme or file`, {
    hint: `themes are auto, ${Object.keys(THEMES).join(", ")}`,
  });
}
