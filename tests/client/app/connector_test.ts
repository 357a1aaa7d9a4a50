import assert from "node:assert/strict";
import { Connector, readAccess } from "../../../client/app/connector.ts";
import { readConfig } from "../../../client/config/read_options.ts";
import { withoutKeyPairs } from "../../helpers/fakes/no_key_pairs.ts";

Deno.test("a program whose protocol could not be loaded tries that again when it dials again", async () => {
  const config = readConfig({
    args: ["--host", "127.0.0.1", "--port", "1", "--name", "alice"],
    env: () => undefined,
    readLine: () => "",
  });
  const loads = [Promise.reject(new Error("no memory")), Promise.resolve()];
  const user = { tell: () => {}, askToken: undefined, shown: () => loads.shift()! };
  const connector = new Connector(config, await readAccess(config), user);
  const place = { name: "alice", rooms: [["lobby", 0]] as const, ticket: undefined };
  const dial = () => connector.dial(place, new AbortController().signal);
  await assert.rejects(dial(), /no memory/);
  await assert.rejects(dial(), /Cannot connect to "127.0.0.1:1"/);
});

Deno.test("a key pair that cannot be made ends no program, and whoever dials hears of it", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const config = readConfig({
    args: ["--host", "127.0.0.1", "--port", String(listener.addr.port), "--name", "alice"],
    env: () => undefined,
    readLine: () => "",
  });
  const shown = Promise.withResolvers<void>();
  const user = { tell: () => {}, askToken: undefined, shown: () => shown.promise };
  const { unhandled, result: connector } = await withoutKeyPairs(async () =>
    new Connector(config, await readAccess(config), user)
  );
  assert.deepEqual(unhandled, []);
  const place = { name: "alice", rooms: [["lobby", 0]] as const, ticket: undefined };
  const dialing = connector.dial(place, new AbortController().signal);
  shown.resolve();
  await assert.rejects(dialing, /no keys today/);
  (await listener.accept()).close();
});
