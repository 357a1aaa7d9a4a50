import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { NetworkSet } from "../../../server/limits/network_set.ts";
import { ServedRelay } from "../../../server/commands/served_relay.ts";
import { requestHandOver } from "../../../server/commands/take_over.ts";
import { listen } from "../../../server/net/listen.ts";
import { decodeHandOver } from "../../../server/relay/hand_over_state.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { loadKem } from "../../../shared/crypto/kem.ts";
import { configOf } from "../../helpers/peers/relay.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

async function openServed(log = getLogger("served-relay-test")): Promise<ServedRelay> {
  const files = { tls: undefined, tokens: [] };
  const bans = new NetworkSet();
  return new ServedRelay({
    bans,
    config: configOf(),
    log,
    identity: await generateIdentity(),
    cluster: undefined,
    listener: await listen({ host: "127.0.0.1", port: 0, tls: undefined }),
    files,
    page: undefined,
  });
}

Deno.test("resume() serves again what handOver() gave away, on the same port, with the same sessions", async () => {
  const served = await openServed();
  const serving = served.serve();
  const { port } = served.listener.address;
  await using alice = await V2Peer.join({ port, hello: { name: "alice" } });
  const state = decodeHandOver(await served.handOver());
  assert.equal(state.relay.sessions.length, 1);
  assert.ok(served.relay.stopping);
  await Promise.all([serving, alice.ended]);
  await assert.rejects(V2Peer.join({ port }));
  const again = served.resume();
  const { session, secret } = alice.welcome;
  await using back = await joinSoon(port, { name: "alice", session, secret });
  assert.equal(back.welcome.resumed, true);
  assert.ok(!served.relay.stopping);
  const { handshakes, counters } = served.relay.metrics;
  assert.deepEqual([handshakes.v2, handshakes.resumed], [1, 1], "and counts on");
  assert.ok(counters.connectionsAccepted >= 2);
  await Promise.all([served.stop(), again]);
});

Deno.test("a server that serves again after a hand-over that nobody took up encapsulates as before", async () => {
  const served = await openServed();
  const serving = served.serve();
  const kem = await loadKem();
  let count = 0;
  served.useEncapsulation((publicKey) => {
    count++;
    return kem.encapsulate(publicKey);
  });
  const { port } = served.listener.address;
  await using alice = await V2Peer.join({ port, hello: { name: "alice" } });
  assert.equal(count, 1);
  await served.handOver();
  await Promise.all([serving, alice.ended]);
  const again = served.resume();
  await using _bob = await joinSoon(port, { name: "bob" });
  assert.equal(count, 2);
  await Promise.all([served.stop(), again]);
});

Deno.test("resume() waits for its port, says so once, and ends when the server is stopped meanwhile", async () => {
  const told: string[] = [];
  const warning = (text: string) => void told.push(text);
  const log = Object.assign(getLogger("served-relay-waits"), { warning });
  const served = await openServed(log);
  const serving = served.serve();
  await served.handOver();
  await serving;
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: served.listener.address.port });
  const again = served.resume();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await served.stop();
  await again;
  assert.deepEqual(told, ["cannot listen again yet"]);
});

Deno.test("requestHandOver() finds nobody, refuses to ask without a token, and gives up in its time", async () => {
  const address = { hostname: "127.0.0.1", port: 1 };
  assert.equal(await requestHandOver({ address, token: "a token" }), undefined);
  await assert.rejects(requestHandOver({ address, token: undefined }), ConfigError);
  await using busy = openBusyServer();
  const asked = requestHandOver({ address: busy.address, token: "a token", patienceMs: 400 });
  await assert.rejects(asked, /it answers 503/);
  assert.ok(busy.requests > 1, `${busy.requests} attempts`);
});

async function joinSoon(port: number, hello: Record<string, unknown>): Promise<V2Peer> {
  for (;;) {
    try {
      return await V2Peer.join({ port, hello });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
  }
}

function openBusyServer() {
  let requests = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    requests++;
    return new Response("busy", { status: 503 });
  });
  return {
    address: { hostname: "127.0.0.1", port: server.addr.port },
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
