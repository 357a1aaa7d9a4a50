import assert from "node:assert/strict";
import { openHistory } from "../../../client/history/history.ts";
import { TAKEOVER_DISK, type TakeoverDisk } from "../../../client/history/history_takeover.ts";
import { ConfigError, CryptoError } from "../../../shared/base/errors.ts";
import vectors from "../../vectors/v1.json" with { type: "json" };
import { chatEntry, CHEAP, readTexts, temporaryHistory } from "../../helpers/fakes/history.ts";

const { file, passphrase } = vectors.history_v1;
const OLD = JSON.stringify(file);
const OLD_TEXTS = ["hi", "bob joined the chat."];

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name)).sort();
}

/** A disk whose program dies before the given step (counted from 0), or halfway through it where it is a write. */
function dyingDisk(lastStep: number, opened: Deno.FsFile[]): TakeoverDisk & { steps: number } {
  const disk = { steps: 0 } as TakeoverDisk & { steps: number };
  const step = <Result>(act: () => Promise<Result>, half?: () => Promise<void>) => {
    if (disk.steps++ < lastStep) return act();
    const rest = disk.steps - 1 === lastStep && half ? half() : Promise.resolve();
    return rest.then((): Result => {
      throw new Error("the program died here");
    });
  };
  disk.create = (path) =>
    step(async () => {
      const file = await TAKEOVER_DISK.create(path);
      opened.push(file);
      return file;
    });
  disk.write = (file, offset, bytes) =>
    step(
      () => TAKEOVER_DISK.write(file, offset, bytes),
      () => TAKEOVER_DISK.write(file, offset, bytes.subarray(0, bytes.length / 2)),
    );
  disk.sync = (file) => step(() => TAKEOVER_DISK.sync(file));
  disk.keep = (from, to) => step(() => TAKEOVER_DISK.keep(from, to));
  disk.rename = (from, to) => step(() => TAKEOVER_DISK.rename(from, to));
  disk.remove = (path) => step(() => TAKEOVER_DISK.remove(path));
  return disk;
}

Deno.test("an old file is taken over, told, and kept beside under its second name", async () => {
  await using place = await temporaryHistory();
  await Deno.writeTextFile(place.path, OLD);
  assert.deepEqual((await readTexts(place.path, passphrase)).texts, OLD_TEXTS);
  assert.deepEqual(
    await namesIn(place.folder),
    ["chat.history"],
    "reading alone takes nothing over",
  );
  const notices: string[] = [];
  {
    const onNotice = (text: string) => notices.push(text);
    await using history = await openHistory(place.path, passphrase, { ...CHEAP, onNotice });
    await history.append(chatEntry("new"));
    await assert.rejects(openHistory(place.path, passphrase, CHEAP), /another client/);
  }
  assert.match(notices.join(), /^Imported 2 entries .*chat\.history\.v1/);
  assert.deepEqual((await readTexts(place.path, passphrase)).texts, [...OLD_TEXTS, "new"]);
  assert.equal(await Deno.readTextFile(`${place.path}.v1`), OLD);
  assert.deepEqual(await namesIn(place.folder), ["chat.history", "chat.history.v1"]);
});

Deno.test("an old file under a wrong passphrase is refused and nothing changes", async () => {
  await using place = await temporaryHistory();
  await Deno.writeTextFile(place.path, OLD);
  await assert.rejects(openHistory(place.path, "wrong", CHEAP), CryptoError);
  assert.equal(await Deno.readTextFile(place.path), OLD);
  assert.deepEqual(await namesIn(place.folder), ["chat.history"]);
});

Deno.test("a crash at any step of a takeover leaves one file with everything, and the next start goes on", async () => {
  let crashes = 0;
  for (let lastStep = 0;; lastStep++) {
    await using place = await temporaryHistory();
    await Deno.writeTextFile(place.path, OLD);
    const opened: Deno.FsFile[] = [];
    const unsafeTestOnlyDisk = dyingDisk(lastStep, opened);
    try {
      const history = await openHistory(place.path, passphrase, { ...CHEAP, unsafeTestOnlyDisk });
      await history.close();
      assert.equal(unsafeTestOnlyDisk.steps, lastStep, "every step had its crash");
      break;
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      crashes++;
    }
    assert.deepEqual((await readTexts(place.path, passphrase)).texts, OLD_TEXTS);
    assert.equal(await Deno.readTextFile(place.path), OLD);
    await using history = await openHistory(place.path, passphrase, CHEAP);
    await history.append(chatEntry("new"));
    assert.deepEqual((await readTexts(place.path, passphrase)).texts, [...OLD_TEXTS, "new"]);
    assert.equal(await Deno.readTextFile(`${place.path}.v1`), OLD);
    assert.deepEqual(await namesIn(place.folder), ["chat.history", "chat.history.v1"]);
  }
  assert.ok(crashes >= 7, `${crashes} crashes`);
});

Deno.test("a crash right after the new file has its name loses nothing", async () => {
  await using place = await temporaryHistory();
  await Deno.writeTextFile(place.path, OLD);
  const unsafeTestOnlyDisk: TakeoverDisk = {
    ...TAKEOVER_DISK,
    rename: async (from, to) => {
      await TAKEOVER_DISK.rename(from, to);
      throw new Error("the program died here");
    },
  };
  await assert.rejects(openHistory(place.path, passphrase, { ...CHEAP, unsafeTestOnlyDisk }));
  assert.deepEqual((await readTexts(place.path, passphrase)).texts, OLD_TEXTS);
  assert.equal(await Deno.readTextFile(`${place.path}.v1`), OLD);
});

Deno.test("a takeover never writes over what is kept already", async () => {
  await using place = await temporaryHistory();
  await Deno.writeTextFile(place.path, OLD);
  await Deno.writeTextFile(`${place.path}.v1`, "something else");
  await assert.rejects(
    openHistory(place.path, passphrase, CHEAP),
    (error) => error instanceof ConfigError && /exists already/.test(error.message),
  );
  assert.equal(await Deno.readTextFile(`${place.path}.v1`), "something else");
  assert.equal(await Deno.readTextFile(place.path), OLD);
});

Deno.test("a takeover goes on where a copy of the same old file is kept already", async () => {
  await using place = await temporaryHistory();
  await Deno.writeTextFile(place.path, OLD);
  await Deno.writeTextFile(`${place.path}.v1`, OLD);
  await using history = await openHistory(place.path, passphrase, CHEAP);
  assert.equal((await Array.fromAsync(history.entries())).length, 2);
  assert.equal(await Deno.readTextFile(`${place.path}.v1`), OLD);
});
