import assert from "node:assert/strict";
import { openHistory, readHistory } from "../../../client/history/history.ts";
import { quotePath } from "../../../client/files/file_access.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";
import { CHEAP, readTexts, temporaryHistory, writeHistory } from "../../helpers/fakes/history.ts";

const unix = Deno.build.os !== "windows";
const permissionTest = skipUnless(unix && Deno.uid() !== 0, "root may read everything");

async function assertRefused(path: string, reason: RegExp): Promise<void> {
  const fits = (error: unknown) => error instanceof ConfigError && reason.test(error.message);
  await assert.rejects(openHistory(path, "open sesame", CHEAP), fits);
  await assert.rejects(Array.fromAsync(readHistory(path, "open sesame")), fits);
}

Deno.test("a folder is refused as a history", async () => {
  await using place = await temporaryHistory();
  await assertRefused(place.folder, /is a folder/);
});

Deno.test({
  name: "a symbolic link is refused, also one that points nowhere, and its target is untouched",
  ignore: !unix,
  fn: async () => {
    await using place = await temporaryHistory();
    const target = `${place.folder}/target`;
    await Deno.symlink(target, place.path);
    await assertRefused(place.path, /symbolic link/);
    await assert.rejects(Deno.stat(target), Deno.errors.NotFound);
    await writeHistory(target, ["one"]);
    const before = await Deno.readFile(target);
    await assertRefused(place.path, /symbolic link/);
    assert.deepEqual(await Deno.readFile(target), before);
  },
});

Deno.test("a file that is not ours is refused and left as it is", async () => {
  await using place = await temporaryHistory();
  const foreign = [
    "hello",
    "{}",
    '{"salt":1}',
    "cmdchat histor",
    " {",
    "\x00".repeat(200),
    "x".repeat(500),
  ];
  for (const content of foreign) {
    await Deno.writeTextFile(place.path, content);
    await assertRefused(place.path, /not a cmdchat history/);
    assert.equal(await Deno.readTextFile(place.path), content);
  }
  assert.deepEqual(
    await Array.fromAsync(Deno.readDir(place.folder), (entry) => entry.name),
    ["chat.history"],
  );
});

Deno.test("a header that asks for gigabytes is refused before anything is derived", async () => {
  await using place = await temporaryHistory();
  const bytes = (await writeHistory(place.path, ["one"])).at(-1)!;
  for (const [offset, value] of [[20, 0xff], [24, 0xff], [19, 0xff]] as const) {
    const changed = bytes.slice();
    changed[offset] = value;
    await Deno.writeFile(place.path, changed);
    await assertRefused(place.path, /more memory or time than allowed/);
    assert.deepEqual(await Deno.readFile(place.path), changed);
  }
});

Deno.test("a file of a newer format is refused as such", async () => {
  await using place = await temporaryHistory();
  const bytes = (await writeHistory(place.path, ["one"])).at(-1)!.slice();
  bytes[17] = 2;
  await Deno.writeFile(place.path, bytes);
  await assertRefused(place.path, /this version does not know its format/);
});

Deno.test("reading a history that is not there creates nothing", async () => {
  await using place = await temporaryHistory();
  const { error } = await readTexts(place.path);
  assert.ok(error instanceof ConfigError && /no such file/.test(error.message));
  assert.deepEqual(await Array.fromAsync(Deno.readDir(place.folder)), []);
});

Deno.test("a history in a folder that does not exist is refused with the reason", async () => {
  await using place = await temporaryHistory();
  await assert.rejects(
    openHistory(`${place.folder}/none/chat.history`, "x", CHEAP),
    (error) => error instanceof ConfigError && /folder does not exist/.test(error.message),
  );
});

permissionTest("a history without permission is refused with the reason", async () => {
  await using place = await temporaryHistory();
  await writeHistory(place.path, ["one"]);
  await Deno.chmod(place.path, 0o000);
  await assertRefused(place.path, /no permission/);
});

Deno.test("quotePath() leaves no control character in a message, and the beginning and the end of a long path", () => {
  assert.equal(quotePath('a"b'), '"a\\"b"');
  const long = quotePath(`/home/${"a".repeat(3_000)}/report.txt`);
  assert.match(long, /^"\/home\/a+…a+\/report\.txt"$/);
  assert.equal(long.length, 202);
  assert.doesNotMatch(quotePath("a\x1b[2J\u009b\u202e\n"), /[\p{Cc}\p{Cf}]/u);
});
