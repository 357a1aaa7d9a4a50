import assert from "node:assert/strict";
import type { Relay } from "../../../server/relay/relay.ts";
import { parseNetwork } from "../../../server/limits/ip_network.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { ClientHandshake } from "../../../shared/channel/handshake.ts";
import { HANDSHAKE_DEADLINE_MS } from "../../../server/config/limits.ts";
import type { Event, Request } from "../../../shared/messages/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { decodeEvent, encodeRequest } from "../../../shared/messages/codec_v2.ts";
import { FakeLink, LiveLink, makeRelay, seat, servedToEnd } from "../../helpers/peers/relay.ts";
import { frameOf, handshakeOf, within } from "../../helpers/peers/v1_peer.ts";
import { testRsa } from "../../helpers/peers/v2_peer.ts";
import { proxyV2 } from "../../helpers/web/proxy_headers.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What the server answers to these first bytes, as text, until it ends the connection. */
async function answerTo(relay: Relay, ...first: Uint8Array[]): Promise<string> {
  const link = new FakeLink(first);
  await servedToEnd(relay, link);
  return decoder.decode(concatBytes(link.written));
}

Deno.test("a v1 client is let in, and out again when its link ends", async () => {
  const relay = await makeRelay();
  const answer = await answerTo(relay, frameOf(await handshakeOf({ name: "old" })));
  assert.match(answer, /"type":"handshake_ok".*"name":"old"/);
  assert.deepEqual([relay.gauges.members, relay.gauges.rooms, relay.gauges.held], [0, 0, 0]);
});

Deno.test("whoever does not wait for the answer, or says something else, gets one reason", async () => {
  const relay = await makeRelay();
  const hello = frameOf(await handshakeOf());
  const first: [Uint8Array[], RegExp][] = [
    [[concatBytes([hello, hello])], /"handshake_error","reason":"bad_handshake"/],
    [[frameOf("not json")], /"reason":"bad_handshake"/],
    [[frameOf({ type: "chat" })], /"reason":"expected_handshake"/],
    [[frameOf({ ...await handshakeOf(), public_key: 7 })], /"reason":"missing_public_key"/],
    [[frameOf({ ...await handshakeOf(), public_key: "x" })], /"reason":"invalid_public_key"/],
    [[frameOf(await handshakeOf({ name: "\x1b" }))], /"reason":"invalid_name"/],
    [
      [frameOf({ type: "handshake", public_key: "x", v2: null })],
      /"reason":"bad_handshake".*"versions":\[2,2\]/,
    ],
    [[encoder.encode("GET / HTTP/1.1\r\n\r\n")], /^HTTP\/1\.1 400 /],
    [[], /^$/],
    [[hello.subarray(0, 50)], /^$/],
  ];
  for (const [bytes, answer] of first) assert.match(await answerTo(relay, ...bytes), answer);
  assert.deepEqual([relay.gauges.members, relay.gauges.rooms], [0, 0]);
});

Deno.test("a proxy whose header nobody trusts is named in the log, and is told what everybody is", async () => {
  const relay = await makeRelay();
  const told: string[] = [];
  relay.noteRefusal = (address, why) => void told.push(`${address}: ${why}`);
  const header = encoder.encode("PROXY TCP4 203.0.113.1 192.0.2.1 5000 5050\r\n");
  for (const first of [header, proxyV2({ address: [203, 0, 113, 1] })]) {
    assert.match(await answerTo(relay, first), /"reason":"bad_handshake"/);
    assert.match(told.pop() ?? "", /^192\.0\.2\.1: .*--trusted-proxy does not name this address$/);
  }
});

Deno.test("who says nothing is closed by the deadline, counted from when it was accepted", async () => {
  const relay = await makeRelay();
  const link = new LiveLink(performance.now() - HANDSHAKE_DEADLINE_MS + 60);
  const begun = performance.now();
  await within(servedToEnd(relay, link), "the end of the connection");
  assert.ok(link.closed && performance.now() - begun < 4_000);
});

/** A v2 client over a link in memory. */
async function joined(relay: Relay) {
  const link = new LiveLink();
  const done = servedToEnd(relay, link);
  const handshake = await ClientHandshake.start({ rsa: await testRsa() });
  link.arrives(encodeFrame(handshake.firstMessage));
  const frames = new FrameReader();
  await link.wrote(1);
  const [answer] = [...frames.push(link.written[0] as Uint8Array)];
  const { keys } = await handshake.receive(answer as Uint8Array);
  const cipher = new RecordCipher(keys, { role: "client", now: () => performance.now() });
  const batches = new BatchReader();
  const send = (request: Request) => {
    const batch = packBatches([frameBody(encodeRequest(request))]);
    link.arrives(concatBytes(batch.map((parts) => cipher.seal(parts))));
  };
  const hello = { name: "alice", token: null, session: null, secret: null };
  send({ kind: "hello", ...hello, rooms: [["lobby", 0]] });
  await link.wrote(2);
  let read = 1;
  /** Events that came since the last call. */
  const events = (): Event[] =>
    link.written.slice(read).flatMap((bytes) => {
      read++;
      return [...frames.push(bytes)].flatMap((record) =>
        batches.push(cipher.open(record)).map(decodeEvent)
      );
    });
  assert.equal(events()[0]?.kind, "welcome");
  return { link, done, send, events };
}

Deno.test("a session whose link ends is held, one that says goodbye or breaks the rules is not", async () => {
  const relay = await makeRelay();
  const cut = await joined(relay);
  cut.link.ends();
  await cut.done;
  assert.equal(relay.gauges.held, 1);

  const polite = await joined(relay);
  polite.send({ kind: "bye" });
  await polite.done;
  const leaping = await joined(relay);
  leaping.send({ kind: "rename", id: 5, name: "bob" });
  await leaping.done;
  const closing = leaping.events().find(({ kind }) => kind === "closing");
  assert.match(closing?.kind === "closing" ? closing.why : "", /number is not the next/);
  assert.equal(relay.gauges.held, 1);
});

Deno.test("a session with a record that does not open is held: the network did that", async () => {
  const relay = await makeRelay();
  const { link, done } = await joined(relay);
  link.arrives(encodeFrame(crypto.getRandomValues(new Uint8Array(40))));
  await done;
  assert.deepEqual([relay.gauges.held, relay.counters.protocolErrors], [1, 1]);
  assert.equal(link.closed, true);
});

Deno.test("who is banned in the middle of its handshake is put out at its end, and not held", async () => {
  const relay = await makeRelay();
  const { address } = new FakeLink();
  relay.access.bans.add({ network: parseNetwork(address), until: undefined }, Date.now());
  const { link, done } = await joined(relay);
  await within(done, "the end of the connection");
  assert.ok(link.closed);
  assert.deepEqual([relay.sessions, relay.gauges.rooms, relay.gauges.held], [[], 0, 0]);
});

Deno.test("a client that is told to come later gives the sessions of its site that are expected back so much time", async () => {
  const relay = await makeRelay();
  const bob = seat(relay, { name: "bob", address: "203.0.113.9" });
  const { session } = seat(relay, { name: "ann", address: "192.0.2.1" });
  session.detach();
  const now = performance.now();
  relay.held.expect(session, now);
  relay.handshakeQueue.pauseFor = () => 20_000;
  const { firstMessage } = await ClientHandshake.start({ rsa: await testRsa() });
  assert.match(await answerTo(relay, encodeFrame(firstMessage)), /"server_busy".*"pause":20000/);
  relay.held.sweep(now + 24_000);
  assert.deepEqual(bob.take("away"), []);
  relay.held.sweep(now + 60_000 - 1);
  assert.deepEqual(bob.take("away").map(({ name }) => name), ["ann"]);
});
