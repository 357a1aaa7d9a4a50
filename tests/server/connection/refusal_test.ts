import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { readConfig } from "../../../server/config/server_options.ts";
import type { Connection } from "../../../server/net/connection.ts";
import { Relay } from "../../../server/relay/relay.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { generateRsaKeyPair } from "../../../shared/crypto/rsa.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { ClientHandshake } from "../../../shared/channel/handshake.ts";
import { HANDSHAKE_ANSWER } from "../../../shared/messages/messages_v1.ts";
import { decodeJson, encodeJson } from "../../../shared/channel/envelope_v1.ts";
import { servedToEnd } from "../../helpers/peers/relay.ts";

/** What a relay that has been stopped answers to a first message. */
async function answerOfStopping(first: Uint8Array): Promise<Uint8Array> {
  const relay = await newRelay();
  await relay.stop();
  return await answerOf(relay, first);
}

async function newRelay(): Promise<Relay> {
  const config = readConfig({ args: [], env: () => undefined });
  return new Relay(config, { log: getLogger("test"), identity: await generateIdentity() });
}

async function answerOf(relay: Relay, first: Uint8Array): Promise<Uint8Array> {
  const waiting = [encodeFrame(first)];
  const written: Uint8Array[] = [];
  const link: Connection = {
    address: "192.0.2.1",
    since: performance.now(),
    read: () => Promise.resolve(waiting.shift() ?? null),
    write(bytes) {
      written.push(bytes);
      return Promise.resolve();
    },
    close() {},
  };
  await servedToEnd(relay, link);
  assert.equal(written.length, 1);
  return [...new FrameReader().push(written[0] as Uint8Array)][0] as Uint8Array;
}

Deno.test("a stopping server tells a v2 client so, and does not look like one without v2", async () => {
  const client = await ClientHandshake.start({ rsa: await generateRsaKeyPair() });
  const answer = await answerOfStopping(client.firstMessage);
  await assert.rejects(client.receive(answer), {
    failure: "refused",
    message: "Cannot open a session: the server refused, the server is stopping",
  });
});

Deno.test("a stopping server tells a v1 client so", async () => {
  const answer = await answerOfStopping(encodeJson({ type: "handshake", public_key: "" }));
  const { type, reason } = HANDSHAKE_ANSWER.parse(decodeJson(answer)) as Record<string, unknown>;
  assert.deepEqual([type, reason], ["handshake_error", "server_stopping"]);
});

Deno.test("a server that cannot answer in time says when to come back, and computes nothing", async () => {
  const relay = await newRelay();
  relay.handshakeQueue.pauseFor = () => 7_500;
  relay.handshakes.receive = () => Promise.reject(new Error("computed"));
  const client = await ClientHandshake.start({ rsa: await generateRsaKeyPair() });
  const answer = await answerOf(relay, client.firstMessage);
  await assert.rejects(client.receive(answer), { name: "ServerBusyError", pauseMs: 7_500 });
});
