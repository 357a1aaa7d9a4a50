// Variables that are no text: what reading each of them gives, in a process whose environment has such bytes.

import assert from "node:assert/strict";
import { CLIENT_PROGRAM } from "../../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../../server/commands/program.ts";
import { readVariable } from "../../../shared/cli/environment.ts";
import { CLIENT_READS, SERVER_READS } from "../../../shared/cli/program_variables.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const TERMINAL = [
  "TERM",
  "TERM_PROGRAM",
  "COLORTERM",
  "COLORFGBG",
  "TMUX",
  "STY",
  "NO_COLOR",
  "FORCE_COLOR",
];
const OTHERS = [
  ...CLIENT_READS.own,
  ...SERVER_READS.own,
  ...Object.keys(CLIENT_PROGRAM.variables),
  ...Object.keys(SERVER_PROGRAM.variables),
  "HOME",
  "XDG_CONFIG_HOME",
  "ALL_PROXY",
  "no_proxy",
  "NOTIFY_SOCKET",
  "EDITOR",
].filter((name) => !TERMINAL.includes(name));

skipWithout("sh")(
  "a variable that is no UTF-8 is one clear error, or only looks unknown",
  async () => {
    const names = [...new Set([...TERMINAL, ...OTHERS])];
    const reader = new URL("../../../shared/cli/environment.ts", import.meta.url).href;
    const probe = `import { readVariable } from ${JSON.stringify(reader)};
    const read = (name) => {
      try {
        return readVariable(name);
      } catch ({ constructor, message, hint, cause }) {
        return [constructor.name, message, hint, cause];
      }
    };
    console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => [name, read(name)])));`;
    const set = names.map((name) => `${name}=$(printf 's\\377cret'); export ${name}`).join("; ");
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", `${set}; exec "$0" eval --quiet "$1"`, Deno.execPath(), probe],
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", DENO_DIR: Deno.env.get("DENO_DIR") ?? "/tmp" },
    }).output();
    const decoder = new TextDecoder();
    const found: [string, unknown][] = JSON.parse(decoder.decode(stdout) || decoder.decode(stderr));
    for (const [name, value] of found) {
      assert.deepEqual(
        value,
        TERMINAL.includes(name) ? "\ufffd" : [
          "ConfigError",
          `Cannot use the variable ${name}: it is not text in UTF-8`,
          `set it again, or remove it: unset ${name}`,
          null,
        ],
      );
    }
    assert.equal(found.length, names.length);
  },
);

Deno.test("readVariable() gives text as it is, and undefined for what is not set", () => {
  assert.equal(readVariable("PATH"), Deno.env.get("PATH"));
  assert.equal(readVariable("CMDCHAT_NO_SUCH_VARIABLE"), undefined);
});
