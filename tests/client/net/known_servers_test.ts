import assert from "node:assert/strict";
import { KnownServers } from "../../../client/net/known_servers.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";

const print = (letter: string) => `SHA256:${letter.repeat(42)}A` as Fingerprint;
const [A, B] = [print("A"), print("B")];

/** A file of known servers with this text, or none, for one test. */
async function withFile(
  text: string | undefined,
  test: (known: KnownServers, read: () => Promise<string>, path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-known-" });
  const path = `${folder}/known`;
  try {
    if (text !== undefined) await Deno.writeTextFile(path, text);
    await test(new KnownServers(path), () => Deno.readTextFile(path), path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a server is remembered for the owner of the file alone, and known from then on", () =>
  withFile(undefined, async (known, read, path) => {
    assert.equal(await known.find("a:1"), undefined);
    await known.remember("a:1", A);
    await known.remember("b:1", B);
    assert.deepEqual([await known.find("a:1"), await known.find("b:1")], [A, B]);
    assert.equal(await read(), `a:1 ${A}\nb:1 ${B}\n`);
    if (Deno.build.os !== "windows") {
      assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
  }));

Deno.test("the last line of an address counts, so that a server can be trusted again", () =>
  withFile(`a:1 ${A}\n`, async (known, read) => {
    await known.remember("a:1", B);
    assert.equal(await known.find("a:1"), B);
    assert.equal(await read(), `a:1 ${A}\na:1 ${B}\n`);
  }));

Deno.test("one server's port, or another's, is another address", () =>
  withFile(`a:1 ${A}\n`, async (known) => {
    assert.equal(await known.find("a:12"), undefined);
    assert.equal(await known.find("aa:1"), undefined);
  }));

Deno.test("comments and blank lines stay, and a last line without its end is no trap", () =>
  withFile(`# mine\n\n  a:1   ${A}`, async (known, read) => {
    assert.equal(await known.find("a:1"), A);
    await known.remember("b:1", B);
    assert.equal(await read(), `# mine\n\n  a:1   ${A}\nb:1 ${B}\n`);
  }));

Deno.test("a line that cannot be read is named by its number: silence there would trust anybody", async () => {
  for (const line of ["a:1", `a:1 ${A} more`, "a:1 SHA256:short", "a:1 MD5:abc"]) {
    await withFile(`# ok\n${line}\n`, async (known) => {
      await assert.rejects(
        known.find("a:1"),
        (error) =>
          error instanceof ConfigError &&
          /line 2 must be an address and a fingerprint/.test(error.message),
      );
    });
  }
});

Deno.test("a file that is a folder, too large or not to be written is a clear error", async () => {
  await withFile("#".repeat(1_048_577), async (known) => {
    await assert.rejects(known.find("a:1"), /at most 1048576 are read/);
  });
  await assert.rejects(new KnownServers("/").find("a:1"), ConfigError);
  await assert.rejects(new KnownServers("/no/such/folder/known").remember("a:1", A), ConfigError);
});

Deno.test("the folder beside the settings is made for its owner alone, another one is not", async () => {
  const home = await Deno.makeTempDir({ prefix: "cmdchat-known-" });
  try {
    const path = `${home}/.config/cmdchat/known_servers`;
    await assert.rejects(new KnownServers(path).remember("a:1", A), ConfigError);
    await new KnownServers(path, { makesFolder: true }).remember("a:1", A);
    assert.equal(await Deno.readTextFile(path), `a:1 ${A}\n`);
    if (Deno.build.os !== "windows") {
      assert.equal(((await Deno.stat(`${home}/.config/cmdchat`)).mode ?? 0) & 0o777, 0o700);
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
