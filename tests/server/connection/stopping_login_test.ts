// Logins that are under way while their server stops or hands over: none may be told what nobody knows a moment later.

import assert from "node:assert/strict";
import { byToken, requireRunning } from "../../../server/connection/admission.ts";
import type { Relay } from "../../../server/relay/relay.ts";
import { handOver, takeOver } from "../../../server/relay/succession.ts";
import { Session } from "../../../server/session/session.ts";
import { decodeJson, encodeJson } from "../../../shared/channel/envelope_v1.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { ClientHandshake } from "../../../shared/channel/handshake.ts";
import { BatchReader, frameBody, packBatches } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { decodeEvent, encodeRequest } from "../../../shared/messages/codec_v2.ts";
import type { Event, RequestOf } from "../../../shared/messages/messages_v2.ts";
import { LiveLink, makeRelay, seat, servedToEnd } from "../../helpers/peers/relay.ts";
import { testRsa } from "../../helpers/peers/v2_peer.ts";

type Ticket = Pick<RequestOf<"hello">, "session" | "secret">;

const NEWCOMER: Ticket = { session: null, secret: null };

function frameOf(bytes: Uint8Array | undefined): Uint8Array {
  const [frame] = new FrameReader().push(bytes ?? new Uint8Array());
  assert.ok(frame);
  return frame;
}

/** A client that has agreed on keys and has yet to say hello, which gives the first event of the answer. */
async function agreed(relay: Relay): Promise<(ticket: Ticket) => Promise<Event | undefined>> {
  const link = new LiveLink();
  void servedToEnd(relay, link);
  const handshake = await ClientHandshake.start({ rsa: await testRsa() });
  link.arrives(encodeFrame(handshake.firstMessage));
  await link.wrote(1);
  const { keys } = await handshake.receive(frameOf(link.written[0]));
  const cipher = new RecordCipher(keys, { role: "client", now: () => performance.now() });
  return async (ticket) => {
    const hello = { kind: "hello", name: "ann", token: null, rooms: [["lobby", 0]] } as const;
    const body = encodeRequest({ ...hello, ...ticket, rooms: [["lobby", 0]] });
    for (const parts of packBatches([frameBody(body)])) link.arrives(cipher.seal(parts));
    await link.wrote(2);
    const [event] = new BatchReader().push(cipher.open(frameOf(link.written[1]))).map(decodeEvent);
    return event;
  };
}

/** A session that waits for its client, and its ticket. */
function held(relay: Relay): Ticket & { readonly id: number } {
  const { session } = seat(relay, { name: "ann" });
  relay.held.hold(session, performance.now());
  session.loseConnection();
  const { id, secret } = session.ticket!;
  return { id: session.id, session: id, secret };
}

Deno.test("who is about to come back when its server hands over is refused, and has its session at the next one", async () => {
  const relay = await makeRelay();
  const { id, ...ticket } = held(relay);
  const sayHello = await agreed(relay);
  const state = await handOver(relay);
  assert.deepEqual(await sayHello(ticket), { kind: "refused", reason: "server_stopping" });
  const next = await makeRelay();
  takeOver(next, state);
  const welcome = await (await agreed(next))(ticket);
  assert.ok(welcome?.kind === "welcome");
  assert.deepEqual([welcome.resumed, welcome.client], [true, id]);
});

Deno.test("who comes back while its server tells everybody that it hands over is refused as well", async () => {
  const relay = await makeRelay();
  const { id: _, ...ticket } = held(relay);
  const slow = seat(relay, { name: "slow" });
  const written = Promise.withResolvers<void>();
  slow.port.drained = () => written.promise;
  const sayHello = await agreed(relay);
  const handing = handOver(relay);
  assert.deepEqual(await sayHello(ticket), { kind: "refused", reason: "server_stopping" });
  written.resolve();
  await handing;
});

Deno.test("a newcomer whose login is under way gets no session of a server that hands over, or stops", async () => {
  for (const end of [handOver, (relay: Relay) => relay.stop()]) {
    const relay = await makeRelay();
    const sayHello = await agreed(relay);
    await end(relay);
    const { issued } = relay;
    assert.deepEqual(await sayHello(NEWCOMER), { kind: "refused", reason: "server_stopping" });
    assert.deepEqual([relay.issued, relay.sessions.length], [issued, 0]);
  }
});

Deno.test("who waits for its turn when the server stops is told so, and nothing is computed for it", async () => {
  const relay = await makeRelay();
  const turn = Promise.withResolvers<void>();
  relay.handshakeQueue.run = (_, work) => turn.promise.then(work);
  relay.handshakes.receive = () => Promise.reject(new Error("computed"));
  const links = [new LiveLink(), new LiveLink()] as const;
  const ended = links.map((link) => servedToEnd(relay, link));
  const { firstMessage } = await ClientHandshake.start({ rsa: await testRsa() });
  const { public_key } = decodeJson(firstMessage) as { readonly public_key: string };
  links[0].arrives(encodeFrame(firstMessage));
  links[1].arrives(encodeFrame(encodeJson({ type: "handshake", public_key })));
  await new Promise((resolve) => setTimeout(resolve, 0));
  await relay.stop();
  turn.resolve();
  await Promise.all(ended);
  const answers = links.map(({ written }) => decodeJson(frameOf(written[0])));
  assert.deepEqual(answers, [
    { type: "handshake_error", reason: "server_stopping", v2: { versions: [2, 2] } },
    { type: "handshake_error", reason: "server_stopping" },
  ]);
  assert.equal(relay.sessions.length, 0);
});

Deno.test("an invite by which somebody was about to come in is as it was in the state that is handed over", async () => {
  const relay = await makeRelay(["--invites"], { CMDCHAT_TOKENS: "one" });
  const ann = new Session(relay, { name: "ann", isV1: true, ticket: undefined, address: "::1" });
  relay.access.noteToken(ann, "one");
  const wish = { title: "lobby", seconds: 60, uses: 1 };
  const { token } = await relay.inviting.mint(ann, wish);
  const handing = handOver(relay);
  const coming = assert.rejects(byToken(relay, token, () => requireRunning(relay)), {
    reason: "server_stopping",
  });
  const { invites } = await handing;
  await coming;
  const next = await makeRelay(["--invites"], { CMDCHAT_TOKENS: "one" });
  next.access.restoreInvites(invites!);
  assert.equal(next.access.isAuthorized(token), true);
});
