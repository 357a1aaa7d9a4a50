// What one bad client sends: nothing of it has an effect where it must not, piles up, or reaches the log. How long the
// others wait meanwhile is measured by abuse_test.ts.

import assert from "node:assert/strict";
import { pause } from "../bench/load/load.ts";
import { makeCertificate } from "../helpers/system/certificates.ts";
import { INTRUSIONS } from "../helpers/hostile/v1_intrusions.ts";
import { gauge, nextMetrics } from "../helpers/system/metrics_line.ts";
import { startServer } from "../helpers/programs/server_process.ts";
import { skipWithoutProc } from "../helpers/repo/skip.ts";
import {
  frameOf,
  handshakeOf,
  type Payload,
  RawPeer,
  V1Peer,
  within,
} from "../helpers/peers/v1_peer.ts";

const MIB = 1_048_576;
const OPEN = ["--max-per-address", "off", "--rate-limit", "off"];

const testLinux = skipWithoutProc();
const testTls = skipWithoutProc("openssl");

testLinux("no input makes the server allocate what it announces or piles up", async () => {
  await using server = await startServer({ args: [...OPEN, "--metrics-interval", "1"] });
  const { port } = server;
  await using alice = await V1Peer.join({ port, name: "alice" });
  await alice.settled();
  const memory = server.memory();
  const announcers: RawPeer[] = [];
  for (let n = 0; n < 1_000; n++) {
    const raw = await RawPeer.connect({ port });
    await raw.write(new Uint8Array([0, 1, 0, 0, 123]));
    announcers.push(raw);
  }
  assert.ok(server.memory() - memory < 32 * MIB, "1,000 announced frames cost what has arrived");
  for (const raw of announcers) raw.close();

  for (const length of [[0, 1, 0, 1], [0x7f, 255, 255, 255], [255, 255, 255, 255], [0, 0, 0, 0]]) {
    await using raw = await RawPeer.connect({ port });
    await raw.write(new Uint8Array(length));
    await raw.rest(2_000);
  }

  const deep = ["[".repeat(65_000), `${'{"a":'.repeat(13_000)}1${"}".repeat(13_000)}`];
  const wide = `[${"0,".repeat(32_000)}0]`;
  for (const text of [...deep, wide, `"${"x".repeat(65_000)}"`]) {
    await using raw = await RawPeer.connect({ port });
    await raw.write(frameOf(text));
    assert.equal((await raw.json())?.["type"], "handshake_error");
    await using inside = await V1Peer.join({ port, name: "inside", room: "other" });
    await inside.raw.write(inside.sealBytes(new TextEncoder().encode(text.slice(0, 49_000))));
    await inside.closed;
  }

  // The heap grows to its working size once; what piles up grows the second time as well.
  await pourIn(alice, port);
  const warm = server.memory();
  await pourIn(alice, port);
  await nextMetrics(server);
  assert.equal(gauge(server, "rooms"), 1);
  assert.ok(server.memory() - warm < 32 * MIB, `${(server.memory() - warm) / MIB} MiB more`);
});

/** What is too large, 4,000 rooms, 4,000 names and 1,000 chunks of no file; tests of growth weigh each by the byte. */
async function pourIn(alice: V1Peer, port: number): Promise<void> {
  const oversized: Payload[] = [
    { type: "rename", name: "x".repeat(48_000) },
    { type: "switch_room", room: "́".repeat(20_000) },
    { type: "chat", message: "x".repeat(48_000) },
  ];
  for (const payload of oversized) await alice.send(payload);
  await alice.settled();

  for (let n = 0; n < 4_000; n++) {
    await alice.raw.write(alice.seal({ type: "switch_room", room: `room ${n}` }));
    if (n % 100 === 99) await alice.settled();
  }
  for (let n = 0; n < 4_000; n++) {
    await alice.raw.write(alice.seal({ type: "rename", name: `name ${n}` }));
    if (n % 100 === 99) await alice.settled();
  }
  const chunk_data = btoa("x".repeat(32_768));
  const chunk = { type: "file_chunk", file_id: "endless", chunk_data, is_final: false };
  // Few enough of each that its pace does not end it.
  await Promise.all(Array.from({ length: 20 }, async (_, p) => {
    await using pourer = await V1Peer.join({ port, name: `pourer ${p}` });
    for (let n = 0; n < 50; n++) await pourer.send({ ...chunk, chunk_index: n });
    await pourer.settled();
  }));
  for (const index of [-1, 0.5, 2 ** 53, 1e300]) {
    await using raw = await V1Peer.join({ port, name: "indexed" });
    await raw.send({ ...chunk, chunk_index: index });
    await raw.closed;
  }
}

Deno.test("no message of any kind has an effect without a handshake, with a bad token, or after a fault", async () => {
  await using server = await startServer({ args: OPEN, env: { CMDCHAT_TOKENS: "the-token" } });
  const { port } = server;
  await using watcher = await V1Peer.join({ port, name: "watcher", token: "the-token" });
  for (const payload of INTRUSIONS) {
    await using bare = await RawPeer.connect({ port });
    await bare.write(frameOf(payload));
    const answer = await bare.json();
    assert.deepEqual(answer, { type: "handshake_error", reason: "expected_handshake" });
    assert.equal(await bare.json(), undefined);

    await using sealed = await RawPeer.connect({ port });
    await sealed.write(watcher.seal(payload));
    assert.equal((await sealed.json())?.["type"], "handshake_error");

    await using refused = await RawPeer.connect({ port });
    await refused.write(frameOf(await handshakeOf({ token: "wrong" })));
    assert.deepEqual(await refused.json(), { type: "handshake_error", reason: "unauthorized" });
    await refused.write(watcher.seal(payload)).catch(() => {});
    await refused.rest(2_000);

    await using broken = await V1Peer.join({ port, name: "broken", token: "the-token" });
    await watcher.system(/^broken joined/);
    const frames = [broken.seal({ type: "none" }), broken.seal(payload)];
    await broken.raw.write(new Uint8Array(frames.flatMap((frame) => [...frame])));
    await broken.closed;
    await watcher.system(/^broken left/);
  }
  await watcher.settled();
  assert.ok(!JSON.stringify(watcher.history).includes("intruder"));
});

Deno.test("no message of any kind has an effect in a room that its sender is not in", async () => {
  await using server = await startServer({ args: OPEN });
  const { port } = server;
  await using watcher = await V1Peer.join({ port, name: "watcher", room: "private" });
  await using alice = await V1Peer.join({ port, name: "alice", room: "lobby" });
  for (const payload of INTRUSIONS) {
    await alice.send({ ...payload, room: payload["room"] ?? "private" });
  }
  await alice.settled();
  const heard = await watcher.settled();
  assert.deepEqual(heard.filter(({ event }) => event !== "joined" && event !== "names"), []);
  assert.ok(!JSON.stringify(watcher.history).includes("intruder"));
});

Deno.test("an envelope of one session opens in no other", async () => {
  await using server = await startServer({ args: OPEN });
  await using alice = await V1Peer.join({ port: server.port, name: "alice" });
  await using mallory = await V1Peer.join({ port: server.port, name: "mallory" });
  await mallory.raw.write(alice.seal({ type: "chat", message: "stolen" }));
  await mallory.closed;
  await alice.settled();
  assert.ok(!JSON.stringify(alice.history).includes("stolen"));
});

Deno.test("v1 cannot tell a repeated envelope of the same session; THREAT-MODEL.md says so", async () => {
  await using server = await startServer({ args: OPEN });
  await using alice = await V1Peer.join({ port: server.port, name: "alice" });
  const frame = alice.seal({ type: "chat", message: "pay 10" });
  await alice.raw.write(frame);
  await alice.raw.write(frame);
  const first = await alice.hears("pay 10");
  const second = await alice.hears("pay 10");
  assert.deepEqual([first["sequence"], second["sequence"]], [1, 2]);
});

testTls("a server that runs out of handles serves again when some are back", async () => {
  await using made = await makeCertificate();
  const run = "ulimit -n 90; exec " +
    `"${Deno.execPath()}" run --no-check --no-prompt -A server/main.ts "$@"`;
  for (const tls of [[], ["--certfile", made.certFile, "--keyfile", made.keyFile]]) {
    await using server = await startServer({
      command: { path: "sh", args: ["-c", run, "sh"] },
      args: [...OPEN, ...tls],
    });
    const crowd: RawPeer[] = [];
    for (let n = 0; n < 150; n++) crowd.push(await RawPeer.connect({ port: server.port }));
    await pause(300);
    for (const raw of crowd) raw.close();
    const caCert = tls.length > 0 ? made.cert : undefined;
    const options = { port: server.port, name: "late", caCert };
    await using late = await within(joinAgain(options), "the late client", 10_000);
    await late.chat("in");
    await late.hears("in");
  }
});

/** As clients do: whoever is reset while the server opens its port again, or finds no place yet, comes once more. */
async function joinAgain(options: Parameters<typeof V1Peer.join>[0]): Promise<V1Peer> {
  for (;;) {
    try {
      return await V1Peer.join(options);
    } catch (error) {
      const cut = [Deno.errors.ConnectionReset, Deno.errors.UnexpectedEof];
      const isCut = cut.some((kind) => error instanceof kind);
      if (!isCut && !/closed without a word/.test(String(error))) throw error;
    }
    await pause(100);
  }
}

Deno.test("the log of a conversation holds no name, no room, no text and no token", async () => {
  await using server = await startServer({
    args: ["--log-level", "DEBUG", "--metrics-interval", "1"],
    env: { CMDCHAT_TOKENS: "tok-3b1f" },
  });
  const options = { port: server.port, name: "Nathalie", room: "hideout", token: "tok-3b1f" };
  await using alice = await V1Peer.join(options);
  await alice.chat("the treasure is under the oak");
  await alice.send({ type: "rename", name: "a\r\n2026-01-01 ERROR forged\u2028x\x1b[31m" });
  await alice.send({
    type: "file_init",
    file_id: "f",
    filename: "map.pdf",
    filesize: 9,
    total_chunks: 1,
  });
  await alice.settled();
  await using forger = await RawPeer.connect(server);
  await forger.write(frameOf(await handshakeOf({ ...options, name: "x\nERROR forged\x1b[2J" })));
  assert.equal((await forger.json())?.["reason"], "invalid_name");
  await using wrong = await RawPeer.connect(server);
  await wrong.write(frameOf(await handshakeOf({ ...options, token: "tok-guess" })));
  await wrong.rest();
  await nextMetrics(server);
  const { stderr } = await server.stop();
  for (const word of ["Nathalie", "hideout", "treasure", "tok-", "map.pdf", "forged"]) {
    assert.ok(!stderr.includes(word), word);
  }
  for (const line of stderr.trimEnd().split("\n")) {
    assert.match(
      line,
      /^\d{4}-\d\d-\d\dT[\d:.]+Z (DEBUG|INFO|WARNING|ERROR|CRITICAL) [\x20-\x7e]+$/,
    );
  }
});
