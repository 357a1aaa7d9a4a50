// Colours by what they mean. Each is chosen against the theme's background, the one of its kind that is hardest
// to read on: what can be read there can be read on every darker (or lighter) one.

import { ConfigError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { contrast, CONTRAST_MIN, parseHexColor, type Rgb, rgbOfIndex } from "./contrast.ts";

/** One of the colours 16 to 255, or one by its parts. */
export type Color = number | Rgb;

/** What colours mean. */
export const ROLES = ["faint", "good", "info", "warning", "error", "code", "direct"] as const;
/** One of ROLES. */
export type Role = typeof ROLES[number];

/** What is painted how. */
export interface Theme {
  /** The background that the colours were chosen for; undefined where there are no colours. */
  readonly background: Rgb | undefined;
  readonly roles: Readonly<Record<Role, Color>> | undefined;
  /** Colours of names; a name always gets the same. None: names are bold. */
  readonly names: readonly Color[];
}

/** Themes by name. */
export const THEMES = {
  dark: {
    // Nord's, the lightest background of the dark schemes in wide use.
    background: [0x2e, 0x34, 0x40],
    roles: { faint: 248, good: 114, info: 80, warning: 214, error: 210, code: 180, direct: 183 },
    // deno-fmt-ignore
    names: [209, 179, 148, 112, 78, 79, 116, 45, 39, 75, 110, 111, 147, 141, 177, 213, 206, 212, 175, 218],
  },
  light: {
    background: [0xee, 0xee, 0xee],
    roles: { faint: 240, good: 22, info: 24, warning: 94, error: 124, code: 89, direct: 55 },
    names: [23, 25, 26, 19, 61, 57, 93, 91, 127, 128, 53, 90, 126, 125, 58],
  },
  mono: { background: undefined, roles: undefined, names: [] },
} as const satisfies Readonly<Record<string, Theme>>;

/** Name of a theme of the program's. */
export type ThemeName = keyof typeof THEMES;

/** The theme of the program's that can be read best on a background. */
export function themeFor(background: Rgb): ThemeName {
  const least = (name: "dark" | "light") =>
    Math.min(...THEMES[name].names.map((color) => contrast(rgbOf(color), background)));
  return least("light") > least("dark") ? "light" : "dark";
}

/** A colour's parts. */
export function rgbOf(color: Color): Rgb {
  return typeof color === "number" ? rgbOfIndex(color) : color;
}

/**
 * A theme of the user's: lines `role = #rrggbb`, `names = #rrggbb #rrggbb …`, `background = #rrggbb`; what is
 * missing is taken from the program's theme for that background. Throws ConfigError.
 */
export function parseTheme(text: string): Theme {
  const rows = new Map(text.split("\n").flatMap(parseRow));
  const background = rows.get("background")?.[0] ?? THEMES.dark.background;
  const base = THEMES[themeFor(background)] as Theme;
  const roles = ROLES.map((role) => [role, rows.get(role)?.[0] ?? base.roles?.[role]] as const);
  return {
    background,
    roles: Object.fromEntries(roles) as Record<Role, Color>,
    names: rows.get("names") ?? base.names,
  };
}

/** Roles and numbers of names' colours that cannot be read well on the theme's own background. */
export function hardToRead({ background, roles, names }: Theme): readonly string[] {
  if (background === undefined || roles === undefined) return [];
  const isHard = (color: Color) => contrast(rgbOf(color), background) < CONTRAST_MIN;
  return [
    ...ROLES.filter((role) => isHard(roles[role])),
    ...names.flatMap((color, index) => isHard(color) ? [`names, number ${index + 1}`] : []),
  ];
}

function parseRow(line: string, index: number): readonly (readonly [string, readonly Rgb[]])[] {
  const row = line.replace(/(^|\s)#(?![\da-f]{6}\b).*$/i, "").trim();
  if (row === "") return [];
  const [key = "", values = ""] = row.split(/\s*=\s*/, 2);
  const words = values.split(/[\s,]+/).filter((word) => word !== "");
  const colors = words.map((word) => parseHexColor(word.replaceAll(/["']/g, "")));
  const known = [...ROLES, "names", "background"].includes(key);
  const [first, second] = colors;
  if (!known || first === undefined || (second !== undefined && key !== "names")) {
    throw badRow(row, index);
  }
  if (colors.includes(undefined)) throw badRow(row, index);
  return [[key, colors as Rgb[]]];
}

function badRow(row: string, index: number): ConfigError {
  return new ConfigError(`Cannot use line ${index + 1} of the theme, ${quote(row)}`, {
    hint: `wanted: ${["background", ...ROLES].join(", ")} = #rrggbb, or names = #rrggbb #rrggbb …`,
  });
}
