// `history export FILE` as a program: a file of its own, whole or not at all.

import assert from "node:assert/strict";
import { runClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { temporaryHistory, writeHistory } from "../../helpers/fakes/history.ts";

const home = temporaryHome();

async function history(passphrase: string, ...args: string[]): Promise<[number, string]> {
  const env = { CMDCHAT_HISTORY_PASSPHRASE: passphrase };
  const { code, stdout, stderr } = await runClient(home, { args: ["history", ...args], env });
  return [code, stdout + stderr];
}

Deno.test("an export is a new file for its owner alone, and none is left where it failed", async () => {
  await using place = await temporaryHistory();
  await writeHistory(place.path, ["the first", "the second"]);
  const right = "open sesame";
  const [wrong] = await history("wrong", "export", place.path, "-o", "new.txt");
  assert.equal(wrong, 7);
  await assert.rejects(Deno.stat(`${home}/new.txt`), Deno.errors.NotFound);

  const found = await history(right, "export", place.path, "-o", "new.txt", "-s", "SECOND");
  assert.deepEqual(found, [0, '1 entry in "new.txt"\n']);
  assert.match(await Deno.readTextFile(`${home}/new.txt`), /^[^\n]* the second\n$/);
  assert.equal((await Deno.stat(`${home}/new.txt`)).mode! & 0o777, 0o600);

  const [again, text] = await history(right, "export", place.path, "-o", "new.txt");
  assert.equal(again, 3, text);
  assert.match(text, /the file exists already/);
  assert.match(await Deno.readTextFile(`${home}/new.txt`), /the second/);
});

Deno.test("export and show print what is of the time that was asked for", async () => {
  await using place = await temporaryHistory();
  await writeHistory(place.path, ["the first"]);
  const count = async (...args: string[]) =>
    (await history("open sesame", ...args))[1].split("\n").length - 1;
  assert.equal(await count("export", place.path, "--json", "--since", "2026-11-23T17:59Z"), 1);
  assert.equal(await count("show", place.path, "--until", "2026-11-23T18:00:00Z"), 1);
  assert.equal(await count(place.path, "--until", "2026-11-20"), 0);
  assert.equal(await count(place.path, "--since", "2026-11-23T18:00:01Z"), 0);
});

Deno.test("nobody is asked for the passphrase of a history that is not there", async () => {
  const { code, stderr } = await runClient(home, { args: ["history", `${home}/none`] });
  assert.equal(code, 3);
  assert.match(stderr, /none": there is no such file$/m);
});
