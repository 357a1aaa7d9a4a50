import assert from "node:assert/strict";
import { buildArgument, takeBuild, VERSION, versionText } from "../../../shared/base/version.ts";
import { readText } from "../../helpers/repo/sources.ts";

Deno.test("the version is the newest of CHANGELOG.md", async () => {
  const [, newest] = /^## (\d+\.\d+\.\d+)/m.exec(await readText("CHANGELOG.md")) ?? [];
  assert.equal(VERSION, newest);
});

Deno.test("what the build put before the user's arguments is split from them, and shown", () => {
  const { build, args } = takeBuild([buildArgument("1a2b3c 2026-01-31"), "--version"]);
  assert.deepEqual(args, ["--version"]);
  assert.equal(
    versionText("cmdchat-server", build),
    `cmdchat-server ${VERSION} (1a2b3c 2026-01-31)`,
  );
});

Deno.test("from source there is no build, and no argument of the user's is taken for one", () => {
  const typed = ["--port", "1", buildArgument("x")];
  assert.deepEqual(takeBuild(typed), { build: undefined, args: typed });
  assert.equal(versionText("cmdchat-client", undefined), `cmdchat-client ${VERSION}`);
});
