import assert from "node:assert/strict";
import { readSecret, type SecretPlaces } from "../../../client/config/secret_source.ts";
import { CmdchatError, ConfigError, UsageError } from "../../../shared/base/errors.ts";

const SECRET = "s3cr3t-w0rd";

function places(changes: Partial<SecretPlaces> = {}): SecretPlaces & { warnings: string[] } {
  const warnings: string[] = [];
  return { name: "history passphrase", warn: (text) => warnings.push(text), ...changes, warnings };
}

const flag = (value: string | undefined) => ({ option: "--history-passphrase", value });
const environment = (value: string | undefined) => ({
  variable: "CMDCHAT_HISTORY_PASSPHRASE",
  value,
});
const file = (path: string | undefined) => ({ option: "--history-passphrase-file", path });

async function secretFile(content: string | Uint8Array, mode = 0o600) {
  const path = await Deno.makeTempFile();
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  if (Deno.build.os !== "windows") await Deno.chmod(path, mode);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

Deno.test("readSecret() takes flag, then environment, then file, then prompt", async () => {
  await using inFile = await secretFile("from file\nsecond line\n");
  const all = {
    flag: flag("from flag"),
    environment: environment("from environment"),
    file: file(inFile.path),
    ask: () => Promise.resolve("from prompt"),
  };
  assert.equal(await readSecret(places(all)), "from flag");
  assert.equal(await readSecret(places({ ...all, flag: flag(undefined) })), "from environment");
  const [noFlag, noEnvironment] = [flag(undefined), environment("")];
  const fromFile = places({ ...all, flag: noFlag, environment: noEnvironment });
  assert.equal(await readSecret(fromFile), "from file");
  assert.equal(await readSecret(places({ ask: all.ask, file: file(undefined) })), "from prompt");
  assert.equal(await readSecret(places()), undefined);
  assert.equal(await readSecret(places({ ask: () => Promise.resolve(undefined) })), undefined);
});

Deno.test("readSecret() warns about the flag alone, names better places, never the secret", async () => {
  const asked = places({
    flag: flag(SECRET),
    environment: environment(undefined),
    file: file(undefined),
  });
  await readSecret(asked);
  assert.equal(asked.warnings.length, 1);
  assert.match(asked.warnings[0]!, /CMDCHAT_HISTORY_PASSPHRASE, --history-passphrase-file/);
  assert.doesNotMatch(asked.warnings[0]!, new RegExp(SECRET));
  const quiet = places({ environment: environment(SECRET) });
  await readSecret(quiet);
  assert.deepEqual(quiet.warnings, []);
});

Deno.test("readSecret() asks for hidden input", async () => {
  const asked: unknown[] = [];
  const ask: SecretPlaces["ask"] = (...given) => {
    asked.push(given);
    return Promise.resolve(SECRET);
  };
  await readSecret(places({ ask }));
  assert.deepEqual(asked, [["History passphrase: ", { hidden: true }]]);
});

Deno.test("readSecret() takes the first line without what an editor adds: blanks, CR, a byte order mark", async () => {
  const contents = [SECRET, ` ${SECRET} \n`, `\ufeff${SECRET}\r\n`, `\n${SECRET}\t\nrest`];
  for (const content of contents) {
    await using inFile = await secretFile(content);
    assert.equal(await readSecret(places({ file: file(inFile.path) })), SECRET);
  }
});

Deno.test("readSecret() reads a variable as it reads a file, and refuses quotes in both", async () => {
  assert.equal(await readSecret(places({ environment: environment(` ${SECRET}\r`) })), SECRET);
  const quoted = places({ environment: environment(`"${SECRET}"`) });
  await assert.rejects(readSecret(quoted), {
    message:
      "Cannot use CMDCHAT_HISTORY_PASSPHRASE: line 1 is in quotes, which would be a part of it",
  });
  await using inFile = await secretFile(`'${SECRET}'\n`);
  await assert.rejects(readSecret(places({ file: file(inFile.path) })), /line 1 is in quotes/);
});

Deno.test("readSecret() refuses an empty secret wherever it comes from", async () => {
  await using empty = await secretFile("\n \n");
  const wrong = [
    { flag: flag("") },
    { file: file(empty.path) },
    { ask: () => Promise.resolve("") },
  ];
  for (const from of wrong) await assert.rejects(readSecret(places(from)), UsageError);
});

Deno.test({
  name: "readSecret() refuses a file that every user may read or change, with a hint",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    for (const mode of [0o644, 0o604, 0o602]) {
      await using inFile = await secretFile(SECRET, mode);
      await assert.rejects(
        readSecret(places({ file: file(inFile.path) })),
        (error) => error instanceof ConfigError && /chmod 600/.test(error.hint ?? ""),
      );
    }
    await using forGroup = await secretFile(SECRET, 0o640);
    assert.equal(await readSecret(places({ file: file(forGroup.path) })), SECRET);
  },
});

Deno.test("readSecret() says why a file cannot be used, and never what is in it", async () => {
  const folder = await Deno.makeTempDir();
  await using binary = await secretFile(
    Uint8Array.of(0xff, 0xfe, ...new TextEncoder().encode(SECRET)),
  );
  await using long = await secretFile(SECRET.repeat(10_000));
  const cases: [string, RegExp][] = [
    [`${folder}/none`, /no such file/],
    [folder, /is a folder/],
    [binary.path, /line 1 is not UTF-8 text/],
    [long.path, /at most 65536 are read/],
  ];
  for (const [path, reason] of cases) {
    await assert.rejects(readSecret(places({ file: file(path) })), (error) => {
      assert.ok(error instanceof CmdchatError);
      assert.match(error.message, reason);
      assert.doesNotMatch(`${error.message} ${error.hint}`, new RegExp(SECRET));
      return true;
    });
  }
  await Deno.remove(folder);
});
