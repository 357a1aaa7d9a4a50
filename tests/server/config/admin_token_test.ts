import assert from "node:assert/strict";
import { type PageTokenSources, readPageToken } from "../../../server/config/admin_token.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

function of(value: string | undefined, file?: string): PageTokenSources {
  return {
    env: (name) => name === "CMDCHAT_ADMIN_TOKEN" ? value : undefined,
    files: { "admin-token-file": file },
  };
}

const readAdminToken = (sources: PageTokenSources) => readPageToken("admin", sources);

Deno.test("the admin token of a variable loses what a .env file adds", () => {
  for (const text of ["t", " t ", "t\r", "\ufefft\r\n"]) {
    assert.equal(readAdminToken(of(text)), "t");
  }
  for (const text of [undefined, "", " ", "\r"]) assert.equal(readAdminToken(of(text)), undefined);
});

Deno.test("two admin tokens, quotes and several lines are refused in clear words", async () => {
  assert.throws(() => readAdminToken(of("'t'")), {
    message: "Cannot use CMDCHAT_ADMIN_TOKEN: line 1 is in quotes, which would be a part of it",
  });
  assert.throws(() => readAdminToken(of("a\nb")), {
    message: "Cannot use CMDCHAT_ADMIN_TOKEN: it has several lines, and must have one",
  });
  assert.throws(() => readAdminToken(of("t", "/nonexistent")), ConfigError);
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "a\nb\n");
  assert.throws(() => readAdminToken(of(undefined, path)), {
    message: /: it has several lines, and must hold one$/,
  });
  await Deno.writeTextFile(path, "\ufeffa\r\n");
  assert.equal(readAdminToken(of(undefined, path)), "a");
  await Deno.remove(path);
});
