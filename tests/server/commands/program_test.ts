import assert from "node:assert/strict";
import { SERVER_COMMANDS, SERVER_PROGRAM } from "../../../server/commands/program.ts";
import { programHelp } from "../../../shared/cli/program.ts";

Deno.test("the server's help lists every command, option, variable and exit code", () => {
  const help = programHelp(SERVER_PROGRAM, "1.0");
  const { options, variables, exitCodes } = SERVER_PROGRAM;
  const words = [
    ...SERVER_COMMANDS.map(({ name }) => `\n  ${name}`),
    ...Object.keys(options).map((name) => `--${name}`),
    ...Object.keys(variables),
  ];
  assert.deepEqual(words.filter((word) => !help.includes(word)), []);
  // A meaning may take several rows.
  const oneRow = help.replaceAll(/\s+/g, " ");
  const codes = exitCodes.map(([code, meaning]) => ` ${code} ${meaning}`);
  assert.deepEqual(codes.filter((code) => !oneRow.includes(code)), []);
});
