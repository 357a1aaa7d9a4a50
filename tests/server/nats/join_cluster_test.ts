import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { joinCluster } from "../../../server/nats/join_cluster.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { configOf } from "../../helpers/peers/relay.ts";

const SECRET = "A".repeat(43);

function open(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return joinCluster(configOf(args), {
    env: (name: string) => env[name],
    log: getLogger("test"),
    identity: "fingerprint",
    tellAll() {},
    onWaiting() {},
  });
}

Deno.test("a server without --nats is alone", async () => {
  assert.equal(await open([]), undefined);
});

Deno.test("what is missing or wrong for a cluster is one error that holds no secret", async () => {
  const key = { CMDCHAT_CLUSTER_KEY: SECRET };
  const nowhere = ["--nats", "nats://127.0.0.1:1"];
  const cases: readonly (readonly [string[], Record<string, string>, RegExp])[] = [
    [nowhere, {}, /CMDCHAT_CLUSTER_KEY is not set/],
    [nowhere, { CMDCHAT_CLUSTER_KEY: "hunter2" }, /32 bytes in base64url/],
    [["--nats", "nats://user:hunter2@127.0.0.1:1"], key, /an address has credentials in it$/],
    [nowhere, { ...key, CMDCHAT_NATS_PASSWORD: "hunter2" }, /CMDCHAT_NATS_USER is not set$/],
    [nowhere, { ...key, CMDCHAT_NATS_NKEY: "hunter2" }, /not the seed of a user/],
    [[...nowhere, "--nats-certfile", "x"], key, /give both, or neither$/],
    [[...nowhere, "--nats-ca", "/no/such/file"], key, /--nats-ca .*no such file/],
  ];
  for (const [args, env, pattern] of cases) {
    await assert.rejects(
      open(args, env),
      (error) =>
        error instanceof ConfigError && pattern.test(error.message) &&
        !/hunter2/.test(`${error.message} ${error.hint}`),
      String(pattern),
    );
  }
});
