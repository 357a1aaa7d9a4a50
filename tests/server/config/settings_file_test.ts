import assert from "node:assert/strict";
import { readConfig } from "../../../server/config/server_options.ts";
import { settle } from "../../../server/config/settings_file.ts";

async function settled(
  text: string,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
) {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    const input = { args: ["--settings-file", path, ...args], env: (name: string) => env[name] };
    return readConfig(settle(input));
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a settings file counts over the environment, and an option over both", async () => {
  const text = "# limits\r\nCMDCHAT_MAX_ROOMS=7\r\n\nCMDCHAT_RATE_LIMIT='1/2'\nCMDCHAT_PORT=\n" +
    "CMDCHAT_TOKENS=alice:one\n";
  const env = { CMDCHAT_MAX_ROOMS: "8", CMDCHAT_PORT: "77", CMDCHAT_MAX_CONNECTIONS: "9" };
  const config = await settled(text, env, ["--rate-limit", "3/4"]);
  assert.equal(config["max-rooms"], 7);
  assert.equal(config["max-connections"], 9);
  assert.equal(config.port, 5050, "an empty value counts as not set");
  assert.deepEqual(config["rate-limit"], { messages: 3, seconds: 4 });
  assert.equal(config.tokens[0]?.name, "alice");
});

const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ["CMDCHAT_PORT=1\nnothing\n", /: line 2 is not NAME=value$/],
  ["export CMDCHAT_PORT=1\n", /: line 1 is not NAME=value$/],
  ["PATH=/bin\n", /: line 1 has no effect: only variables of cmdchat-server are read there$/],
  ["\nCMDCHAT_TOKEN=a\n", /: line 2 has no effect: only the client reads it; CMDCHAT_TOKENS is/],
  ["CMDCHAT_MAX_ROOM=1\n", /: line 1 has no effect: .*did you mean CMDCHAT_MAX_ROOMS\?$/],
  ["CMDCHAT_SETTINGS_FILE=x\n", /: line 1 has no effect: a settings file names no other one$/],
  ["CMDCHAT_PORT=70000\n", /^Cannot use CMDCHAT_PORT/],
];

Deno.test("a settings file that cannot be meant so is refused, with the number of the line", async () => {
  for (const [text, why] of REFUSED) {
    await assert.rejects(settled(text), { message: why }, text);
  }
});
