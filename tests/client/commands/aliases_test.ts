import assert from "node:assert/strict";
import { SlashAliases } from "../../../client/commands/aliases.ts";
import { createCompleter } from "../../../client/commands/completer.ts";
import type { UserHabits } from "../../../client/commands/command.ts";
import { COMMAND_GROUPS, parseLine, runCommand } from "../../../client/commands/dispatcher.ts";
import { ConfigError, UsageError } from "../../../shared/base/errors.ts";
import { FakeSession, startChat } from "../../helpers/fakes/chat_fakes.ts";

function aliases(table: Readonly<Record<string, string>>): SlashAliases {
  return new SlashAliases(
    new Map(
      Object.entries(table).map(([name, text], n) => [
        name,
        { text, place: `line ${n + 1} of "c.toml"`, chosen: false },
      ]),
    ),
  );
}

Deno.test("a line that begins with an alias is the line that it stands for, once", () => {
  const own = aliases({
    hi: "/me waves",
    b: "/msg bob",
    shrug: "¯\\_(ツ)_/¯",
    loop: "/hi",
    self: "/self x",
  });
  const lines = {
    "/hi": "/me waves",
    "/HI at all": "/me waves at all",
    "/b one\ntwo": "/msg bob one\ntwo",
    "/shrug": "¯\\_(ツ)_/¯",
    "/hit": "/hit",
    "//hi": "//hi",
    "hi /hi": "hi /hi",
  };
  for (const [typed, meant] of Object.entries(lines)) assert.equal(own.expand(typed), meant);
  for (const typed of ["/loop", "/self"]) {
    assert.throws(() => own.expand(typed), /stands for "\/(?:hi|self)", an alias as well$/);
  }
});

Deno.test("an alias cannot take a command's name, or one that nobody can type", () => {
  const wrong = {
    join: /Cannot use the alias "join" in line 1 of "c\.toml": there is a command \/join/,
    J: /there is a command \/J/,
    "/x": /expected letters and digits, without the slash/,
    "two words": /expected letters and digits/,
    "": /expected letters and digits/,
  };
  for (const [name, says] of Object.entries(wrong)) {
    assert.throws(() => aliases({ [name]: "x" }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, says);
      return true;
    });
  }
});

Deno.test("an alias that is misspelled is suggested, and Tab completes it", () => {
  const own = aliases({ deploy: "/msg bot deploy" });
  assert.throws(
    () => parseLine("/dploy", own.names),
    (error) => error instanceof UsageError && error.hint === "did you mean /deploy?",
  );
  const complete = createCompleter(() => ({}) as never, { aliases: own.names });
  assert.deepEqual(complete("/dep", 4).candidates, ["/deploy "]);
});

Deno.test("the short names of other chats are built in", () => {
  const rows = ["j", "w", "n", "q"].map((word) => {
    const parsed = parseLine(`/${word}`);
    return parsed.kind === "command" && parsed.row.name;
  });
  assert.deepEqual(rows, ["join", "names", "names", "quit"]);
});

Deno.test("/alias and /keys list what the settings file has, and say where it would stand", async () => {
  const { chat, console } = await startChat([new FakeSession()]);
  const own = new Map([["deploy", "/msg bot deploy"]]);
  const run = async (line: string, habits?: UserHabits) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    await runCommand(parsed.row, parsed.argument, habits ? { ...context, habits } : context);
    return console.printed.at(-1) ?? "";
  };
  const habits = { aliases: own, keys: new Map([["ctrl-o", "/names"], ["alt-o", "ctrl-w"]]) };
  const listed = '- your commands:\n- /deploy  "/msg bot deploy"\n' +
    '- your keys:\n- ctrl-o  "/names"\n- alt-o  "ctrl-w"\n' +
    "- all others are as in emacs (/set keys); /help keys lists them";
  assert.deepEqual([await run("/alias", habits), await run("/keys", habits)], [listed, listed]);
  assert.match(
    await run("/alias"),
    /no commands of your own; .*\[alias\] in config\.toml.*\n.*no keys of your own; .*\[keys\]/,
  );
  chat.end();
});

Deno.test("a setting and a topic of /help that are misspelled are suggested", async () => {
  const { chat } = await startChat([new FakeSession()]);
  const hintOf = async (line: string) => {
    const parsed = parseLine(line);
    assert.ok(parsed.kind === "command");
    const context = { chat, downloads: true, groups: COMMAND_GROUPS, quit: () => {} };
    try {
      await runCommand(parsed.row, parsed.argument, context);
      return "none";
    } catch (error) {
      return error instanceof UsageError ? error.hint : "another error";
    }
  };
  assert.equal(await hintOf("/set tehme dark"), "did you mean theme?");
  assert.equal(await hintOf("/set zzzzz"), "/set lists all");
  assert.equal(await hintOf("/help jion"), "did you mean /help join?");
  assert.equal(await hintOf("/help zzzzzzz"), "/help lists all commands");
  chat.end();
});
