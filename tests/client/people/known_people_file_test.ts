// The file of known people: who is remembered, by two clients at once too, and what is refused.

import assert from "node:assert/strict";
import { join } from "node:path";
import { KNOWN_PEOPLE_MAX } from "../../../client/base/limits.ts";
import { openKnownPeople } from "../../../client/people/known_people_file.ts";
import { type ConfigError, LimitError } from "../../../shared/base/errors.ts";

const person = (name: string, n: number) => ({
  name,
  key: n.toString(16).padStart(64, "0"),
  date: "2026-11-29",
});

async function withFile(use: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(join(folder, "known_people"), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const open = (path: string) => openKnownPeople({ path, makesFolder: false });

Deno.test("who is remembered is known tomorrow, under any look of the name, until forgotten", async () => {
  await withFile(async (path) => {
    const people = await open(path);
    await people.remember(person("bob", 1));
    await people.remember(person("jane van doe", 2));
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    const tomorrow = await open(path);
    assert.deepEqual(tomorrow.all, [person("bob", 1), person("jane van doe", 2)]);
    assert.equal(tomorrow.byName("BOB")?.key, person("bob", 1).key);
    assert.equal(tomorrow.byKey(person("", 2).key)?.name, "jane van doe");
    assert.equal(tomorrow.byKey(undefined), undefined);
    // Another key under the name takes its place: the former one is worth nothing any more.
    await tomorrow.remember(person("Bob", 3));
    assert.equal(tomorrow.byKey(person("", 1).key), undefined);
    assert.equal(await tomorrow.forget("bob"), true);
    assert.equal(await tomorrow.forget("bob"), false);
    assert.deepEqual((await open(path)).all, [person("jane van doe", 2)]);
  });
});

Deno.test("two clients that remember somebody at once lose nobody", async () => {
  await withFile(async (path) => {
    const clients = await Promise.all([open(path), open(path), open(path)]);
    await Promise.all(
      clients.flatMap((client, c) =>
        [1, 2, 3, 4].map((n) => client.remember(person(`p${c}x${n}`, 10 * c + n)))
      ),
    );
    assert.equal((await open(path)).all.length, 12);
  });
});

Deno.test("a file is read as it was written, and what nobody of ours wrote is refused with its line", async () => {
  const good = "2026-11-29 ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE bob";
  const bad = [
    ["bob", "line 1"],
    [`# a comment\n\n${good}\nnonsense`, "line 4"],
    [good.replace("AAE", "AAF"), "line 1"],
    [good.replace("AAE", ""), "line 1"],
    [good.replace("bob", "a\u202eb"), "line 1"],
    [good.replace("bob", "server"), "line 1"],
    [`${good}\n`.repeat(4_000), "at most 262144"],
  ] as const;
  await withFile(async (path) => {
    await Deno.writeTextFile(path, `# comment\n${good}\r\n`, { mode: 0o600 });
    assert.deepEqual((await open(path)).all.map(({ name }) => name), ["bob"]);
    for (const [text, where] of bad) {
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      await assert.rejects(open(path), new RegExp(where), text.slice(0, 90));
    }
    await Deno.writeTextFile(path, "nonsense", { mode: 0o600 });
    await assert.rejects(open(path), ({ hint }: ConfigError) => /\/verify again/.test(hint ?? ""));
    await Deno.writeTextFile(path, good);
    await Deno.chmod(path, 0o666);
    await assert.rejects(open(path), /every user of this machine may change it/);
  });
});

Deno.test("no more people are remembered than a file may have", async () => {
  await withFile(async (path) => {
    const lines = Array.from(
      { length: KNOWN_PEOPLE_MAX },
      (_, n) => `2026-11-29 ed25519:${"A".repeat(43)} person ${n}\n`,
    );
    await Deno.writeTextFile(path, lines.join(""), { mode: 0o600 });
    const people = await open(path);
    await assert.rejects(people.remember(person("bob", 1)), LimitError);
    await people.remember(person("person 5", 1));
    assert.equal((await open(path)).byName("person 5")?.key, person("", 1).key);
  });
});

Deno.test("what was there stays whole where the new file cannot be written", async () => {
  await withFile(async (path, folder) => {
    const people = await open(path);
    await people.remember(person("bob", 1));
    // A folder in the place of the draft cannot be removed while something is in it.
    await Deno.mkdir(join(folder, "known_people.new", "full"), { recursive: true });
    await assert.rejects(people.remember(person("carol", 2)), /the system refused/);
    assert.deepEqual((await open(path)).all, [person("bob", 1)]);
    assert.equal(people.byName("carol"), undefined);
  });
});
