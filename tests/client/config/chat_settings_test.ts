import assert from "node:assert/strict";
import {
  ChatSettings,
  parseSettingName,
  SETTING_NAMES,
  settingChoices,
  SETTINGS,
} from "../../../client/config/chat_settings.ts";
import { THEMES } from "../../../client/terminal/theme.ts";
import { UsageError } from "../../../shared/base/errors.ts";

Deno.test("a setting is what the table says until it is set, and only to what the table allows", () => {
  const settings = new ChatSettings();
  for (const name of SETTING_NAMES) assert.equal(settings.get(name), SETTINGS[name].fallback);
  settings.set("bell", "ALL");
  assert.equal(settings.get("bell"), "all");
  settings.set("fold", "007");
  assert.equal(settings.count("fold"), 7);
  for (const [name, value] of [["bell", "loud"], ["fold", "-1"], ["fold", "1001"], ["links", ""]]) {
    assert.throws(
      () => settings.set(name as "bell", value as string),
      (error) => error instanceof UsageError && /expected /.test(error.message),
    );
  }
  assert.equal(settings.get("bell"), "all");
});

Deno.test("who listens to a setting hears each new value, and can refuse it", () => {
  const settings = new ChatSettings();
  const heard: string[] = [];
  settings.onChange("theme", (value) => {
    if (value === "bad") throw new UsageError("no such theme");
    heard.push(value);
  });
  settings.set("theme", "light");
  assert.throws(() => settings.set("theme", "bad"), UsageError);
  assert.deepEqual(heard, ["light"]);
  assert.equal(settings.get("theme"), "light");
});

Deno.test("where there is no terminal, its settings are neither listed nor taken", () => {
  const settings = new ChatSettings(["theme"]);
  assert.deepEqual(settings.names, SETTING_NAMES.filter((name) => name !== "theme"));
  assert.equal(settings.named("Joins"), "joins");
  assert.throws(() => settings.named("theme"), /Cannot set theme here: it is for terminals/);
  assert.throws(() => settings.setAll("joins=all;theme=dark"), UsageError);
});

Deno.test("a setting that does not exist is refused", () => {
  assert.equal(parseSettingName("Theme"), "theme");
  assert.throws(() => parseSettingName("color"), UsageError);
});

Deno.test("--set offers every value that has a word, and all themes", () => {
  const choices = settingChoices();
  const themes = ["auto", ...Object.keys(THEMES)].map((name) => `theme=${name}`);
  assert.deepEqual(choices.filter((choice) => choice.startsWith("theme=")), themes);
  for (const choice of choices) new ChatSettings().setAll(choice);
});
