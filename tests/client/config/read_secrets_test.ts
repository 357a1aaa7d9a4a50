import assert from "node:assert/strict";
import { CLIENT_OPTIONS } from "../../../client/config/client_options.ts";
import { parseCommandLine } from "../../../shared/cli/command_line.ts";
import { readPassphrase, readToken } from "../../../client/config/read_secrets.ts";

function sources(env: Record<string, string> = {}) {
  const warnings: string[] = [];
  return {
    env: (name: string) => env[name],
    warn: (text: string) => warnings.push(text),
    warnings,
  };
}

function config(...args: string[]) {
  const { values } = parseCommandLine(CLIENT_OPTIONS, { args, env: () => undefined });
  return { ...values, linkToken: undefined, linkShows: false };
}

Deno.test("a token comes from flag, variable or file, and the flag warns without repeating it", async () => {
  const none = sources();
  assert.equal(await readToken(config(), none), undefined);
  const fromEnv = sources({ CMDCHAT_TOKEN: "env" });
  assert.equal(await readToken(config(), fromEnv), "env");
  assert.equal(await readToken(config("--token", "flag"), fromEnv), "flag");
  assert.equal(fromEnv.warnings.length, 1);
  assert.ok(!fromEnv.warnings[0]?.includes("flag "));
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "file\n");
  assert.equal(await readToken(config("--token-file", path), none), "file");
  await Deno.remove(path);
  await assert.rejects(readToken(config("--token", ""), none), /it is empty/);
});

Deno.test("a passphrase is asked for where no other place has it", async () => {
  const asked: string[] = [];
  const ask = (question: string) => {
    asked.push(question);
    return Promise.resolve("typed");
  };
  const env = sources({ CMDCHAT_HISTORY_PASSPHRASE: "env" });
  assert.equal(await readPassphrase(config(), { ...env, ask }), "env");
  assert.equal(await readPassphrase(config(), { ...sources(), ask }), "typed");
  assert.equal(asked.length, 1);
  assert.equal(await readPassphrase(config(), sources()), undefined);
});
