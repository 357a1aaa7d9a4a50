import assert from "node:assert/strict";
import { newIdentityText, openIdentity } from "../../../server/config/identity_file.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";

Deno.test("a file that keygen printed gives the same identity at every start", async () => {
  await using file = await makeIdentity();
  const [first, second] = [await openIdentity(file.path), await openIdentity(file.path)];
  assert.equal(first.fingerprint, second.fingerprint);
});

Deno.test("without a file each start has an identity of its own", async () => {
  const [first, second] = [await openIdentity(undefined), await openIdentity(undefined)];
  assert.notEqual(first.fingerprint, second.fingerprint);
});

Deno.test("a file that is missing, or holds something else, is refused and not repeated", async () => {
  await using wrong = await makeIdentity("-----BEGIN NONSENSE-----\nsecret words\n");
  for (const [path, why] of [["/no/such/identity", /no such file/], [wrong.path, /./]] as const) {
    await assert.rejects(openIdentity(path), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, why);
      assert.doesNotMatch(error.message, /secret words/);
      return true;
    });
  }
});

const unixTest = skipUnless(Deno.build.os !== "windows", "Windows has no mode bits");

unixTest(
  "a file that every user may read or change is refused; one for a group is taken",
  async () => {
    const text = await newIdentityText();
    for (const mode of [0o604, 0o602, 0o666]) {
      await using open = await makeIdentity(text, mode);
      await assert.rejects(
        openIdentity(open.path),
        (error) => error instanceof ConfigError && /chmod 600/.test(error.hint ?? ""),
      );
    }
    await using forGroup = await makeIdentity(text, 0o640);
    assert.ok(await openIdentity(forGroup.path));
  },
);
