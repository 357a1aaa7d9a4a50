// Colours and weights as SGR sequences, as far as the terminal and its user want them.

/** How many colours may be used, from none to 24 bits. */
export type ColorDepth = "none" | "basic" | "indexed" | "true";

/** SGR parameters by name (ECMA-48 §8.3.117). */
export const SGR = {
  bold: "1",
  dim: "2",
  italic: "3",
  underline: "4",
  inverse: "7",
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  magenta: "35",
  cyan: "36",
  gray: "90",
} as const;

/** A name in the SGR table. */
export type SgrName = keyof typeof SGR;

const FORCED: Readonly<Record<string, ColorDepth>> = {
  "0": "none",
  "false": "none",
  "2": "indexed",
  "3": "true",
};

/** Colour depth from FORCE_COLOR, NO_COLOR (no-color.org), TERM and COLORTERM; FORCE_COLOR wins. */
export function detectColorDepth(
  getEnv: (name: string) => string | undefined,
  isTerminal: boolean,
): ColorDepth {
  const forced = getEnv("FORCE_COLOR");
  if (forced !== undefined) return FORCED[forced] ?? "basic";
  if (getEnv("NO_COLOR")) return "none";
  const term = getEnv("TERM") ?? "";
  if (!isTerminal || term === "dumb") return "none";
  if (/^(truecolor|24bit)$/i.test(getEnv("COLORTERM") ?? "")) return "true";
  return /256/.test(term) ? "indexed" : "basic";
}

/** Wraps text in SGR sequences, or leaves it as it is when the depth is "none". */
export class Style {
  readonly depth: ColorDepth;

  constructor(depth: ColorDepth) {
    this.depth = depth;
  }

  /** Text under the named attributes, reset at its end. */
  paint(text: string, ...names: SgrName[]): string {
    return this.#wrap(text, names.map((name) => SGR[name]).join(";"));
  }

  /** Text in one of the 256 colours; with fewer colours in one of the six that are not black, white or gray. */
  indexed(text: string, color: number): string {
    const basic = `${31 + color % 6}`;
    return this.#wrap(text, this.depth === "basic" ? basic : `38;5;${color}`);
  }

  #wrap(text: string, parameters: string): string {
    if (this.depth === "none" || text === "" || parameters === "") return text;
    return `\x1b[${parameters}m${text}\x1b[0m`;
  }
}
