// Colors and weights as SGR sequences, within what the terminal and its user allow.

import { nearestIndex } from "./contrast.ts";
import { type Color, rgbOf, type Role, type Theme, THEMES } from "./theme.ts";

/** How text may be styled: not at all, by weights alone, or with so many colors, up to 24-bit. */
export type ColorDepth = "none" | "weights" | "basic" | "indexed" | "true";

/** SGR parameters of weights (ECMA-48 §8.3.117). */
const WEIGHTS = { bold: "1", dim: "2", italic: "3", underline: "4", inverse: "7" } as const;

/** The same roles in the terminal's own 16 colors, for a terminal that has no more. */
const BASIC: Readonly<Record<Role, string>> = {
  faint: "90",
  good: "32",
  info: "36",
  warning: "33",
  error: "31",
  code: "36",
  direct: "35",
};
const BASIC_NAMES = ["32", "33", "34", "35", "36", "92", "94", "95", "96"];

/** What text may look like: a role, which has a color, or a weight. */
export type Look = Role | keyof typeof WEIGHTS;

const FORCED: Readonly<Record<string, ColorDepth>> = {
  "0": "none",
  "false": "none",
  "2": "indexed",
  "3": "true",
};

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
  if (getEnv("NO_COLOR")) return "weights";
  if (/^(truecolor|24bit)$/i.test(getEnv("COLORTERM") ?? "")) return "true";
  return /256/.test(term) ? "indexed" : "basic";
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
      return this.#wrap(text, [BASIC_NAMES[number % BASIC_NAMES.length] ?? ""]);
    }
    return this.#wrap(text, [this.#colored(names[number % names.length] ?? 0)]);
  }

  #parametersOf(look: Look): string {
    if (look in WEIGHTS) return WEIGHTS[look as keyof typeof WEIGHTS];
    const { roles } = this.theme;
    if (roles === undefined || this.depth === "weights") return look === "faint" ? WEIGHTS.dim : "";
    const role = look as Role;
    return this.depth === "basic" ? BASIC[role] : this.#colored(roles[role]);
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
