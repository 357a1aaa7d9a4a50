// Keys of the user's own: what the settings file may say, and what they do in the prompt and in --plain.
import assert from "node:assert/strict";
import { readKeys } from "../../../client/editing/key_bindings.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { openPlain, openPrompt } from "./terminal_harness.ts";

function keys(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const place = 'line 2 of "c.toml"';
  return readKeys(
    new Map(Object.entries(table).map(([key, text]) => [key, { text, place, chosen: false }])),
  );
}

const OWN = keys({ "ctrl-o": "ctrl-w", "alt-p": "/switch", "ctrl-w": "home", "page-down": "up" });

for (const [where, open] of Object.entries({ "the prompt": openPrompt, "--plain": openPlain })) {
  Deno.test(`a key does what another one does, or enters a line and leaves the draft alone, in ${where}`, async () => {
    await using chat = await open({ columns: 40, rows: 8, keys: OWN });
    await chat.type("one two\x0f");
    await chat.type("\x1bp");
    await chat.type("three\r");
    await chat.type("\x1b[6~!\r");
    assert.deepEqual(
      chat.events.map((event) => event.kind === "line" && event.text),
      ["/switch", "one three", "one three!"],
    );
  });
}

Deno.test("a key that is no key, does nothing or keeps its meaning is refused with its line", () => {
  const wrong = [
    ["ctrl-c", "/quit", /Cannot use the key "ctrl-c" in line 2 of "c\.toml": it keeps its meaning/],
    ["enter", "/quit", /it keeps its meaning/],
    ["x", "home", /expected a key such as ctrl-o/],
    ["control-o", "home", /expected a key such as ctrl-o/],
    ["ctrl-o", "hmoe", /"hmoe" is neither a key that does something nor a line such as \/names/],
  ] as const;
  for (const [key, text, says] of wrong) {
    assert.throws(() => keys({ [key]: text }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, says);
      assert.equal(error.hint, text === "hmoe" ? "did you mean home?" : undefined);
      return true;
    });
  }
});
