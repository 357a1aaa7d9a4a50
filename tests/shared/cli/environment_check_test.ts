import assert from "node:assert/strict";
import { CLIENT_PROGRAM } from "../../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../../server/commands/program.ts";
import { strayVariables } from "../../../shared/cli/environment_check.ts";
import type { ProgramSpec } from "../../../shared/cli/program.ts";
import { CLIENT_READS, SERVER_READS } from "../../../shared/cli/program_variables.ts";

/** Every variable of a program's tables. */
function variablesOf(program: ProgramSpec): string[] {
  const tables = [program.options, ...program.commands.map(({ options }) => options)];
  const named = tables.flatMap((table) => Object.values(table).flatMap(({ env }) => env ?? []));
  const all = new Set([...named, ...Object.keys(program.variables)]);
  return [...all].filter((name) => name.startsWith("CMDCHAT_")).sort();
}

Deno.test("the lists of variables are those of the programs' tables", () => {
  assert.deepEqual([...CLIENT_READS.own].sort(), variablesOf(CLIENT_PROGRAM));
  assert.deepEqual([...SERVER_READS.own].sort(), variablesOf(SERVER_PROGRAM));
});

function strays(set: Readonly<Record<string, string>>, reads: typeof SERVER_READS, lists = true) {
  const all = lists ? Object.keys(set) : undefined;
  return strayVariables({ ...reads, env: (name) => set[name], all })
    .map(({ variable, why }) => `${variable}: ${why}`);
}

const SET = { CMDCHAT_TOKEN: "x", CMDCHAT_TOKNES: "x", CMDCHAT_NAME: "x", CMDCHAT_PUBLISH: "x" };

for (const lists of [true, false]) {
  Deno.test(`variables without effect are told with what was meant; the program may ${lists ? "" : "not "}list all`, () => {
    assert.deepEqual(strays(SET, SERVER_READS, lists), [
      "CMDCHAT_NAME: only the client reads it",
      "CMDCHAT_TOKEN: only the client reads it; CMDCHAT_TOKENS is read here",
      "CMDCHAT_TOKNES: there is no such variable; did you mean CMDCHAT_TOKENS?",
    ]);
  });

  Deno.test(`a variable that is read, empty or nobody's is not told; the program may ${lists ? "" : "not "}list all`, () => {
    const set = { CMDCHAT_TOKENS: "a", CMDCHAT_HOST: "h", CMDCHAT_ROOM: "", PATH: "/", TOKEN: "x" };
    assert.deepEqual(strays(set, SERVER_READS, lists), []);
  });
}

Deno.test("a variable like no other is told where all can be listed", () => {
  assert.deepEqual(strays({ CMDCHAT_XYZZY: "1" }, SERVER_READS), [
    "CMDCHAT_XYZZY: there is no such variable",
  ]);
});
