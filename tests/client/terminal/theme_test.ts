import assert from "node:assert/strict";
import { nameNumber } from "../../../client/render/rich.ts";
import {
  contrast,
  CONTRAST_MIN,
  nearestIndex,
  parseColorFgBg,
  parseHexColor,
  parseReportedColor,
  type Rgb,
  rgbOfIndex,
} from "../../../client/terminal/contrast.ts";
import { detectColorDepth, Style } from "../../../client/terminal/style.ts";
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

/** The 16 colors as they come with terminals that have no more, or that many people use. */
const PALETTES = {
  "Linux console":
    "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff",
  xterm:
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff",
  GNOME:
    "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf 555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec",
};

Deno.test("of 16 colors those are used that common palettes make readable, on black and on white, and none is faint", () => {
  const grounds = { dark: color("#000000"), light: color("#ffffff") };
  for (const [name, background] of Object.entries(grounds)) {
    const style = new Style("basic", THEMES[name as "dark" | "light"]);
    const painted = [
      ...ROLES.map((role) => style.paint("x", role)),
      ...Array.from({ length: 30 }, (_, at) => style.name("x", at)),
    ];
    // deno-lint-ignore no-control-regex -- SGR
    const codes = painted.map((text) => Number(/^\x1b\[(\d+)m/.exec(text)?.[1] ?? 0));
    const used = new Set(codes.filter((code) => code > 0));
    assert.ok(used.size >= 3, name);
    assert.equal(style.paint("x", "faint"), "x");
    for (const [palette, colors] of Object.entries(PALETTES)) {
      for (const code of used) {
        const hex = colors.split(" ")[code < 90 ? code - 30 : code - 82];
        const ratio = contrast(color(`#${hex}`), background);
        assert.ok(ratio >= CONTRAST_MIN, `${code} of ${palette}, ${name}: ${ratio.toFixed(2)}`);
      }
    }
  }
  assert.equal(new Style("basic", THEMES.mono).paint("x", "faint", "error"), "x");
  assert.equal(new Style("none").name("x", 1), "x");
});

Deno.test("a terminal has as many colors as its variables say", () => {
  const depth = (env: Record<string, string>, isTerminal = true) =>
    detectColorDepth((name) => env[name], isTerminal);
  assert.equal(depth({ TERM: "xterm" }), "basic");
  assert.equal(depth({ TERM: "linux" }), "basic");
  assert.equal(depth({ TERM: "vt220" }), "weights");
  assert.equal(depth({ TERM: "xterm-mono" }), "weights");
  assert.equal(depth({ TERM: "tmux-256color" }), "indexed");
  assert.equal(depth({ TERM: "xterm-kitty" }), "indexed");
  assert.equal(depth({ TERM: "alacritty" }), "indexed");
  assert.equal(depth({ TERM: "xterm", COLORTERM: "truecolor" }), "true");
  assert.equal(depth({ TERM: "xterm-256color", NO_COLOR: "1" }), "weights");
  assert.equal(depth({ TERM: "xterm-256color", NO_COLOR: "" }), "indexed");
  assert.equal(depth({ TERM: "dumb" }), "none");
  assert.equal(depth({ TERM: "xterm" }, false), "none");
  assert.equal(depth({ FORCE_COLOR: "3" }, false), "true");
});

Deno.test("COLORFGBG tells a light background from a dark one", () => {
  for (const light of ["0;15", "0;default;15", "0;7", "8;11"]) {
    assert.deepEqual(parseColorFgBg(light), [255, 255, 255], light);
  }
  for (const dark of ["15;0", "15;default;0", "7;8", "15;4"]) {
    assert.deepEqual(parseColorFgBg(dark), [0, 0, 0], dark);
  }
  for (const none of [undefined, "", "default;default", "15", "1;2;x"]) {
    assert.equal(parseColorFgBg(none), undefined);
  }
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
