import assert from "node:assert/strict";
import fc from "fast-check";
import { type HistoryEntry, openHistory, readHistory } from "../../../client/history/history.ts";
import { HEADER_BYTES } from "../../../client/history/history_format.ts";
import { ConfigError, CryptoError, LimitError, UsageError } from "../../../shared/base/errors.ts";
import {
  chatEntry,
  CHEAP,
  readTexts,
  temporaryHistory,
  writeHistory,
} from "../../helpers/fakes/history.ts";

const PASSPHRASE = "open sesame";

Deno.test("history keeps entries with all their fields over closing and opening", async () => {
  await using place = await temporaryHistory();
  const entries: HistoryEntry[] = [
    chatEntry("grüße 你好 👋"),
    { kind: "system", time: "2026-11-23T18:00:01Z", room: "lobby", text: "bob left" },
    { ...chatEntry("two\nlines", 9), newerField: { a: [1] } } as HistoryEntry,
  ];
  for (const entry of entries) {
    await using history = await openHistory(place.path, PASSPHRASE, CHEAP);
    await history.append(entry);
  }
  await using history = await openHistory(place.path, PASSPHRASE, CHEAP);
  assert.deepEqual(await Array.fromAsync(history.entries()), entries);
  assert.deepEqual(await Array.fromAsync(readHistory(place.path, PASSPHRASE)), entries);
});

Deno.test("history keeps the order of appends that nobody awaits, and close() waits for them", async () => {
  await using place = await temporaryHistory();
  const texts = Array.from({ length: 200 }, (_, index) => `message ${index}`);
  const history = await openHistory(place.path, PASSPHRASE, CHEAP);
  const appends = texts.map((text) => history.append(chatEntry(text)));
  await history.close();
  await Promise.all(appends);
  assert.deepEqual((await readTexts(place.path)).texts, texts);
});

Deno.test("history reads while it is appended to, up to where it was", async () => {
  await using place = await temporaryHistory();
  await using history = await openHistory(place.path, PASSPHRASE, CHEAP);
  const large = "x".repeat(100_000);
  for (let index = 0; index < 8; index++) await history.append(chatEntry(large));
  let seen = 0;
  for await (const entry of history.entries()) {
    assert.equal(entry.text, large);
    await history.append(chatEntry(`later ${seen++}`));
  }
  assert.equal(seen, 8);
  assert.equal((await Array.fromAsync(history.entries())).length, 16);
});

Deno.test("history holds no plaintext and belongs to its owner alone", async () => {
  await using place = await temporaryHistory();
  const [, bytes] = await writeHistory(place.path, ["the-secret-word"]);
  assert.equal(new TextDecoder("latin1").decode(bytes).includes("secret"), false);
  const { mode } = await Deno.stat(place.path);
  if (mode !== null) assert.equal(mode & 0o777, 0o600);
});

Deno.test("openHistory() refuses a wrong passphrase and changes not one byte", async () => {
  await using place = await temporaryHistory();
  const bytes = (await writeHistory(place.path, ["one", "two"])).at(-1);
  for (const wrong of ["open sesamE", "x", PASSPHRASE + " "]) {
    await assert.rejects(openHistory(place.path, wrong, CHEAP), CryptoError);
    assert.ok((await readTexts(place.path, wrong)).error instanceof CryptoError);
  }
  await assert.rejects(openHistory(place.path, "", CHEAP), UsageError);
  assert.deepEqual(await Deno.readFile(place.path), bytes);
});

Deno.test("openHistory() takes a passphrase in whichever Unicode form it was typed", async () => {
  await using place = await temporaryHistory();
  await writeHistory(place.path, ["one"], "gr\u00fc\u00dfe");
  assert.deepEqual((await readTexts(place.path, "gru\u0308\u00dfe")).texts, ["one"]);
});

Deno.test("a write cut off at any byte loses nothing written before", async () => {
  await using place = await temporaryHistory();
  const [, before, whole] = await writeHistory(place.path, ["kept", "cut"]);
  assert.ok(before && whole);
  for (let length = before.length + 1; length < whole.length; length++) {
    await Deno.writeFile(place.path, whole.subarray(0, length));
    const notices: string[] = [];
    const history = await openHistory(place.path, PASSPHRASE, {
      ...CHEAP,
      onNotice: (text) => notices.push(text),
    });
    assert.equal(notices.length, 1, `no notice at ${length}`);
    assert.equal((await Deno.stat(place.path)).size, length, "opening alone changes nothing");
    await history.append(chatEntry("after"));
    await history.close();
    assert.deepEqual(await readTexts(place.path), { texts: ["kept", "after"], notices: [] });
  }
});

Deno.test("a crash while the file is created leaves a file that can be opened", async () => {
  await using place = await temporaryHistory();
  const [header] = await writeHistory(place.path, []);
  assert.ok(header);
  for (const length of [0, 16, 30, HEADER_BYTES - 1]) {
    await Deno.writeFile(place.path, header.subarray(0, length));
    await writeHistory(place.path, ["first"]);
    assert.deepEqual((await readTexts(place.path)).texts, ["first"]);
  }
});

Deno.test("a tail of zeros, as a power cut leaves it, is a write that was cut off", async () => {
  await using place = await temporaryHistory();
  const [, before, whole] = await writeHistory(place.path, ["kept", "cut".repeat(100)]);
  assert.ok(before && whole);
  for (const from of [before.length, before.length + 32, whole.length - 40, whole.length - 16]) {
    const bytes = whole.slice().fill(0, from);
    await Deno.writeFile(place.path, bytes);
    const { texts, error, notices } = await readTexts(place.path);
    assert.deepEqual([texts, error, notices.length], [["kept"], undefined, 1]);
  }
});

Deno.test("a bit flipped anywhere is detected, and no entry before it is lost or altered", async () => {
  await using place = await temporaryHistory();
  const texts = ["first entry", "second entry", "third entry"];
  const bytes = (await writeHistory(place.path, texts)).at(-1)!;
  const flips = fc.nat(bytes.length * 8 - 1);
  await fc.assert(
    fc.asyncProperty(flips, async (bit) => {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await Deno.writeFile(place.path, changed);
      const result = await readTexts(place.path);
      assert.ok(result.error instanceof CryptoError || result.error instanceof ConfigError);
      assert.deepEqual(result.texts, texts.slice(0, result.texts.length));
      await assert.rejects(openHistory(place.path, PASSPHRASE, CHEAP));
      assert.deepEqual(await Deno.readFile(place.path), changed, "a damaged file is left as it is");
    }),
    { numRuns: 250 },
  );
});

Deno.test("a length changed so that it points behind the end is no cut-off write", async () => {
  await using place = await temporaryHistory();
  const [header, , whole] = await writeHistory(place.path, ["one", "two"]);
  const changed = whole!.slice();
  changed[header!.length + 2] = 0xff;
  await Deno.writeFile(place.path, changed);
  const { texts, error, notices } = await readTexts(place.path);
  assert.ok(error instanceof CryptoError);
  assert.deepEqual([texts, notices], [[], []]);
});

Deno.test("records swapped, repeated, left out or brought from another file are detected", async () => {
  await using place = await temporaryHistory();
  const states = await writeHistory(place.path, ["aaaa", "bbbb", "cccc"]);
  const other = await writeHistory(`${place.folder}/other`, ["aaaa", "bbbb", "cccc"]);
  const cut = (from: Uint8Array[], index: number) =>
    from.at(-1)!.subarray(from[index]!.length, from[index + 1]!.length);
  const header = states[0]!;
  const [a, b, c] = [cut(states, 0), cut(states, 1), cut(states, 2)];
  const foreign = cut(other, 1);
  const cases: [string, Uint8Array[], string[]][] = [
    ["swapped", [header, b, a, c], []],
    ["repeated", [header, a, a, b, c], ["aaaa"]],
    ["repeated at the end", [header, a, b, c, c], ["aaaa", "bbbb", "cccc"]],
    ["first left out", [header, b, c], []],
    ["middle left out", [header, a, c], ["aaaa"]],
    ["from another file", [header, a, foreign, c], ["aaaa"]],
    ["under another header", [other[0]!, a, b, c], []],
  ];
  for (const [name, parts, readable] of cases) {
    await Deno.writeFile(place.path, new Uint8Array(parts.flatMap((part) => [...part])));
    const { texts, error } = await readTexts(place.path);
    assert.ok(error instanceof CryptoError, name);
    assert.deepEqual(texts, readable, name);
    await assert.rejects(openHistory(place.path, PASSPHRASE, CHEAP), CryptoError, name);
  }
});

Deno.test("records cut off the end whole go unnoticed, as the threat model says", async () => {
  await using place = await temporaryHistory();
  const states = await writeHistory(place.path, ["one", "two"]);
  await Deno.writeFile(place.path, states[1]!);
  assert.deepEqual(await readTexts(place.path), { texts: ["one"], notices: [] });
});

Deno.test("a history has one writer at a time, and readers beside it", async () => {
  await using place = await temporaryHistory();
  {
    await using history = await openHistory(place.path, PASSPHRASE, CHEAP);
    await history.append(chatEntry("one"));
    await assert.rejects(
      openHistory(place.path, PASSPHRASE, CHEAP),
      (error) => error instanceof ConfigError && /another client/.test(error.message),
    );
    assert.deepEqual((await readTexts(place.path)).texts, ["one"]);
    await history.append(chatEntry("two"));
  }
  await writeHistory(place.path, ["three"]);
  assert.deepEqual((await readTexts(place.path)).texts, ["one", "two", "three"]);
});

Deno.test("an append that the disk cuts short is told, and the next one repairs the file", async () => {
  await using place = await temporaryHistory();
  await using history = await openHistory(place.path, PASSPHRASE, CHEAP);
  await history.append(chatEntry("one"));
  const write = Deno.FsFile.prototype.write;
  try {
    let calls = 0;
    Deno.FsFile.prototype.write = function (bytes) {
      if (calls++ > 0) return Promise.reject(new Error("no space left on device"));
      return write.call(this, bytes.subarray(0, 20));
    };
    await assert.rejects(history.append(chatEntry("two")), ConfigError);
  } finally {
    Deno.FsFile.prototype.write = write;
  }
  assert.deepEqual((await readTexts(place.path)).texts, ["one"]);
  await history.append(chatEntry("three"));
  assert.deepEqual(await readTexts(place.path), { texts: ["one", "three"], notices: [] });
});

Deno.test("an append to a file that another program cut is refused", async () => {
  await using place = await temporaryHistory();
  await using history = await openHistory(place.path, PASSPHRASE, CHEAP);
  await history.append(chatEntry("one"));
  await Deno.truncate(place.path, 100);
  await assert.rejects(history.append(chatEntry("two")), ConfigError);
  assert.equal((await Deno.stat(place.path)).size, 100);
});

Deno.test("append() refuses an entry that is too large, and any after close()", async () => {
  await using place = await temporaryHistory();
  const history = await openHistory(place.path, PASSPHRASE, CHEAP);
  await assert.rejects(history.append(chatEntry("x".repeat(1_100_000))), LimitError);
  await history.append(chatEntry("fits"));
  await history.close();
  await history.close();
  await assert.rejects(history.append(chatEntry("late")), UsageError);
});

Deno.test("a program killed while it writes loses no entry that it was told is stored", async () => {
  await using place = await temporaryHistory();
  const script = new URL("../../helpers/programs/history_writer.ts", import.meta.url);
  const args = ["run", "-A", "--no-check", script.href, place.path];
  const writer = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  let [printed, killed] = ["", false];
  for await (const text of writer.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (killed || !/^50$/m.test(printed)) continue;
    killed = true;
    writer.kill("SIGKILL");
  }
  await writer.status;
  const stored = printed.split("\n").filter((line) => line !== "").length;
  assert.ok(stored > 50);
  const onNotice = () => {};
  await using history = await openHistory(place.path, PASSPHRASE, { ...CHEAP, onNotice });
  await history.append(chatEntry("after"));
  const texts = (await Array.fromAsync(history.entries())).map(({ text }) => text.split(" ")[0]);
  assert.deepEqual(
    texts.slice(0, stored),
    Array.from({ length: stored }, (_, index) => `${index}`),
  );
  assert.equal(texts.at(-1), "after");
});
