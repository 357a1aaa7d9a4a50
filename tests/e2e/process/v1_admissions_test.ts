// What docs/THREAT-MODEL.md admits about the v1 wire without TLS, shown: so that nobody takes it for an exaggeration.

import assert from "node:assert/strict";
import { decodeBase64, encodeBase64 } from "../../../shared/base/base64.ts";
import {
  generateRsaKeyPair,
  publicKeyToPem,
  unwrapKey,
  wrapKey,
} from "../../../shared/crypto/rsa.ts";
import { EnvelopeV1 } from "../../../shared/channel/envelope_v1.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { frameOf, handshakeOf, RawPeer, V1Peer } from "../../helpers/peers/v1_peer.ts";

Deno.test("v1 without TLS: name, room and token of a handshake can be read from the network", async () => {
  const frame = frameOf(await handshakeOf({ name: "alice", room: "den", token: "the-token" }));
  const seen = new TextDecoder().decode(frame);
  for (const secret of ["alice", "den", "the-token"]) assert.ok(seen.includes(secret));
});

Deno.test("v1 without TLS: who repeats a recorded frame of a session has it said again", async () => {
  await using server = await startServer();
  await using alice = await V1Peer.join({ port: server.port, name: "alice" });
  const recorded = alice.seal({ type: "chat", message: "yes, do it" });
  await alice.raw.write(recorded);
  await alice.raw.write(recorded);
  const [first, second] = [await alice.hears("yes, do it"), await alice.hears("yes, do it")];
  assert.equal(second["sequence"], Number(first["sequence"]) + 1);
});

/** Takes one client's place towards the server at `port`; gives the key of the session, which neither of them meant for it. */
async function manInTheMiddle(
  listener: Deno.Listener,
  port: number,
): Promise<{ readonly client: RawPeer; readonly server: RawPeer; readonly key: Uint8Array }> {
  const client = new RawPeer(await listener.accept());
  const server = await RawPeer.connect({ port });
  const own = await generateRsaKeyPair();
  const hello = await client.json();
  await server.write(frameOf({ ...hello, public_key: await publicKeyToPem(own.publicKey) }));
  const answer = await server.json();
  const wrapped = decodeBase64(String(answer?.["encrypted_key"])) ?? new Uint8Array();
  const key = await unwrapKey(own.privateKey, wrapped);
  const again = encodeBase64(wrapKey(String(hello?.["public_key"]), key));
  await client.write(frameOf({ ...answer, encrypted_key: again }));
  return { client, server, key };
}

Deno.test("v1 without TLS: a man in the middle reads what is said, and neither side can tell", async () => {
  await using server = await startServer();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = manInTheMiddle(listener, server.port);
  await using alice = await V1Peer.join({ port: listener.addr.port, name: "alice" });
  const man = await taken;
  await using _client = man.client;
  await using _server = man.server;
  await alice.chat("for the server only");
  const frame = await man.client.frame();
  const read = new EnvelopeV1(man.key).open(frame as Uint8Array);
  assert.deepEqual(read, { type: "chat", message: "for the server only" });
});
