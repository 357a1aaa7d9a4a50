import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createDecipheriv } from "node:crypto";
import type { Connection } from "../../../client/net/endpoint.ts";
import { connect } from "../../../client/net/connection.ts";
import { BusyError, RefusalError, UnauthorizedError } from "../../../client/session/refusal.ts";
import { SessionV1 } from "../../../client/session/session_v1.ts";
import { V1Translation } from "../../../client/session/v1_translation.ts";
import { generateRsaKeyPair } from "../../../shared/crypto/rsa.ts";
import { ConnectionError, CryptoError, ProtocolError } from "../../../shared/base/errors.ts";
import type { Event, Request } from "../../../shared/messages/messages_v2.ts";
import { ManualClock, turns } from "../../helpers/fakes/chat_fakes.ts";
import { V1Link, V1Server, type V1ServerOptions } from "../../helpers/peers/v1_server.ts";
import { frameOf } from "../../helpers/peers/v1_peer.ts";

const vectors = JSON.parse(
  await Deno.readTextFile(new URL("../../vectors/v1.json", import.meta.url)),
);
const keyPair = await generateRsaKeyPair();
const REQUEST = {
  name: "alice",
  rooms: [["lobby", 0]] as const,
  token: undefined,
  renderer: "rich",
  bufferSize: 200,
  keyPair,
  tls: false,
};

const SAID = { room: 1, action: false, reply: 0 };

/** The client payloads of the vectors as the chat asks for them; a v1 client's note has no place there. */
const REQUESTS: readonly Request[] = [
  { kind: "chat", id: 1, ...SAID, text: "hello" },
  { kind: "chat", id: 2, ...SAID, text: "héllo 你好 👋" },
  { kind: "pong" },
  { kind: "rename", id: 3, name: "alice2" },
  { kind: "join", id: 4, title: "dev" },
  {
    kind: "offer",
    id: 5,
    room: 1,
    file: "0123456789abcdef",
    filename: "a.txt",
    size: 5,
    chunks: 1,
    hash: null,
    to: 0,
    folder: false,
  },
  {
    kind: "chunk",
    file: "0123456789abcdef",
    index: 0,
    last: true,
    data: new TextEncoder().encode("hello"),
  },
];

interface Talk extends AsyncDisposable {
  readonly session: SessionV1;
  readonly link: V1Link;
}

async function talk(options: V1ServerOptions = {}, clock = new ManualClock()): Promise<Talk> {
  const server = new V1Server(options);
  const joining = server.join();
  try {
    const connection = await dial(server.port);
    const opening = SessionV1.open(connection, { ...REQUEST, clock });
    opening.catch(() => connection.close());
    const link = await joining;
    const session = await opening;
    return {
      session,
      link,
      async [Symbol.asyncDispose]() {
        session.close();
        await server[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await joining.catch(() => {});
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

function dial(port: number): Promise<Connection> {
  return connect({ host: "127.0.0.1", port, tls: undefined }, new AbortController().signal);
}

async function refusalOf(answer: object | Uint8Array, token?: string): Promise<unknown> {
  const server = new V1Server({ answer: () => answer });
  const joining = server.join();
  const connection = await dial(server.port);
  try {
    const opening = SessionV1.open(connection, { ...REQUEST, token });
    const [, result] = await Promise.allSettled([joining.then((link) => link.close()), opening]);
    return result.status === "rejected" ? result.reason : undefined;
  } finally {
    connection.close();
    await server[Symbol.asyncDispose]();
  }
}

Deno.test("open() writes the handshake with the fields of the vectors, in their order", async () => {
  await using open = await talk();
  const { handshake } = open.link;
  assert.deepEqual(Object.keys(handshake), Object.keys(vectors.handshake.message));
  assert.deepEqual({ ...handshake, public_key: "" }, {
    ...vectors.handshake.message,
    public_key: "",
  });
  assert.match(String(handshake["public_key"]), /^-----BEGIN PUBLIC KEY-----\n/);
});

Deno.test("send() writes every client payload of the vectors so that an independent peer opens it", async () => {
  await using open = await talk();
  const received: unknown[] = [];
  for (const request of REQUESTS) {
    await open.session.send(request);
    received.push(await open.link.receive());
  }
  const wanted = vectors.client_to_server.map(({ payload }: { payload: { type: string } }) =>
    payload
  )
    .filter(({ type }: { type: string }) => type !== "system");
  assert.deepEqual(received, wanted);
});

Deno.test("what send() writes opens with the vectors' layout: nonce, ciphertext and tag in one envelope", async () => {
  const written: Uint8Array[] = [];
  const server = new V1Server();
  const joining = server.join();
  const inner = await dial(server.port);
  const connection: Connection = {
    read: () => inner.read(),
    finishWriting: () => inner.finishWriting(),
    close: () => inner.close(),
    write(bytes) {
      written.push(bytes.slice());
      return inner.write(bytes);
    },
  };
  const session = await SessionV1.open(connection, REQUEST);
  await joining;
  await session.send({ kind: "pong" });
  const frame = written.at(-1) as Uint8Array;
  const length = new DataView(frame.buffer, frame.byteOffset).getUint32(0);
  assert.equal(length, frame.length - 4);
  const envelope = JSON.parse(new TextDecoder().decode(frame.subarray(4)));
  assert.deepEqual(Object.keys(envelope), ["type", "nonce", "ciphertext"]);
  assert.equal(Buffer.from(envelope.nonce, "base64").length, 12);
  session.close();
  await server[Symbol.asyncDispose]();
});

Deno.test("events() tells every server payload of the vectors and answers the ping itself", async () => {
  await using open = await talk();
  const got: Event[] = [];
  const reading = (async () => {
    for await (const event of open.session.events()) got.push(event);
  })();
  for (const { payload } of vectors.server_to_client) await open.link.send(payload);
  assert.deepEqual(await open.link.receive(), { type: "pong" });
  open.link.close();
  await reading;
  const about = { room: 1, client: 2, name: "bob", time: Date.parse("2026-11-23T18:00:00.123Z") };
  const file = "0123456789abcdef";
  assert.deepEqual(got, [
    LOBBY,
    { kind: "chat", ...about, at: 0, request: 0, sequence: 1, ...SAID, text: "hi" },
    { kind: "notice", room: 1, text: "bob joined the chat." },
    {
      kind: "offer",
      ...about,
      request: 0,
      file,
      filename: "a.txt",
      size: 5,
      chunks: 1,
      hash: null,
      to: 0,
      folder: false,
    },
    {
      kind: "chunk",
      ...about,
      file,
      index: 0,
      data: new TextEncoder().encode("hello"),
      last: true,
    },
  ]);
});

Deno.test("the vectors' ciphertexts open with their key", () => {
  const key = Buffer.from(vectors.session_key_hex, "hex");
  for (const { payload, nonce, ciphertext } of vectors.client_to_server) {
    const sealed = Buffer.from(ciphertext, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = decipher.update(sealed.subarray(0, -16)).toString() + decipher.final().toString();
    assert.deepEqual(JSON.parse(plain), payload);
  }
});

Deno.test("open() tells each refusal of the vectors and of our server by its kind", async () => {
  const cases = [
    ["unauthorized", UnauthorizedError],
    ["missing_public_key", RefusalError],
    ["expected_handshake", RefusalError],
    ["invalid_name", RefusalError],
    ["invalid_room", RefusalError],
    ["too_many_rooms", BusyError],
    ["server_stopping", BusyError],
  ] as const;
  for (const [reason, kind] of cases) {
    const error = await refusalOf({ type: "handshake_error", reason });
    assert.ok(error instanceof kind, `${reason}: ${error}`);
  }
});

Deno.test("open() never repeats the token, and says whether one was given", async () => {
  const refused = { type: "handshake_error", reason: "unauthorized" };
  const wrong = await refusalOf(refused, "s3cret") as Error;
  assert.match(wrong.message, /does not accept this token/);
  assert.ok(!wrong.message.includes("s3cret"));
  const none = await refusalOf(refused) as UnauthorizedError;
  assert.match(none.message, /needs a token/);
  assert.match(none.hint ?? "", /--token-file/);
});

Deno.test("open() makes a hostile reason harmless", async () => {
  const error = await refusalOf({ type: "handshake_error", reason: "\x1b]0;pwned\x07\nok" });
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch((error as Error).message, /[\x00-\x1f\x7f-\x9f]/);
});

Deno.test("open() names a TLS server on the port, another program, and a link closed without a word", async () => {
  const alert = Uint8Array.of(0x15, 3, 3, 0, 2, 2, 50);
  const tls = await refusalOf(alert) as ConnectionError;
  assert.match(tls.message, /speaks TLS on this port/);
  assert.match(tls.hint ?? "", /--tls/);
  const other = await refusalOf(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
  assert.match((other as Error).message, /not a cmdchat server/);
  const silent = await refusalOf(new Uint8Array(0)) as ConnectionError;
  assert.match(silent.message, /closed the connection without an answer/);
});

Deno.test("open() refuses a key of another length, one for another client, and what is no answer", async () => {
  const welcome = (encrypted_key: unknown) => ({
    ...vectors.handshake_ok.message,
    encrypted_key,
  });
  assert.ok(await refusalOf(welcome("AAAA")) instanceof CryptoError);
  assert.ok(await refusalOf(welcome("not base64!")) instanceof ProtocolError);
  assert.ok(await refusalOf(welcome(5)) instanceof ProtocolError);
  assert.ok(await refusalOf({ type: "chat" }) instanceof ProtocolError);
  assert.ok(await refusalOf(frameOf("not json")) instanceof ProtocolError);
});

Deno.test("events() fails on a message that was changed, and closes the connection", async () => {
  await using open = await talk();
  const frame = open.link.seal({ type: "ping" });
  // A character in the middle of the ciphertext.
  const at = frame.length - 20;
  frame[at] = frame[at] === 65 ? 66 : 65;
  await open.link.write(frame);
  await assert.rejects(async () => {
    for await (const _ of open.session.events());
  }, CryptoError);
  await assert.rejects(open.link.receive(), /closed|reset/i);
});

Deno.test("a server that sends nothing for 45 s is dead; one that pings is not", async () => {
  const clock = new ManualClock();
  await using open = await talk({}, clock);
  const ended = (async () => {
    for await (const _ of open.session.events());
  })().catch((error) => error);
  await turns();
  await clock.pass(30_000);
  await open.link.send({ type: "ping" });
  assert.deepEqual(await open.link.receive(), { type: "pong" });
  await clock.pass(44_000);
  await open.link.send({ type: "ping" });
  assert.deepEqual(await open.link.receive(), { type: "pong" });
  await clock.pass(46_000);
  assert.match(String(await ended), /does not answer any more/);
});

/** What the handshake's answer says. */
const LOBBY = {
  kind: "entered",
  id: 0,
  room: 1,
  title: "lobby",
  name: "alice",
  at: 0,
  complete: true,
  topic: "",
} as const;

/** What a v1 server's messages say to a client called alice, number 7, in the lobby. */
function viewed(requests: readonly Request[], ...messages: Record<string, unknown>[]): Event[] {
  const view = new V1Translation(
    { client: 7, name: "alice", wantedName: "alice", room: "lobby" },
    () => 0,
  );
  for (const request of requests) view.toV1(request);
  const stamp = { client_id: 7, room: "lobby", timestamp: "" };
  return messages.flatMap((message) =>
    view.fromV1({ ...stamp, ...message } as Parameters<V1Translation["fromV1"]>[0])
  );
}

const OURS = { type: "chat", sender: "alice", sequence: 1 };

Deno.test("v1: our echo answers its message, and tells that an earlier one was dropped", () => {
  const requests: Request[] = ["a", "b"].map((text, at) => ({
    kind: "chat",
    id: at + 1,
    ...SAID,
    text,
  }));
  const [dropped, chat] = viewed(requests, { ...OURS, message: "b" });
  assert.deepEqual(dropped, {
    kind: "declined",
    id: 1,
    why: "Not delivered: the server dropped it",
  });
  assert.ok(chat?.kind === "chat" && chat.request === 2);
});

Deno.test("v1: our echo tells a name and a room that the server never announced", () => {
  const [moved] = viewed([], { ...OURS, sender: "alice-2", message: "hi" });
  assert.deepEqual(moved, { ...LOBBY, name: "alice-2" });
});

Deno.test("v1: words about us answer a rename and a change of rooms", () => {
  const requests: Request[] = [{ kind: "rename", id: 1, name: "alicia" }, {
    kind: "join",
    id: 2,
    title: "dev",
  }];
  const events = viewed(
    requests,
    { type: "system", message: "alice is now alicia." },
    { type: "system", message: "alicia joined.", room: "dev" },
  );
  assert.deepEqual(
    events.map((event) => "id" in event ? `${event.kind} ${event.id}` : event.kind),
    [
      "entered 0",
      "done 1",
      "notice",
      "entered 2",
      "notice",
    ],
  );
});

Deno.test("v1: a refusal falls on the request that it is about", () => {
  const requests: Request[] = [{ kind: "rename", id: 1, name: "bob" }];
  const refused = (message: string) => ({ type: "system", event: "refused", message });
  assert.deepEqual(viewed(requests, refused("Cannot send the file: too many")), [
    { kind: "notice", room: 1, text: "Cannot send the file: too many" },
  ]);
  assert.deepEqual(viewed(requests, refused("The name is taken")), [
    { kind: "declined", id: 1, why: "The name is taken" },
  ]);
});

Deno.test("v1: a chunk that is not base64 breaks the protocol", () => {
  const chunk = { type: "file_chunk", sender: "bob", file_id: "f", chunk_index: 0, is_final: true };
  assert.throws(() => viewed([], { ...chunk, chunk_data: "!" }), ProtocolError);
});
