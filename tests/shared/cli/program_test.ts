import assert from "node:assert/strict";
import { UsageError } from "../../../shared/base/errors.ts";
import { word } from "../../../shared/cli/option_values.ts";
import { columns, commandHelp, findCommand, programHelp } from "../../../shared/cli/program.ts";
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
