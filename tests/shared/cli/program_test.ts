import assert from "node:assert/strict";
import { UsageError } from "../../../shared/base/errors.ts";
import { word } from "../../../shared/cli/option_values.ts";
import { askedHelp, commandHelp, findCommand, programHelp } from "../../../shared/cli/program.ts";
import { columns } from "../../../shared/text/columns.ts";
import { CLIENT_PROGRAM } from "../../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../../server/commands/program.ts";
import type { ProgramSpec } from "../../../shared/cli/program.ts";

const OPTIONS = { name: { value: "NAME", parse: word, help: "Your name" } } as const;
const PROGRAM: ProgramSpec = {
  name: "talk",
  summary: "a program to talk with",
  usage: [["[OPTIONS]", "talk"]],
  options: OPTIONS,
  commands: [
    {
      name: "say",
      argument: "TEXT",
      summary: "say it",
      about: ["word ".repeat(40).trim()],
      options: OPTIONS,
    },
    { name: "listen", summary: "hear", options: OPTIONS },
  ],
  variables: { TALK_KEY: "key" },
  exitCodes: [[0, "well"], [12, "not well"]],
};

Deno.test("programHelp() has usage, commands, options, variables and codes, in aligned columns", () => {
  assert.equal(
    programHelp(PROGRAM, "1.2"),
    `talk 1.2: a program to talk with

usage:
  talk [OPTIONS]       talk
  talk COMMAND --help  what a command takes

commands:
  say TEXT  say it
  listen    hear

options:
      --name NAME  Your name

environment only:
  TALK_KEY  key

exit codes:
  0   well
  12  not well`,
  );
});

Deno.test("commandHelp() begins with the usage and breaks paragraphs at 80 characters", () => {
  const text = commandHelp(PROGRAM, PROGRAM.commands[0] ?? assert.fail());
  assert.ok(text.startsWith("usage: talk say TEXT [OPTIONS]\n\nsay it\n\nword word"));
  assert.ok(text.split("\n").every((line) => line.length <= 80), text);
});

Deno.test("every way to ask for help gives the same text, for both programs and each of their commands", () => {
  for (const program of [CLIENT_PROGRAM, SERVER_PROGRAM]) {
    const help = (...args: string[]) => askedHelp(program, args, { version: "1.2" });
    const whole = help("--help");
    assert.equal(whole, programHelp(program, "1.2"));
    for (const args of [["-h"], ["help"], ["help", "help"], ["help", "-h"], ["--port", "--help"]]) {
      assert.equal(help(...args), whole, args.join(" "));
    }
    for (const { name } of program.commands) {
      const text = help(name, "--help");
      assert.ok(text?.startsWith(`usage: ${program.name} ${name}`), text);
      for (
        const args of [["help", name], [name, "-h"], [name, "x", "--help"], ["help", name, "-h"]]
      ) {
        assert.equal(help(...args), text, args.join(" "));
      }
      assert.equal(help(name), undefined);
      assert.equal(help(name, "--", "--help"), undefined);
    }
    assert.throws(() => help("help", "nonsense"), UsageError);
    assert.throws(() => help("nonsense", "--help"), UsageError);
    assert.equal(help(), undefined);
  }
});

Deno.test("no line of a help is wider than a terminal of 80 columns, and none breaks within a word", () => {
  const long = "word ".repeat(30).trim();
  const rows = columns([["--a VALUE", long], ["--b", "short"]]).split("\n");
  assert.deepEqual([rows[0]?.slice(0, 18), rows[1]?.slice(0, 18)], [
    "  --a VALUE  word ",
    "             word ",
  ]);
  assert.equal(rows.at(-1), "  --b        short");
  const wide = columns([[`--${"x".repeat(50)}`, "below it"], ["-y", ""]]);
  assert.equal(wide, `  --${"x".repeat(50)}\n          below it\n  -y`);
  for (const program of [CLIENT_PROGRAM, SERVER_PROGRAM]) {
    const calls = ["", ...program.commands.map(({ name }) => name)];
    for (const name of calls) {
      const text =
        askedHelp(program, [...name === "" ? [] : [name], "--help"], { version: "1.2" }) ?? "";
      const wrong = text.split("\n").filter((line) => line.length > 80);
      assert.deepEqual(wrong, [], name);
    }
  }
});

Deno.test("findCommand() finds by the whole name and offers what was meant", () => {
  assert.equal(findCommand(PROGRAM.commands, "listen").summary, "hear");
  const hint = (typed: string): string | undefined => {
    try {
      findCommand(PROGRAM.commands, typed);
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error.hint;
    }
    assert.fail(`${typed} was found`);
  };
  assert.equal(hint("lisetn"), "did you mean listen?");
  assert.equal(hint("dance"), "commands: say, listen");
});

Deno.test("columns() leaves no blanks at the end of a line", () => {
  assert.equal(columns([["a", ""], ["bbb", "c"]]), "  a\n  bbb  c");
});
