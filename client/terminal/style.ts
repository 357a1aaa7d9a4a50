// Colors and weights as SGR sequences, within what the terminal and its user allow.

import { brightness, nearestIndex } from "./contrast.ts";
import { type Color, rgbOf, type Role, type Theme, THEMES } from "./theme.ts";

/** How text may be styled: not at all, by weights alone, or with so many colors, up to 24-bit. */
export type ColorDepth = "none" | "weights" | "basic" | "indexed" | "true";

/** SGR parameters of weights (ECMA-48 §8.3.117). */
const WEIGHTS = { bold: "1", dim: "2", italic: "3", underline: "4", inverse: "7" } as const;

/**
 * The same in the terminal's own 16 colors, for a terminal that has no more. Its user chooses them, so these are those
 * that the palettes in wide use make readable: on black only bright ones, on white only dark ones. What is faint is as
 * the text: a bright black is hard to read, or the background itself.
 */
const BASIC = {
  dark: {
    roles: {
      faint: "",
      good: "32",
      info: "36",
      warning: "93",
      error: "91",
      code: "36",
      direct: "95",
    },
    names: ["32", "36", "92", "93", "95", "96"],
  },
  light: {
    roles: {
      faint: "",
      good: "34",
      info: "34",
      warning: "35",
      error: "31",
      code: "35",
      direct: "35",
    },
    names: ["31", "34", "35"],
  },
} as const satisfies Record<string, { roles: Record<Role, string>; names: readonly string[] }>;

/** What text may look like: a role, which has a color, or a weight. */
export type Look = Role | keyof typeof WEIGHTS;

const FORCED: Readonly<Record<string, ColorDepth>> = {
  "0": "none",
  "false": "none",
  "2": "indexed",
  "3": "true",
};

// Their names do not say how many; a login on another machine brings TERM along, and not COLORTERM.
const MANY_COLORS = /256|direct|alacritty|contour|foot|ghostty|kitty|wezterm/;

/** Color depth from FORCE_COLOR, NO_COLOR (no-color.org), TERM and COLORTERM; FORCE_COLOR wins. */
export function detectColorDepth(
  getEnv: (name: string) => string | undefined,
  isTerminal: boolean,
): ColorDepth {
  const forced = getEnv("FORCE_COLOR");
  if (forced !== undefined) return FORCED[forced] ?? "basic";
  const term = getEnv("TERM") ?? "";
  if (!isTerminal || term === "dumb") return "none";
  // It asks for no color; bold and reverse are none.
  if (getEnv("NO_COLOR") || /^vt\d|-m(?:ono)?$/.test(term)) return "weights";
  if (/^(truecolor|24bit)$/i.test(getEnv("COLORTERM") ?? "")) return "true";
  return MANY_COLORS.test(term) ? "indexed" : "basic";
}

// deno-lint-ignore no-control-regex -- what Style writes
const SGR = /\x1b\[[\d;]*m/g;

/** Painted text without its looks. */
export function withoutLooks(painted: string): string {
  return painted.replace(SGR, "");
}

/** Wraps text in SGR sequences, or leaves it unchanged at depth "none". */
export class Style {
  readonly depth: ColorDepth;
  /** The theme of everything painted from now on. */
  theme: Theme;

  constructor(depth: ColorDepth, theme: Theme = THEMES.dark) {
    this.depth = depth;
    this.theme = theme;
  }

  /** Text in these looks, reset at its end. */
  paint(text: string, ...looks: Look[]): string {
    return this.#wrap(text, looks.map((look) => this.#parametersOf(look)));
  }

  /** Text in one of the colors for names, chosen by a number such as a hash; bold in a theme without colors. */
  name(text: string, number: number): string {
    const { names } = this.theme;
    if (names.length === 0 || this.depth === "weights") return this.paint(text, "bold");
    if (this.depth === "basic") {
      const { names } = this.#basic;
      return this.#wrap(text, [names[number % names.length] ?? ""]);
    }
    return this.#wrap(text, [this.#colored(names[number % names.length] ?? 0)]);
  }

  #parametersOf(look: Look): string {
    if (look in WEIGHTS) return WEIGHTS[look as keyof typeof WEIGHTS];
    const { roles } = this.theme;
    const role = look as Role;
    if (roles === undefined || this.depth === "weights") {
      return role === "faint" && this.depth !== "basic" ? WEIGHTS.dim : "";
    }
    return this.depth === "basic" ? this.#basic.roles[role] : this.#colored(roles[role]);
  }

  get #basic(): typeof BASIC["dark" | "light"] {
    const { background } = this.theme;
    return BASIC[background === undefined ? "dark" : brightness(background)];
  }

  #colored(color: Color): string {
    if (typeof color === "number") return `38;5;${color}`;
    if (this.depth === "true") return `38;2;${rgbOf(color).join(";")}`;
    return `38;5;${nearestIndex(color)}`;
  }

  #wrap(text: string, parameters: readonly string[]): string {
    const wanted = parameters.filter((parameter) => parameter !== "").join(";");
    if (this.depth === "none" || text === "" || wanted === "") return text;
    return `\x1b[${wanted}m${text}\x1b[0m`;
  }
}
