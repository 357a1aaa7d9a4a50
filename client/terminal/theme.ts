// Colors by role. Each is chosen against the theme's background, which is the hardest of its kind to read on: a
// color that is readable there is readable on every darker (or lighter) background.

import { ConfigError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { contrast, CONTRAST_MIN, parseHexColor, type Rgb, rgbOfIndex } from "./contrast.ts";

/** One of the colors 16 to 255, or an RGB color. */
export type Color = number | Rgb;

/** The roles of colors. */
export const ROLES = ["faint", "good", "info", "warning", "error", "code", "direct"] as const;
/** One of ROLES. */
export type Role = typeof ROLES[number];

/** Which color each role and each name has. */
export interface Theme {
  /** The background that the colors were chosen for; undefined where there are no colors. */
  readonly background: Rgb | undefined;
  readonly roles: Readonly<Record<Role, Color>> | undefined;
  /** Colors for names; a name always gets the same one. Empty: names are bold. */
  readonly names: readonly Color[];
}

/** The built-in themes by name. */
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

/** Name of a built-in theme. */
export type ThemeName = keyof typeof THEMES;

/** The built-in theme that is most readable on a background. */
export function themeFor(background: Rgb): ThemeName {
  const least = (name: "dark" | "light") =>
    Math.min(...THEMES[name].names.map((color) => contrast(rgbOf(color), background)));
  return least("light") > least("dark") ? "light" : "dark";
}

/** Red, green and blue of a color. */
export function rgbOf(color: Color): Rgb {
  return typeof color === "number" ? rgbOfIndex(color) : color;
}

/**
 * A user's theme: lines `role = #rrggbb`, `names = #rrggbb #rrggbb …`, `background = #rrggbb`. Missing lines come
 * from the built-in theme for that background. Throws ConfigError.
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

/** Roles, and numbers of name colors, with too little contrast to the theme's own background. */
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
    hint: `a line is ${
      ["background", ...ROLES].join(", ")
    } = #rrggbb, or names = #rrggbb #rrggbb …`,
  });
}
