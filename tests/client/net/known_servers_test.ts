import assert from "node:assert/strict";
import { KnownServers } from "../../../client/net/known_servers.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { IdentityError } from "../../../shared/channel/handshake_error.ts";

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

Deno.test("a new server is remembered, for its owner alone, and known from then on", () =>
  withFile(undefined, async (known, read, path) => {
    assert.equal(await known.check("a:1", A), "new");
    assert.equal(await known.check("a:1", A), "known");
    assert.equal(await known.check("b:1", B), "new");
    assert.equal(await read(), `a:1 ${A}\nb:1 ${B}\n`);
    if (Deno.build.os !== "windows") {
      assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    }
  }));

Deno.test("another fingerprint at a known address is refused with both, and nothing is written", () =>
  withFile(`a:1 ${A}\n`, async (known, read) => {
    await assert.rejects(known.check("a:1", B), (error) => {
      assert.ok(error instanceof IdentityError);
      assert.ok(error.message.includes(A) && error.message.includes(B), error.message);
      return /remove its line/.test(error.hint ?? "");
    });
    assert.equal(await read(), `a:1 ${A}\n`);
  }));

Deno.test("one server's port, or another's, is another address", () =>
  withFile(`a:1 ${A}\n`, async (known) => {
    assert.equal(await known.check("a:12", B), "new");
    assert.equal(await known.check("aa:1", B), "new");
  }));

Deno.test("comments and blank lines stay, and a last line without its end is no trap", () =>
  withFile(`# mine\n\n  a:1   ${A}`, async (known, read) => {
    assert.equal(await known.check("a:1", A), "known");
    assert.equal(await known.check("b:1", B), "new");
    assert.equal(await read(), `# mine\n\n  a:1   ${A}\nb:1 ${B}\n`);
  }));

Deno.test("a line that cannot be read is named by its number: silence there would trust anybody", async () => {
  for (const line of ["a:1", `a:1 ${A} more`, "a:1 SHA256:short", "a:1 MD5:abc"]) {
    await withFile(`# ok\n${line}\n`, async (known) => {
      await assert.rejects(
        known.check("a:1", A),
        (error) =>
          error instanceof ConfigError &&
          /line 2 must be an address and a fingerprint/.test(error.message),
      );
    });
  }
});

Deno.test("a file that is a folder, too large or not to be written is a clear error", async () => {
  await withFile("#".repeat(1_048_577), async (known) => {
    await assert.rejects(known.check("a:1", A), /at most 1048576 are read/);
  });
  await assert.rejects(new KnownServers("/").check("a:1", A), ConfigError);
  await assert.rejects(new KnownServers("/no/such/folder/known").check("a:1", A), ConfigError);
});
