import assert from "node:assert/strict";
import { BusyError, StoppingError, UnauthorizedError } from "../../../client/session/refusal.ts";
import { UNWRITTEN_MAX_BYTES } from "../../../client/base/limits.ts";
import { SessionV2, type SessionV2Request } from "../../../client/session/session_v2.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import {
  ConnectionError,
  CryptoError,
  LimitError,
  ProtocolError,
} from "../../../shared/base/errors.ts";
import { encodeFrame } from "../../../shared/channel/frame.ts";
import { encodeRefusal } from "../../../shared/channel/handshake_messages.ts";
import { BODY_MAX_BYTES } from "../../../shared/base/limits.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { ManualClock, turns } from "../../helpers/fakes/chat_fakes.ts";
import { FAKE_IDENTITY, FakeV2Server, WELCOME } from "../../helpers/peers/v2_fake_server.ts";
import { testRsa } from "../../helpers/peers/v2_peer.ts";

const INTRODUCTION = {
  name: "secret-name",
  rooms: [["secret-room", 7]],
  token: "secret-token",
  ticket: undefined,
} as const;

async function open(
  server: FakeV2Server,
  request: Partial<SessionV2Request> = {},
): Promise<SessionV2> {
  return await SessionV2.open(server.connection, {
    keyPair: await testRsa(),
    tls: false,
    expected: undefined,
    introduce: () => Promise.resolve(INTRODUCTION),
    ...request,
  });
}

/** Events that a session tells until it ends; an error of it is thrown. */
async function collect(session: SessionV2, into: Event[]): Promise<void> {
  for await (const event of session.events()) into.push(event);
}

Deno.test("name, rooms and token travel inside the session only, behind the check of the server", async () => {
  const server = new FakeV2Server(WELCOME);
  let framesAtCheck = 0;
  const session = await open(server, {
    introduce() {
      framesAtCheck = server.frames.length;
      return Promise.resolve(INTRODUCTION);
    },
  });
  assert.equal(framesAtCheck, 1);
  const sent = new TextDecoder("latin1").decode(concatBytes(server.frames));
  assert.doesNotMatch(sent, /secret/);
  const [hello] = server.requests;
  assert.ok(hello?.kind === "hello");
  assert.deepEqual([hello.name, hello.rooms, hello.token], [
    "secret-name",
    [["secret-room", 7]],
    "secret-token",
  ]);
  assert.deepEqual(session.welcome.rate, { messages: 12, seconds: 5 });
  assert.equal(session.welcome.fingerprint, FAKE_IDENTITY.fingerprint);
  session.close();
});

Deno.test("a gate that throws ends the attempt before anything about us is sent", async () => {
  const server = new FakeV2Server(WELCOME);
  const introduce = () => Promise.reject(new CryptoError("not this one"));
  await assert.rejects(open(server, { introduce }), /not this one/);
  assert.equal(server.frames.length, 1);
});

Deno.test("a refusal is an error of its kind, and an unknown word of a server is harmless", async () => {
  const kinds = [
    ["unauthorized", UnauthorizedError],
    ["server_stopping", BusyError],
    ["too_many_rooms", BusyError],
  ] as const;
  for (const [reason, kind] of kinds) {
    await assert.rejects(open(new FakeV2Server({ kind: "refused", reason })), kind);
  }
  await assert.rejects(open(new FakeV2Server({ kind: "refused", reason: "\x1b[2J" })), (error) => {
    // deno-lint-ignore no-control-regex -- control characters are what must not be there
    return error instanceof Error && !/[\x00-\x1f]/.test(error.message);
  });
});

Deno.test("a server that is stopping before keys are agreed on is busy: the attempt is not the last, and others are tried", async () => {
  const answer = encodeFrame(encodeRefusal("server_stopping"));
  const chunks = [answer];
  const connection = {
    read: () => Promise.resolve(chunks.shift()),
    write: () => Promise.resolve(),
    finishWriting: () => Promise.resolve(),
    close() {},
  };
  const request = {
    keyPair: await testRsa(),
    tls: false,
    expected: undefined,
    introduce: () => Promise.reject(new Error("introduced")),
  };
  await assert.rejects(SessionV2.open(connection, request), (error) => {
    // What nobody has proved must not make a client hurry.
    assert.ok(error instanceof BusyError && !(error instanceof StoppingError));
    assert.equal(error.message, "Cannot join the server: it is stopping");
    return true;
  });
});

Deno.test("what comes after we closed a session is no fault of it", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await open(server);
  const heard: Event[] = [];
  const reading = (async () => {
    for await (const event of session.events()) {
      heard.push(event);
      session.close();
    }
  })();
  for (const text of ["one", "two"]) server.tell({ kind: "notice", room: 0, text });
  await reading;
  assert.deepEqual(heard.map(({ kind }) => kind), ["notice"]);
});

Deno.test("a server that says something else than welcome, or nothing, is an error and no hang", async () => {
  await assert.rejects(open(new FakeV2Server({ kind: "pong" })), ProtocolError);
  const server = new FakeV2Server();
  const opening = open(server);
  opening.catch(() => {});
  while (server.requests.length === 0) await turns();
  server.end();
  await assert.rejects(opening, ConnectionError);
});

Deno.test("events with the welcome and after it are told in order; pings are answered", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await open(server);
  const seen: Event[] = [];
  const reading = collect(session, seen);
  server.tell({ kind: "ping" }, { kind: "notice", room: 0, text: "one" }, { kind: "pong" });
  server.tell({ kind: "notice", room: 0, text: "two" });
  while (!seen.some((event) => event.kind === "notice" && event.text === "two")) await turns();
  const notices = seen.flatMap((event) => event.kind === "notice" ? [event.text] : []);
  assert.deepEqual(notices, ["one", "two"]);
  assert.ok(server.requests.some(({ kind }) => kind === "pong"));
  server.end();
  await reading;
});

Deno.test("messages larger than a record are joined, up to their bound, and others come behind them", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await open(server);
  const seen: Event[] = [];
  const reading = collect(session, seen);
  const chat = { kind: "chat", room: 1, at: 1, client: 2, name: "bob", time: 0 } as const;
  const rest = { request: 1, sequence: 1, action: false, reply: 0 };
  const sizes = [150_000, 65_511, 1_000_000];
  for (const size of sizes) server.tell({ ...chat, ...rest, text: "x".repeat(size) });
  server.tell({ kind: "notice", room: 0, text: "behind" });
  while (seen.length < 4) await turns();
  assert.deepEqual(seen.map((event) => event.kind === "chat" ? event.text.length : event.kind), [
    ...sizes,
    "notice",
  ]);
  assert.throws(() => server.push(new Uint8Array(BODY_MAX_BYTES + 1)), LimitError);
  server.end();
  await reading;
});

Deno.test("a large request reaches the server whole", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await open(server);
  const body = new Uint8Array(150_000).fill(7);
  await session.send({ kind: "sealed_group_info", ask: 1, room: 1, question: 1, epoch: 1, body });
  const last = server.requests.at(-1);
  assert.deepEqual(last?.kind === "sealed_group_info" && last.body, body);
  session.close();
});

Deno.test("a server that falls silent for 45 s is gone, one that pings is not", async () => {
  const clock = new ManualClock();
  const server = new FakeV2Server(WELCOME);
  const session = await open(server, { clock });
  const seen: Event[] = [];
  const reading = collect(session, seen);
  for (let second = 0; second < 100; second++) {
    if (second % 15 === 0) server.tell({ kind: "ping" });
    await clock.pass(1_000);
  }
  assert.equal(server.closed, false);
  reading.catch(() => {});
  for (let second = 0; second < 50; second++) await clock.pass(1_000);
  await assert.rejects(reading, /does not answer any more/);
  assert.equal(server.closed, true);
});

Deno.test("leave() says goodbye; after it, and after close(), nothing can be sent", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await open(server);
  await session.leave();
  assert.equal(server.requests.at(-1)?.kind, "bye");
  await assert.rejects(session.send({ kind: "ping" }), ConnectionError);
  await session.leave();
});

Deno.test("the way to the server and back is measured, now and then, and only by pongs that were asked for", async () => {
  const clock = new ManualClock();
  const server = new FakeV2Server(WELCOME);
  const session = await open(server, { clock });
  const seen: Event[] = [];
  const reading = collect(session, seen);
  const pings = () => server.requests.filter(({ kind }) => kind === "ping").length;
  const pong = async () => {
    const before = seen.length;
    server.tell({ kind: "pong" });
    while (seen.length === before) await turns();
  };
  while (pings() < 1) await turns();
  assert.equal(session.roundTripMs, undefined);
  await clock.pass(23);
  await pong();
  assert.equal(session.roundTripMs, 23);
  await clock.pass(1_000);
  await pong();
  assert.equal(session.roundTripMs, 23, "nobody asked for this one");
  await clock.pass(15_000);
  while (pings() < 2) await turns();
  await clock.pass(40);
  await pong();
  assert.equal(session.roundTripMs, 40);
  server.end();
  await reading;
});

Deno.test("a server that sends without end leaves keys, timers and the screen their turns", async () => {
  const server = new FakeV2Server(WELCOME);
  const session = await open(server);
  const most = 40_000;
  for (let n = 0; n < most; n++) server.tell({ kind: "pong" });
  server.end();
  const seen: Event[] = [];
  const reading = collect(session, seen);
  const atTimer = Promise.withResolvers<number>();
  const timer = setTimeout(() => atTimer.resolve(seen.length), 50);
  const read = await Promise.race([atTimer.promise, reading.then(() => most)]);
  assert.ok(read < most, "the timer came last");
  clearTimeout(timer);
  session.close();
  await reading.catch(() => {});
});

Deno.test("a server that asks and does not read gets one answer, and is not read on forever", async () => {
  const server = new FakeV2Server(WELCOME);
  let writes = 0;
  let isStuck = false;
  const stuck = Promise.withResolvers<void>();
  const { write } = server.connection;
  server.connection.write = (bytes) => {
    if (!isStuck) return write(bytes);
    writes++;
    return stuck.promise;
  };
  const session = await open(server);
  const seen: Event[] = [];
  const reading = collect(session, seen);
  await turns();
  isStuck = true;
  for (let n = 0; n < 1_000; n++) server.tell({ kind: "ping" });
  server.tell({ kind: "notice", room: 0, text: "read" });
  while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(writes, 1);
  const size = 4_000;
  for (let bytes = 0; bytes <= UNWRITTEN_MAX_BYTES; bytes += size) {
    session.send({ kind: "topic", id: 1, room: 1, text: "x".repeat(size) }).catch(() => {});
  }
  for (let n = 0; n < 5; n++) server.tell({ kind: "notice", room: 0, text: "held" });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(seen.length <= 2, "at most what it waited for already");
  stuck.resolve();
  while (seen.length < 6) await new Promise((resolve) => setTimeout(resolve, 1));
  session.close();
  await reading.catch(() => {});
});
