import assert from "node:assert/strict";
import { nameNumber } from "../../../client/render/rich.ts";
import {
  contrast,
  CONTRAST_MIN,
  nearestIndex,
  parseHexColor,
  parseReportedColor,
  type Rgb,
  rgbOfIndex,
} from "../../../client/terminal/contrast.ts";
import { Style } from "../../../client/terminal/style.ts";
import {
  hardToRead,
  parseTheme,
  rgbOf,
  ROLES,
  type Theme,
  themeFor,
  THEMES,
} from "../../../client/terminal/theme.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { HONEST_TEXTS } from "../../helpers/hostile/hostile_text.ts";

/** Backgrounds of schemes in wide use, each with the theme that has to be readable on it. */
const BACKGROUNDS: Readonly<Record<"dark" | "light", Readonly<Record<string, string>>>> = {
  dark: {
    black: "#000000",
    xterm: "#121212",
    "solarized dark": "#002b36",
    dracula: "#282a36",
    "one dark": "#282c34",
    nord: "#2e3440",
    gruvbox: "#282828",
    ubuntu: "#300a24",
  },
  light: {
    white: "#ffffff",
    "solarized light": "#fdf6e3",
    gruvbox: "#fbf1c7",
    github: "#f6f8fa",
    tango: "#eeeeec",
    gray: "#eeeeee",
  },
};

function color(hex: string): Rgb {
  return parseHexColor(hex) as Rgb;
}

Deno.test("contrast() is WCAG's: 21 for black on white, 1 for a color on itself, and known pairs between", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast([9, 99, 199], [9, 99, 199]), 1);
  // From WebAIM's contrast checker.
  assert.equal(contrast(color("#777777"), color("#ffffff")).toFixed(2), "4.48");
  assert.equal(contrast(color("#767676"), color("#ffffff")).toFixed(2), "4.54");
  assert.equal(contrast(color("#ff0000"), color("#ffffff")).toFixed(2), "4.00");
});

for (const name of ["dark", "light"] as const) {
  Deno.test(`every color of the ${name} theme has a contrast of 4.5 with its background`, () => {
    const theme: Theme = THEMES[name];
    assert.deepEqual(hardToRead(theme), []);
    for (const [scheme, hex] of Object.entries(BACKGROUNDS[name])) {
      const background = color(hex);
      assert.equal(themeFor(background), name, `${scheme} gets the ${name} theme`);
      for (const one of [...theme.names, ...ROLES.map((role) => theme.roles?.[role] ?? 0)]) {
        const ratio = contrast(rgbOf(one), background);
        assert.ok(ratio >= CONTRAST_MIN, `${one} on ${scheme}: ${ratio.toFixed(2)}`);
      }
    }
  });

  Deno.test(`every name is painted in a color of the ${name} theme, and all of them are used`, () => {
    const style = new Style("true", THEMES[name]);
    const seen = new Set<number>();
    const names = Array.from({ length: 2_000 }, (_, n) => `member ${n}`);
    for (const one of [...names, ...HONEST_TEXTS, "", "Åsa", "李"]) {
      const painted = style.name(one || "?", nameNumber(one));
      // deno-lint-ignore no-control-regex -- SGR
      const [, index] = /^\x1b\[38;5;(\d+)m/.exec(painted) ?? [];
      seen.add(Number(index));
      assert.ok(contrast(rgbOfIndex(Number(index)), THEMES[name].background) >= CONTRAST_MIN, one);
    }
    assert.deepEqual([...seen].sort(), [...THEMES[name].names].sort());
  });
}

Deno.test("the mono theme has no colors, only weights", () => {
  const style = new Style("true", THEMES.mono);
  assert.equal(style.paint("x", "error", "bold"), "\x1b[1mx\x1b[0m");
  assert.equal(style.paint("x", "info"), "x");
  assert.equal(style.paint("x", "faint"), "\x1b[2mx\x1b[0m");
  assert.equal(style.name("x", 7), "\x1b[1mx\x1b[0m");
});

Deno.test("a terminal with 16 colors gets those that its user chose, one without gets none", () => {
  assert.equal(new Style("basic").paint("x", "error"), "\x1b[31mx\x1b[0m");
  assert.equal(new Style("basic").name("x", 1), "\x1b[33mx\x1b[0m");
  assert.equal(new Style("none").name("x", 1), "x");
});

Deno.test("a theme of the user's says its colors, and takes the others from the theme for its background", () => {
  const theme = parseTheme(`# mine
background = #fffff0
error = #a00000   # dark red
names = #004080 #406000, "#600060"
`);
  assert.deepEqual(theme.background, [255, 255, 240]);
  assert.deepEqual(theme.roles?.error, [160, 0, 0]);
  assert.equal(theme.roles?.info, THEMES.light.roles.info);
  assert.equal(theme.names.length, 3);
  assert.deepEqual(hardToRead(theme), []);
  assert.deepEqual(hardToRead(parseTheme("background = #ffffff\ninfo = #eeeeee\nnames=#ffff00")), [
    "info",
    "names, number 1",
  ]);
  assert.equal(new Style("true", theme).paint("x", "error"), "\x1b[38;2;160;0;0mx\x1b[0m");
  assert.equal(
    new Style("indexed", theme).paint("x", "error"),
    `\x1b[38;5;${nearestIndex([160, 0, 0])}mx\x1b[0m`,
  );
});

Deno.test("a theme with a line that is none is refused with the line's number", () => {
  for (
    const row of [
      "info = blue",
      "color = #ffffff",
      "info",
      "info = #fff",
      "error = #ffffff #000000",
    ]
  ) {
    assert.throws(
      () => parseTheme(`background = #000000\n${row}`),
      (error) => error instanceof ConfigError && /line 2 of the theme/.test(error.message),
      row,
    );
  }
});

Deno.test("a terminal's answer about a color is read in each of its lengths, and nothing else is", () => {
  assert.deepEqual(parseReportedColor("rgb:ffff/0000/8080"), [255, 0, 128]);
  assert.deepEqual(parseReportedColor("rgb:f/0/8"), [255, 0, 136]);
  assert.deepEqual(parseReportedColor("rgba:1e1e/1e1e/2e2e/ffff"), [30, 30, 46]);
  for (const text of ["", "?", "rgb:", "rgb:1/2", "#ffffff", "rgb:12345/0/0"]) {
    assert.equal(parseReportedColor(text), undefined, text);
  }
});
