import assert from "node:assert/strict";
import { KnownServers } from "../../../client/net/known_servers.ts";
import { ServerCheck, type ServerCheckOptions } from "../../../client/net/server_check.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { IdentityError } from "../../../shared/channel/handshake_error.ts";

const [A, B] = ["A", "B"].map((letter) => `SHA256:${letter.repeat(42)}A` as Fingerprint) as [
  Fingerprint,
  Fingerprint,
];

function checker(options: Partial<ServerCheckOptions> = {}) {
  const told: string[] = [];
  let changed = 0;
  const check = new ServerCheck({
    ...{ address: "a:1", known: undefined, pinned: false, hasToken: () => false },
    onChanged: () => changed++,
    tell: (level, text, hint) =>
      told.push(`${level}: ${text}${hint === undefined ? "" : ` (${hint})`}`),
    ...options,
  });
  return {
    check: (fingerprint: Fingerprint) => check.check(fingerprint),
    told,
    changed: () => changed,
  };
}

Deno.test("the first server is shown once, with what to compare it with", async () => {
  const { check, told } = checker();
  await check(A);
  await check(A);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? "", new RegExp(`^info: The server is ${A} \\(compare it with the line`));
});

Deno.test("another server than before is told in red, and what waits is held back", async () => {
  const { check, told, changed } = checker();
  await check(A);
  await check(B);
  assert.match(
    told[1] ?? "",
    new RegExp(`^danger: The server is another than before: ${B}, it was ${A}`),
  );
  assert.equal(changed(), 1);
});

Deno.test("a token is not handed to another server than before, whoever it is", async () => {
  const { check, changed } = checker({ hasToken: () => true });
  await check(A);
  await assert.rejects(check(B), IdentityError);
  assert.equal(changed(), 0);
});

Deno.test("who is pinned was checked already, and nothing is said", async () => {
  const { check, told } = checker({ pinned: true, hasToken: () => true });
  await check(A);
  await check(B);
  assert.deepEqual(told, []);
});

Deno.test("with known servers a new one is remembered and said, a known one is not, a changed one ends it", async () => {
  const path = await Deno.makeTempFile({ prefix: "cmdchat-known-" });
  try {
    const { check, told } = checker({ known: new KnownServers(path) });
    await check(A);
    await check(A);
    assert.deepEqual(told, [`info: a:1 is remembered as ${A}`]);
    await assert.rejects(check(B), IdentityError);
  } finally {
    await Deno.remove(path);
  }
});
