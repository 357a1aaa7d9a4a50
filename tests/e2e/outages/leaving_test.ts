// A client that leaves while the server goes on sending: its goodbye arrives, whatever carries it. What the kernel holds
// unread when a socket is closed makes it reset the connection, and the server would never see the last word.

import assert from "node:assert/strict";
import { connect } from "../../../client/net/connection.ts";
import type { Connection, Endpoint } from "../../../client/net/endpoint.ts";
import { SessionV2 } from "../../../client/session/session_v2.ts";
import type { Event, EventOf } from "../../../shared/messages/messages_v2.ts";
import { testRsa, V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const ROUNDS = 6;
/** Fills the socket's buffers on this side well, and the outbox of a client that does not read by far not. */
const FLOOD = 30;
/** Long enough for the words of one process to reach the kernel. */
const STOPPED_MS = 50;
const TEXT = "x".repeat(3_000);
const test = skipWithout("openssl");

/** Ways to a server on `port` whose certificate is `cert`. */
const WAYS = {
  TCP: ({ port }) => ({ host: "127.0.0.1", port, tls: undefined }),
  WebSocket: ({ port }) => ({ host: "127.0.0.1", port, tls: undefined, webSocket: true }),
  TLS: ({ port, cert }) => ({
    host: "localhost",
    port,
    tls: { caCerts: [cert], insecure: false },
  }),
  "TLS without proof": ({ port }) => ({
    host: "localhost",
    port,
    tls: { caCerts: [], insecure: true },
  }),
  "WebSocket over TLS": ({ port, cert }) => ({
    host: "localhost",
    port,
    tls: { caCerts: [cert], insecure: false },
    webSocket: true,
  }),
} as const satisfies Record<string, (server: { port: number; cert: string }) => Endpoint>;

interface Opened {
  readonly session: SessionV2;
  readonly connection: Connection;
}

async function open(endpoint: Endpoint, name: string): Promise<Opened> {
  const connection = await connect(endpoint, new AbortController().signal);
  const session = await SessionV2.open(connection, {
    keyPair: await testRsa(),
    tls: endpoint.tls !== undefined,
    expected: undefined,
    introduce: () =>
      Promise.resolve({ name, rooms: [["lobby", 0]], token: undefined, ticket: undefined }),
  });
  return { session, connection };
}

/** Lets the server go on once `work` has reached the kernel, and resolves when it is done. */
async function whileStopped(server: RunningServer, work: () => Promise<unknown>): Promise<void> {
  server.signal("SIGSTOP");
  const working = work();
  await Promise.race([working, new Promise((resolve) => setTimeout(resolve, STOPPED_MS))]);
  server.signal("SIGCONT");
  await working;
}

/** What the others are told of the end of a client. */
async function endOf(client: number, witness: V2Peer): Promise<"left" | "away"> {
  const isEnd = (event: Event): event is EventOf<"left" | "away"> =>
    (event.kind === "left" || event.kind === "away") && event.client === client;
  return (await witness.untilAny(isEnd)).kind;
}

for (const [way, endpointOf] of Object.entries(WAYS)) {
  test(`${way}: who leaves in the middle of a flood has left, and has not lost its connection`, async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile, cert } = certificate;
    const isTls = way.includes("TLS");
    await using server = await startServer({
      args: ["--rate-limit", "off", "--web-only-socket"].concat(
        isTls ? ["--certfile", certFile, "--keyfile", keyFile] : [],
      ),
    });
    const { port } = server;
    const peer = { port, ...(isTls ? { tlsCa: cert } : {}) };
    await using alice = await V2Peer.join({ ...peer, hello: { name: "alice" } });
    await using flooder = await V2Peer.join({ ...peer, hello: { name: "flooder" } });
    const flood = () => floodFrom(flooder, alice);
    for (let round = 0; round < ROUNDS; round++) {
      const { session: bob } = await open(endpointOf({ port, cert }), `bob ${round}`);
      // He reads none of it.
      await flood();
      // Every other time the server is busy, and sends more before it reads his last word.
      const leave = () => Promise.all([bob.leave(), flood()]);
      if (round % 2 === 0) await leave();
      else await whileStopped(server, leave);
      assert.equal(await endOf(bob.welcome.client, alice), "left", `${round}: ${server.log}`);
    }
  });
}

Deno.test("a client that says goodbye and is gone in the same moment has left", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  const { port } = server;
  await using alice = await V2Peer.join({ port, hello: { name: "alice" } });
  await using flooder = await V2Peer.join({ port, hello: { name: "flooder" } });
  for (let round = 0; round < ROUNDS; round++) {
    const { session, connection } = await open(WAYS.TCP({ port, cert: "" }), `bob ${round}`);
    await floodFrom(flooder, alice);
    await whileStopped(server, async () => {
      const more = floodFrom(flooder, alice);
      await session.send({ kind: "bye" });
      connection.close();
      await more;
    });
    assert.equal(await endOf(session.welcome.client, alice), "left", `${round}: ${server.log}`);
  }
});

/** Says a lot, and waits until it was heard. */
async function floodFrom(flooder: V2Peer, witness: V2Peer): Promise<void> {
  const heard = witness.texts.length + FLOOD;
  for (let n = 0; n < FLOOD; n++) await flooder.say(TEXT);
  await witness.until("chat", () => witness.texts.length >= heard);
}
