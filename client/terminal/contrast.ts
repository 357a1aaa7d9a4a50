// Colors as numbers, and how well one can be read on another (WCAG 2.2, "contrast ratio").

/** Red, green and blue, each 0 to 255. */
export type Rgb = readonly [number, number, number];

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

/** The least contrast of text with its background that WCAG 2.2 calls enough (success criterion 1.4.3). */
export const CONTRAST_MIN = 4.5;

// xterm's 6 × 6 × 6 cube and its 24 grays; each user chooses the 16 colors below them.
const CUBE_STEPS = [0, 95, 135, 175, 215, 255] as const;
const CUBE_START = 16;
const GRAYS_START = 232;

/** Red, green and blue of one of the colors 16 to 255, equal in every terminal. */
export function rgbOfIndex(index: number): Rgb {
  if (index >= GRAYS_START) {
    const gray = 8 + 10 * (index - GRAYS_START);
    return [gray, gray, gray];
  }
  const cell = index - CUBE_START;
  const step = (at: number): number => CUBE_STEPS[at % 6] ?? 0;
  return [step(Math.floor(cell / 36)), step(Math.floor(cell / 6)), step(cell)];
}

/** The color of 16 to 255 that is nearest in RGB space. */
export function nearestIndex(color: Rgb): number {
  let [best, least] = [CUBE_START, Infinity];
  for (let index = CUBE_START; index < 256; index++) {
    const far = rgbOfIndex(index).reduce((sum, part, at) => sum + (part - color[at as 0]) ** 2, 0);
    if (far < least) [best, least] = [index, far];
  }
  return best;
}

/** `#rrggbb` as a color; undefined for any other text. */
export function parseHexColor(text: string): Rgb | undefined {
  const [, red, green, blue] = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text) ?? [];
  if (red === undefined || green === undefined || blue === undefined) return undefined;
  return [parseInt(red, 16), parseInt(green, 16), parseInt(blue, 16)];
}

/** Contrast ratio of two colors, 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** Whether black or white text is harder to read on it. */
export function brightness(background: Rgb): "dark" | "light" {
  return contrast(background, WHITE) > contrast(background, BLACK) ? "dark" : "light";
}

/**
 * The background that a terminal names in COLORFGBG, as rxvt, Konsole and iTerm2 do: `15;0`, `0;default;15`. Undefined
 * where it says no color.
 */
export function parseColorFgBg(text: string | undefined): Rgb | undefined {
  const [, index] = /;(\d{1,2})$/.exec(text ?? "") ?? [];
  if (index === undefined) return undefined;
  // White, and the bright colors but for gray.
  return Number(index) === 7 || Number(index) > 8 ? WHITE : BLACK;
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The color in a terminal's answer to a question about one (xterm's `rgb:rrrr/gggg/bbbb`, 1 to 4 digits each). */
export function parseReportedColor(text: string): Rgb | undefined {
  const [, ...parts] =
    /^rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})(?:\/|$)/i.exec(text) ?? [];
  if (parts.length !== 3) return undefined;
  return parts.map((part) => Math.round(255 * parseInt(part, 16) / (16 ** part.length - 1))) as [
    number,
    number,
    number,
  ];
}
