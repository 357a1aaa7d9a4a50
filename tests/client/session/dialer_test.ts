import assert from "node:assert/strict";
import { Dialer, type DialerOptions } from "../../../client/session/dialer.ts";
import { UnauthorizedError } from "../../../client/session/refusal.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { ServerGate } from "../../../client/session/server_gate.ts";
import { ManualClock, turns } from "../../helpers/fakes/chat_fakes.ts";
import { withoutKeyPairs } from "../../helpers/fakes/no_key_pairs.ts";
import { V1Server } from "../../helpers/peers/v1_server.ts";

const PLACE = { name: "alice", rooms: [["lobby", 0]] as const, ticket: undefined };
const never = new AbortController().signal;

function gate(token?: string): ServerGate {
  return new ServerGate({
    address: "127.0.0.1",
    token,
    pinned: undefined,
    known: undefined,
    isCertified: false,
    isDirect: true,
    tell: () => {},
  });
}

function dialer(
  port: number,
  { token, ...options }: Partial<DialerOptions> & { readonly token?: string } = {},
): Dialer {
  return new Dialer({
    endpoint: { host: "127.0.0.1", port, tls: undefined },
    gate: gate(token),
    renderer: "rich",
    bufferSize: 200,
    clock: new ManualClock(),
    onInsecure: () => {},
    onV1: () => {},
    ...options,
  });
}

Deno.test("each session has a key pair of its own", async () => {
  await using server = new V1Server();
  const made = dialer(server.port);
  const keys: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    const [link, session] = await Promise.all([server.join(), made.dial(PLACE, never)]);
    keys.push(link.handshake["public_key"]);
    assert.equal(session.welcome.client, 7);
    session.close();
  }
  assert.notEqual(keys[0], keys[1]);
});

Deno.test("after a key pair that could not be made the next attempt makes another", async () => {
  await using server = new V1Server();
  const made = dialer(server.port);
  const { result, unhandled } = await withoutKeyPairs(async () => {
    const [outcome] = await Promise.allSettled([made.dial(PLACE, never), server.join()]);
    return outcome;
  });
  assert.deepEqual([result.status, unhandled], ["rejected", []]);
  const [, session] = await Promise.all([server.join(), made.dial(PLACE, never)]);
  session.close();
});

Deno.test("a token is asked for where none was given and the server wants one", async () => {
  const answer = (handshake: Record<string, unknown>) =>
    handshake["token"] === "right"
      ? undefined
      : { type: "handshake_error", reason: "unauthorized" };
  await using server = new V1Server({ answer });
  const join = async () => {
    const refused = await server.join();
    refused.close();
    return await server.join();
  };
  const asking = dialer(server.port, { askToken: () => Promise.resolve("right") });
  const [link, session] = await Promise.all([join(), asking.dial(PLACE, never)]);
  assert.equal(link.handshake["token"], "right");
  session.close();
});

Deno.test("a token that was given and is wrong is not asked for again", async () => {
  const answer = () => ({ type: "handshake_error", reason: "unauthorized" });
  await using server = new V1Server({ answer });
  const made = dialer(server.port, { token: "wrong", askToken: () => Promise.resolve("right") });
  const [, result] = await Promise.allSettled([server.join(), made.dial(PLACE, never)]);
  assert.ok(result.status === "rejected" && result.reason instanceof UnauthorizedError);
});

Deno.test("a server that takes the connection and says nothing is given up after 15 s", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const clock = new ManualClock();
  const dialing = dialer(listener.addr.port, { clock }).dial(PLACE, never);
  const conn = await accepting;
  await conn.read(new Uint8Array(1_024));
  const rejected = assert.rejects(dialing, /did not answer within 15 s/);
  await clock.pass(15_000);
  await rejected;
  conn.close();
  listener.close();
});

Deno.test("a server that takes the connection and says nothing is told of after 3 s, once, with what may be wrong", async () => {
  const plain = /it may speak TLS there \(--tls\)/;
  const tls = /it may not speak TLS there \(leave --tls out\)/;
  const settings = { caCerts: [], insecure: false };
  const cases = [[undefined, plain], [settings, tls], [
    { ...settings, insecure: true },
    tls,
  ]] as const;
  for (const [tls, hint] of cases) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const clock = new ManualClock();
    const told: string[] = [];
    const endpoint = { host: "127.0.0.1", port: listener.addr.port, tls };
    const onSilent = (text: string, hint: string) => void told.push(`${text}\n${hint}`);
    const made = dialer(listener.addr.port, { clock, endpoint, onSilent });
    for (let attempt = 0; attempt < 2; attempt++) {
      const dialing = made.dial(PLACE, never);
      const conn = await listener.accept();
      await conn.read(new Uint8Array(1_024));
      await clock.pass(2_999);
      assert.equal(told.length, attempt);
      await clock.pass(1);
      assert.equal(told.length, 1);
      assert.match(
        told[0] ?? "",
        /^"127\.0\.0\.1:\d+" took the connection, and has said nothing for 3 s\n/,
      );
      assert.match(told[0] ?? "", hint);
      const rejected = assert.rejects(dialing, (error) => {
        assert.ok(error instanceof ConnectionError);
        assert.match(error.message, /it took the connection, and did not answer within 15 s$/);
        assert.match(error.hint ?? "", hint);
        return true;
      });
      await clock.pass(12_000);
      await rejected;
      conn.close();
    }
    listener.close();
  }
});

Deno.test("a proxy that takes the connection and says nothing is given up after 60 s", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const clock = new ManualClock();
  const { port } = listener.addr;
  const proxy = { kind: "socks5", host: "127.0.0.1", port, auth: undefined } as const;
  const endpoint = { host: "chat.example.org", port: 5050, tls: undefined, proxy };
  const dialing = dialer(port, { clock, endpoint }).dial(PLACE, never);
  const conn = await accepting;
  await conn.read(new Uint8Array(1_024));
  const rejected = assert.rejects(dialing, /: it did not answer within 60 s/);
  await clock.pass(60_000);
  await rejected;
  // It is let go as well.
  assert.equal(await conn.read(new Uint8Array(1_024)), null);
  conn.close();
  listener.close();
});

Deno.test("an abort ends an attempt at once", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const ending = new AbortController();
  const dialing = dialer(listener.addr.port).dial(PLACE, ending.signal);
  const conn = await accepting;
  await conn.read(new Uint8Array(1_024));
  const rejected = assert.rejects(dialing);
  ending.abort();
  await rejected;
  await turns();
  conn.close();
  listener.close();
});

Deno.test("who leaves before the attempt begins is not taken to the server", async () => {
  const refusing = dialer(1);
  await assert.rejects(refusing.dial(PLACE, AbortSignal.abort()), { name: "AbortError" });
});

Deno.test("each attempt that trusts whoever answers is told", async () => {
  let told = 0;
  const tls = { caCerts: [], insecure: true };
  const made = dialer(1, {
    endpoint: { host: "127.0.0.1", port: 1, tls },
    onInsecure: () => told++,
  });
  await assert.rejects(made.dial(PLACE, never));
  await assert.rejects(made.dial(PLACE, never));
  assert.equal(told, 2);
});

Deno.test("a server that hangs is left for another address of the name within the attempt, after 4 s", async () => {
  await using server = new V1Server();
  const { port } = server;
  const hanging = Deno.listen({ hostname: "127.0.0.2", port });
  const accepting = hanging.accept();
  const clock = new ManualClock();
  const made = dialer(port, {
    clock,
    endpoint: { host: "127.0.0.2", port, tls: undefined },
    resolve: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]),
  });
  const joining = server.join();
  const dialing = made.dial(PLACE, never);
  const conn = await accepting;
  await conn.read(new Uint8Array(1_024));
  await clock.pass(4_000);
  const [, session] = await Promise.all([joining, dialing]);
  session.close();
  conn.close();
  hanging.close();
});

Deno.test("after a session the next attempt goes elsewhere, by chance, and comes back to its address last", async () => {
  await using server = new V1Server();
  const { port } = server;
  const asked: string[] = [];
  const others = ["127.0.0.2", "127.0.0.3"].map((hostname) => ({
    hostname,
    listener: Deno.listen({ hostname, port }),
  }));
  for (const { hostname, listener } of others) {
    void (async () => {
      for await (const conn of listener) {
        asked.push(hostname);
        conn.close();
      }
    })();
  }
  let chance = 1;
  const made = dialer(port, {
    resolve: () => Promise.resolve(["127.0.0.1", "127.0.0.2", "127.0.0.3"]),
    random: () => chance /= 2,
  });
  for (let n = 0; n < 2; n++) {
    const [, session] = await Promise.all([server.join(), made.dial(PLACE, never)]);
    session.close();
  }
  assert.deepEqual(asked, ["127.0.0.3", "127.0.0.2"]);
  for (const { listener } of others) listener.close();
});

Deno.test("a refusal of a server is not taken to another one", async () => {
  const answer = () => ({ type: "handshake_error", reason: "unauthorized" });
  await using server = new V1Server({ answer });
  const made = dialer(server.port, {
    token: "wrong",
    resolve: () => Promise.resolve(["127.0.0.1", "127.0.0.3"]),
  });
  const [, result] = await Promise.allSettled([server.join(), made.dial(PLACE, never)]);
  assert.ok(result.status === "rejected" && result.reason instanceof UnauthorizedError);
});

Deno.test("an address that refuses connections is passed over within the attempt", async () => {
  await using server = new V1Server();
  const made = dialer(server.port, {
    resolve: () => Promise.resolve(["127.0.0.1", "127.0.0.3"]),
  });
  for (let n = 0; n < 2; n++) {
    const [, session] = await Promise.all([server.join(), made.dial(PLACE, never)]);
    session.close();
  }
});
