// Clients behind a trusted proxy that say nothing once the proxy has named them: each counts for its own address from
// then on, and who was named once is not believed about itself.

import assert from "node:assert/strict";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { closeQuietly } from "../../helpers/peers/conn_ends.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { proxyV2 } from "../../helpers/web/proxy_headers.ts";
import { askUpgrade, overWebSocket, upgradeRequest } from "../../helpers/web/web_socket_conn.ts";

const PLACES = 12;
const CAP = 3;
const ARGS = [
  "--trusted-proxy",
  "127.0.0.1",
  "--web-only-socket",
  "--max-connections",
  String(PLACES),
  "--max-per-address",
  String(CAP),
];
const testTls = skipWithout("openssl");
const encoder = new TextEncoder();

/** The header of a proxy that brings somebody from `address`. */
function headerOf(address: string): Uint8Array {
  return encoder.encode(`PROXY TCP4 ${address} 192.0.2.2 1 2\r\n`);
}

const HEADERS = {
  "version 1": headerOf("203.0.113.7"),
  "version 2": proxyV2({ address: [203, 0, 113, 7] }),
};

async function dial({ port }: RunningServer): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port });
}

/** A connection through the proxy that goes on with these bytes, and whether the server keeps it. */
async function hold(server: RunningServer, bytes: Uint8Array) {
  const conn = await dial(server);
  await conn.write(bytes);
  let isOpen = true;
  const ended = conn.read(new Uint8Array(256)).catch(() => null).then(() => isOpen = false);
  return { conn, ended, isOpen: () => isOpen };
}

/** More connections of one address than the server has places, and how many of them it keeps. */
async function crowd(server: RunningServer, bytes: Uint8Array) {
  const held: Awaited<ReturnType<typeof hold>>[] = [];
  for (let n = 0; n < PLACES + 4; n++) held.push(await hold(server, bytes));
  const surplus = Promise.all(held.map(async ({ ended }, n) => n < CAP || await ended));
  await within(surplus, "the end of all above the share", 5_000);
  return {
    kept: () => held.filter(({ isOpen }) => isOpen()).length,
    [Symbol.dispose]: () => held.forEach(({ conn }) => closeQuietly(conn)),
  };
}

/** A client from another address. */
function newcomer(server: RunningServer) {
  const over = async (conn: Deno.Conn) => {
    await conn.write(headerOf("203.0.113.8"));
    return conn;
  };
  return V2Peer.join({ port: server.port, hello: { name: "newcomer" }, over });
}

for (const [version, header] of Object.entries(HEADERS)) {
  Deno.test(`a client that a proxy named (${version}) and that says nothing takes places of its own address only`, async () => {
    await using server = await startServer({ args: ARGS });
    using silent = await crowd(server, header);
    assert.equal(silent.kept(), CAP);
    await using peer = await newcomer(server);
    await peer.say("in");
  });
}

testTls("nor does one that begins TLS and never ends it", async () => {
  await using certificate = await makeCertificate();
  const { certFile, keyFile } = certificate;
  const args = [...ARGS, "--certfile", certFile, "--keyfile", keyFile];
  await using server = await startServer({ args });
  // The first bytes of a hello that is longer.
  const hello = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252);
  using silent = await crowd(server, concatBytes([HEADERS["version 1"], hello]));
  assert.equal(silent.kept(), CAP);
});

Deno.test("who a proxy does not name, or named once, cannot say who it is", async () => {
  await using server = await startServer({ args: ARGS });
  const local = proxyV2({ command: 0x20 });
  const unknown = encoder.encode("PROXY UNKNOWN\r\n");
  for (const header of [local, unknown, headerOf("203.0.113.7")]) {
    const conn = await dial(server);
    await conn.write(header);
    const socket = await overWebSocket(conn, ["X-Forwarded-For: 198.51.100.66"]);
    await using peer = await V2Peer.join({
      port: server.port,
      hello: { name: "claims" },
      over: (raw) => (closeQuietly(raw), Promise.resolve(socket)),
    });
    await peer.say("in");
  }
  await server.logged(/client joined .*address="203\.0\.113\.7"/);
  await server.logged(/client joined .*address="127\.0\.0\.1"/);
  assert.doesNotMatch(server.log, /198\.51\.100\.66/);
});

testTls("a client whose proxy does not name it cannot do so inside TLS", async () => {
  await using certificate = await makeCertificate();
  const { certFile, keyFile, cert } = certificate;
  const args = [...ARGS, "--certfile", certFile, "--keyfile", keyFile];
  await using server = await startServer({ args });
  const raw = await dial(server);
  await raw.write(encoder.encode("PROXY UNKNOWN\r\n"));
  const conn = await Deno.startTls(raw, { hostname: "localhost", caCerts: [cert] });
  await conn.write(headerOf("198.51.100.66"));
  const answer = await askUpgrade(conn, upgradeRequest([]));
  closeQuietly(conn);
  assert.doesNotMatch(answer, /^HTTP\/1\.1 101/);
  assert.match(answer, /handshake_error/);
});
