import assert from "node:assert/strict";
import { loadedWith } from "../../helpers/repo/loaded_with.ts";

Deno.test("the server loads no relay for --version and health, no client of NATS before it is asked for, and one kind of zod", async () => {
  const withServe = await loadedWith("server/commands/serve.ts");
  for (const path of ["server/relay/relay.ts", "server/nats/join_cluster.ts", "zod/mini"]) {
    assert.ok(withServe.has(path), `serve loads ${path}`);
  }
  const later = ["@nats-io/transport-node", "@nats-io/jetstream", "server/nats/nats_backplane.ts"];
  assert.deepEqual([...later, "zod"].filter((path) => withServe.has(path)), []);
  const withMain = await loadedWith("server/main.ts");
  assert.ok(withMain.has("server/config/server_options.ts"));
  const relay = ["server/commands/serve.ts", "server/relay/relay.ts", "@logtape/logtape", "cborg"];
  assert.deepEqual([...later, ...relay, "zod"].filter((path) => withMain.has(path)), []);
  const withHealth = await loadedWith("server/commands/health_and_top.ts");
  assert.deepEqual([...later, ...relay].filter((path) => withHealth.has(path)), []);
});
