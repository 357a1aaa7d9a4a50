import assert from "node:assert/strict";
import { checkCommand } from "../../../server/commands/check.ts";
import { readConfig } from "../../../server/config/server_options.ts";
import { ConfigError, UsageError } from "../../../shared/base/errors.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

async function check(args: readonly string[], set: Readonly<Record<string, string>> = {}) {
  const env = (name: string) => set[name];
  const lines: string[] = [];
  const code = await checkCommand(readConfig({ args, env }), {
    env,
    print: (line) => lines.push(line),
  });
  return { code, lines };
}

Deno.test("check says what a server would start with, and names variables without effect", async () => {
  assert.deepEqual(await check([], { CMDCHAT_TOKEN: "x" }), {
    code: 0,
    lines: [
      "warning: CMDCHAT_TOKEN has no effect: only the client reads it; CMDCHAT_TOKENS is read here",
      "tls: none",
      "tokens: none, open to everyone",
      "page: none",
      "fingerprint: a new one at each start",
      "the configuration is good",
    ],
  });
});

skipWithout("openssl")("check reads the files that the options name", async () => {
  await using made = await makeCertificate();
  const tls = ["--certfile", made.certFile, "--keyfile", made.keyFile];
  const { lines } = await check(tls, { CMDCHAT_TOKENS: "a,b" });
  assert.match(lines.join("\n"), /^tls: yes, good until \d{4}-\d\d-\d\d\ntokens: 2\n/);
});

Deno.test("check tells of an address that this machine does not have, for which a service would wait", async () => {
  const { code, lines } = await check(["--host", "203.0.113.7"]);
  assert.equal(code, 0);
  assert.match(
    lines.join("\n"),
    /^warning: this machine does not have the address 203\.0\.113\.7 now/m,
  );
  // A port that is taken is that of the server that runs.
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.equal((await check(["--port", String(taken.addr.port)])).code, 0);
});

const BAD: readonly (readonly [args: string[], set: Record<string, string>, says: RegExp])[] = [
  [["--port", "x"], {}, /^Cannot use --port/],
  [["--host", "nobody.invalid"], {}, /^Cannot listen on "nobody.invalid" .*not an address of this/],
  [["--web", "https://chat.example.org/"], {}, /^Cannot use --web .*it must be an origin/],
  [["--trusted-proxy", "nginx"], {}, /^Cannot use --trusted-proxy "nginx": it must be an address/],
  [["--bans-file", "/nowhere/bans"], {}, /^Cannot use --bans-file .*there is no such file$/],
  [["--invites"], {}, /^Cannot use --invites: the server needs no token/],
  [["--certfile", "x"], {}, /^Cannot use --certfile alone/],
  [["--tokens-file", "/nonexistent"], {}, /^Cannot use --tokens-file .* there is no such file$/],
  [["--identity-file", "/nonexistent"], {}, /^Cannot use --identity-file/],
  [["--nats", "127.0.0.1"], {}, /CMDCHAT_CLUSTER_KEY is not set$/],
  [["--nats", "ftp://x"], { CMDCHAT_CLUSTER_KEY: "A".repeat(43) }, /^Cannot use --nats/],
  [["--admin-listen", "0.0.0.0:1"], { CMDCHAT_ADMIN_TOKEN: "short" }, /CMDCHAT_ADMIN_TOKEN|token/],
];

for (const [args, set, says] of BAD) {
  Deno.test(`check refuses ${args.join(" ")} as a start does`, async () => {
    await assert.rejects(check(args, set), (error) => {
      assert.ok(error instanceof ConfigError || error instanceof UsageError, String(error));
      assert.match(error.message, says);
      return true;
    });
  });
}
