// The server as an operator meets it: starting, refusing to start, options that reach the wire, stopping.

import assert from "node:assert/strict";
import { SERVER_COMMANDS } from "../../../server/commands/program.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import {
  runServer,
  type ServerOptions,
  startServer,
} from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { frameOf, handshakeOf, RawPeer, V1Peer } from "../../helpers/peers/v1_peer.ts";

const testTls = skipWithout("openssl");

Deno.test("COMMAND --help and help COMMAND print the same for every command of the server", async () => {
  for (const { name } of SERVER_COMMANDS) {
    const [long, short, word] = await Promise.all([
      runServer({ args: [name, "--help"], bare: true }),
      runServer({ args: [name, "-h"], bare: true }),
      runServer({ args: ["help", name], bare: true }),
    ]);
    assert.deepEqual(long, word, name);
    assert.deepEqual(short, word, name);
    assert.equal(word.code, 0);
    assert.match(word.stdout, new RegExp(`^usage: cmdchat-server ${name}`));
  }
});

Deno.test("the server says where it listens, whether with TLS, and who may join", async () => {
  await using server = await startServer();
  assert.match(server.banner, /^cmdchat-server [\d.]+ listening on 127\.0\.0\.1:\d+ \(no TLS, /);
  assert.match(server.banner, /open to everyone\)$/);
  await using closed = await startServer({ env: { CMDCHAT_TOKENS: "a-token" } });
  assert.match(closed.banner, /token needed\)$/);
});

Deno.test("--version and --help print to standard output and end with 0", async () => {
  const version = await runServer({ args: ["--version"] });
  assert.deepEqual([version.code, version.stderr], [0, ""]);
  assert.match(version.stdout, /^cmdchat-server \d+\.\d+\.\d+\n$/);
  const help = await runServer({ args: ["--help"] });
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  for (const word of ["--host", "--certfile", "--rate-limit", "CMDCHAT_TOKENS", "5050", "12/5"]) {
    assert.ok(help.stdout.includes(word), word);
  }
});

/** Starts a server that must refuse to; gives what it says. */
async function refusal(options: ServerOptions, code: number): Promise<string> {
  const ended = await runServer(options);
  assert.equal(ended.code, code, ended.stderr);
  assert.equal(ended.stdout, "");
  assert.match(ended.stderr, /^error: Cannot .*\n(hint: .*\n)?$/);
  return ended.stderr;
}

testTls("with TLS, the same mistakes are the same errors", async () => {
  await using made = await makeCertificate();
  const tls = ["--certfile", made.certFile, "--keyfile", made.keyFile];
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const inUse = await refusal({ args: [...tls, "--port", `${port}`] }, 3);
  assert.match(inUse, /another program already uses/);
  assert.match(await refusal({ args: [...tls, "--host", "203.0.113.5"] }, 3), /no such address/);
  assert.match(await refusal({ args: tls.slice(0, 2) }, 3), /needs --keyfile as well/);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal} ends the server with 0: clients are told, and all that waits is delivered`, async () => {
    await using server = await startServer({ args: ["--rate-limit", "off"] });
    await using alice = await V1Peer.join({ port: server.port, name: "alice" });
    await using bob = await V1Peer.join({ port: server.port, name: "bob" });
    await using half = await RawPeer.connect(server);
    await half.write(new Uint8Array([0, 0]));
    for (let n = 0; n < 200; n++) await alice.chat(`before ${n}`);
    await alice.hears("before 199");
    const ended = await server.stop(signal, 5_000);
    assert.equal(ended.code, 0, ended.stderr);
    await bob.hears("before 199");
    await bob.system(/^The server is stopping/);
    await alice.system(/^The server is stopping/);
    await Promise.all([alice.closed, bob.closed]);
    assert.match(ended.stderr, /stopping.*\n(.*\n)*.* INFO stopped\n/);
  });
}

/** Leaves the server with something to write that `stuck` never reads. */
async function sayMoreThanFits(alice: V1Peer, stuck: V1Peer): Promise<void> {
  stuck.hold();
  const text = "x".repeat(4_000);
  for (let n = 0; n < 2_000; n++) await alice.chat(text);
  await alice.settled();
}

Deno.test("a client that reads nothing does not delay the stop by more than the drain time", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  await using stuck = await V1Peer.join({ port: server.port, name: "stuck" });
  await using alice = await V1Peer.join({ port: server.port, name: "alice" });
  await sayMoreThanFits(alice, stuck);
  const before = performance.now();
  assert.equal((await server.stop("SIGTERM", 8_000)).code, 0);
  assert.ok(performance.now() - before < 5_000);
});

Deno.test("a second signal ends the server at once", async () => {
  await using server = await startServer({ args: ["--rate-limit", "off"] });
  await using stuck = await V1Peer.join({ port: server.port, name: "stuck" });
  await using alice = await V1Peer.join({ port: server.port, name: "alice" });
  await sayMoreThanFits(alice, stuck);
  Deno.kill(server.pid, "SIGTERM");
  await server.logged(/stopping/);
  assert.equal((await server.stop("SIGTERM", 2_000)).code, 1);
});

Deno.test("who has no token, or a wrong one, gets one and the same vague answer", async () => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: "first-token, second-token" } });
  const wrong = [
    null,
    "",
    "x",
    "first-toke",
    "first-token,",
    "FIRST-TOKEN",
    "first-token second-token",
  ];
  for (const token of wrong) {
    await using raw = await RawPeer.connect(server);
    await raw.write(frameOf(await handshakeOf({ token })));
    assert.deepEqual(await raw.json(), { type: "handshake_error", reason: "unauthorized" });
    assert.equal(await raw.json(), undefined);
  }
  for (const token of ["first-token", "second-token"]) {
    await using peer = await V1Peer.join({ port: server.port, token });
    await peer.system(/joined/);
  }
  assert.ok(!server.log.includes("first-token"));
  assert.ok(!server.log.includes("first-toke"));
});

Deno.test("twelve messages in five seconds pass; the rest is dropped with one notice", async () => {
  await using server = await startServer();
  await using alice = await V1Peer.join({ port: server.port, name: "alice" });
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  for (let n = 1; n <= 30; n++) await alice.chat(`message ${n}`);
  const notice = await alice.system(/^Not delivered: at most 12 messages in 5 seconds/);
  assert.match(String(notice["message"]), /Wait \d s/);
  await alice.send({ type: "system", message: "flush" });
  await bob.hears("message 12");
  await bob.chat("mine pass");
  await alice.hears("mine pass");
  const chats = bob.history.filter(({ sender }) => sender === "alice");
  assert.equal(chats.length, 12);
  const notices = alice.history.filter(({ message }) => /^Not delivered/.test(String(message)));
  assert.equal(notices.length, 1);
});

Deno.test("connections above --max-connections, or --max-per-address, are closed at once", async () => {
  for (const option of ["--max-connections", "--max-per-address"]) {
    await using server = await startServer({ args: [option, "2"] });
    await using first = await V1Peer.join(server);
    const second = await V1Peer.join(server);
    await using third = await RawPeer.connect(server);
    assert.equal((await third.rest(2_000)).length, 0);
    await second[Symbol.asyncDispose]();
    await first.system(/left/);
    await using again = await V1Peer.join(server);
    await again.chat("in again");
    await first.hears("in again");
  }
});

Deno.test("rooms above --max-rooms cannot be opened, and an empty room makes place", async () => {
  await using server = await startServer({ args: ["--max-rooms", "2"] });
  await using one = await V1Peer.join({ port: server.port, room: "one", name: "a" });
  await using two = await V1Peer.join({ port: server.port, room: "two", name: "b" });
  await assert.rejects(V1Peer.join({ port: server.port, room: "three" }), /too_many_rooms/);
  await two.send({ type: "switch_room", room: "three" });
  await two.system(/at most 2 are allowed/);
  await two.send({ type: "switch_room", room: "one" });
  await one.system(/^b joined/);
  await using three = await V1Peer.join({ port: server.port, room: "three" });
  assert.equal(three.welcome["room"], "three");
});

Deno.test("limits given as options are the limits that hold, and that clients are told", async () => {
  await using server = await startServer({
    args: ["--max-message", "10", "--max-file", "0", "--rate-limit", "2/60"],
  });
  await using alice = await V1Peer.join({ port: server.port });
  await alice.chat("12345678901");
  await alice.system(/11\b.*10\b/);
  await alice.send({
    type: "file_init",
    file_id: "f",
    filename: "f",
    filesize: 1,
    total_chunks: 1,
  });
  await alice.system(/^Cannot send the file/);
  await alice.chat("third");
  await alice.system(/at most 2 messages in 60 seconds/);
});

const OTHER_PROTOCOLS: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /^HTTP\/1\.1 400 .*not a web server/s],
  ["SSH", "SSH-2.0-OpenSSH_9.7\r\n", /not an SSH server/],
  ["TLS", new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), /speaks no TLS on this port/],
];
for (const [name, bytes, answer] of OTHER_PROTOCOLS) {
  Deno.test(`${name} on the plain port gets one line that says what to do, and the end`, async () => {
    await using server = await startServer();
    await using raw = await RawPeer.connect(server);
    await raw.write(bytes);
    const text = new TextDecoder().decode(await raw.rest(2_000));
    assert.match(text, answer);
    assert.match(text, /cmdchat-client --host/);
  });
}

Deno.test("random bytes on the port are closed at once", async () => {
  await using server = await startServer();
  await using raw = await RawPeer.connect(server);
  await raw.write(new Uint8Array([255, 255, 255, 255, 1, 2, 3]));
  const text = new TextDecoder().decode(await raw.rest(2_000));
  assert.match(text, /handshake_error/);
});

testTls(
  "over TLS people talk, and a plain client or a stranger's certificate gets nowhere",
  async () => {
    await using made = await makeCertificate();
    await using other = await makeCertificate();
    await using server = await startServer({
      args: ["--certfile", made.certFile, "--keyfile", made.keyFile],
    });
    assert.match(server.banner, /\(TLS, /);
    await using alice = await V1Peer.join({ port: server.port, name: "alice", caCert: made.cert });
    await using bob = await V1Peer.join({ port: server.port, name: "bob", caCert: made.cert });
    await alice.chat("over TLS");
    await bob.hears("over TLS");
    await using plain = await RawPeer.connect({ port: server.port });
    await plain.write(frameOf(await handshakeOf()));
    const alert = await plain.rest(2_000);
    assert.deepEqual([...alert.subarray(0, 2)], [0x15, 3], "a TLS alert, and then the end");
    await assert.rejects(RawPeer.connect({ port: server.port, caCert: other.cert }));
    assert.equal((await server.stop("SIGTERM", 5_000)).code, 0);
    await bob.system(/^The server is stopping/);
    await bob.closed;
  },
);

testTls("a large file goes through over TLS, and an end is a goodbye", async () => {
  await using made = await makeCertificate();
  await using server = await startServer({
    args: ["--certfile", made.certFile, "--keyfile", made.keyFile],
  });
  await using alice = await V1Peer.join({ port: server.port, name: "alice", caCert: made.cert });
  await using bob = await V1Peer.join({ port: server.port, name: "bob", caCert: made.cert });
  const total_chunks = 64;
  const chunk_data = btoa("x".repeat(32_768));
  const init = { file_id: "f", filename: "f", filesize: total_chunks * 32_768, total_chunks };
  await alice.send({ type: "file_init", ...init });
  for (let chunk_index = 0; chunk_index < total_chunks; chunk_index++) {
    const is_final = chunk_index === total_chunks - 1;
    await alice.send({ type: "file_chunk", file_id: "f", chunk_index, chunk_data, is_final });
  }
  const last = await bob.next((payload) => payload["is_final"] === true);
  assert.equal(last["chunk_index"], total_chunks - 1);
  await using refused = await RawPeer.connect({ port: server.port, caCert: made.cert });
  await refused.write(frameOf({ type: "none" }));
  assert.equal((await refused.json())?.["reason"], "expected_handshake");
  // Without TLS's own goodbye this read would fail instead of ending.
  assert.equal(await refused.conn.read(new Uint8Array(1)), null);
});

Deno.test("a log of DEBUG to CRITICAL shows what it should", async () => {
  await using quiet = await startServer({ args: ["--log-level", "WARNING"] });
  await using loud = await startServer({
    env: { CMDCHAT_LOG_LEVEL: "debug", CMDCHAT_METRICS_INTERVAL: "1" },
  });
  for (const server of [quiet, loud]) {
    const peer = await V1Peer.join({ port: server.port });
    await peer[Symbol.asyncDispose]();
  }
  await loud.logged(/ INFO metrics connections=\d+ .*lagMs=\d/);
  assert.match(loud.log, / INFO client joined/);
  const { stderr } = await quiet.stop();
  assert.equal(stderr, "");
});
