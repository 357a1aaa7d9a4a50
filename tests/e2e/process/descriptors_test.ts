// A server that has no file descriptor left, by the system's own limit, and what is left of it afterwards.

import assert from "node:assert/strict";
import { adminAnswer, pagesOf, WITH_TOKEN } from "../../helpers/programs/admin.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";

const test = skipIf(
  Deno.build.os === "linux" ? whyMissing("prlimit", "openssl") : "limits are set as Linux does",
);

/** A connection, or undefined where the system refuses or resets it. */
async function connect(server: RunningServer): Promise<Deno.Conn | undefined> {
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return undefined;
    if (error instanceof Deno.errors.ConnectionReset) return undefined;
    throw error;
  }
}

/** Connections until the server can open nothing more, and some that wait at its door. */
async function exhaust(server: RunningServer): Promise<Deno.Conn[]> {
  const limit = server.handles() + 20;
  const { success } = await new Deno.Command("prlimit", {
    args: [`--pid=${server.pid}`, `--nofile=${limit}:${limit}`],
  }).output();
  assert.ok(success);
  const connections: Deno.Conn[] = [];
  while (server.handles() < limit && connections.length < 100) {
    const connection = await connect(server);
    // Near its limit the server closes its listener and opens another one: whoever asks between them is refused.
    if (connection === undefined) break;
    connections.push(connection);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for (let more = 0; more < 5; more++) {
    const connection = await connect(server);
    if (connection !== undefined) connections.push(connection);
  }
  return connections;
}

async function pageStatus(pages: string, path: string): Promise<number> {
  const response = await fetch(`http://${pages}${path}`, { signal: AbortSignal.timeout(500) });
  await response.body?.cancel();
  return response.status;
}

/** Asks until it is so. */
async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 15_000;
  while (!await isSo().catch(() => false)) {
    assert.ok(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

for (const isTls of [false, true]) {
  test(`a server ${isTls ? "with" : "without"} TLS that ran out of file descriptors serves clients and pages again`, async () => {
    await using certificate = await makeCertificate();
    const tls = isTls ? ["--certfile", certificate.certFile, "--keyfile", certificate.keyFile] : [];
    await using server = await startServer({
      args: ["--admin-listen", "127.0.0.1:0", "--max-per-address", "off", ...tls],
      env: WITH_TOKEN,
    });
    const pages = await pagesOf(server);
    assert.equal(await pageStatus(pages, "/ready"), 200);
    const connections = await exhaust(server);
    // Whoever asks now may be refused: what counts is that these accepts, which fail, are not the last ones.
    for (let asked = 0; asked < 3; asked++) {
      await pageStatus(pages, "/ready").catch(() => undefined);
    }
    for (const connection of connections) connection.close();
    await until(async () => await pageStatus(pages, "/ready") === 200, "ready again");
    await using alice = await V2Peer.join({
      port: server.port,
      ...(isTls ? { tlsCa: certificate.cert } : {}),
      hello: { name: "alice" },
    });
    assert.equal(alice.welcome.kind, "welcome");
    assert.match(await adminAnswer(pages, "sessions"), /v2/);
    assert.equal((await server.stop()).code, 0);
  });
}

test("a crowd at a server that may open 64 files: those who fit are in, pages answer at once, and nothing ends it", async () => {
  await using server = await startServer({
    under: ["prlimit", "--nofile=64:64"],
    args: ["--admin-listen", "127.0.0.1:0", "--max-per-address", "off", "--rate-limit", "off"],
    env: WITH_TOKEN,
  });
  const pages = await pagesOf(server);
  await server.logged(/limit of open files leaves fewer connections most=\d+/);
  await using stack = new AsyncDisposableStack();
  const inside: V2Peer[] = [];
  // Many handshakes at once are where a worker starts, which needs files itself.
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 60 }, async (_, n) => {
      try {
        const peer = await V2Peer.join({ port: server.port, hello: { name: `p${round}-${n}` } });
        inside.push(stack.use(peer));
      } catch (error) {
        // It is full: the system or the server closes.
        assert.match(String(error), /the link ended in the handshake|ConnectionReset/);
      }
    }));
    assert.equal(await pageStatus(pages, "/health"), 200);
    assert.equal(await pageStatus(pages, "/ready"), 200);
    assert.match(await adminAnswer(pages, "sessions"), /v2/);
  }
  assert.ok(inside.length >= 4 && inside.length <= 24, `${inside.length}`);
  const [first, second] = inside as [V2Peer, V2Peer];
  await first.say("still here");
  await second.until("chat", ({ text }) => text === "still here");
  await first.send({ kind: "bye" });
  await until(async () => {
    await using late = await V2Peer.join({ port: server.port, hello: { name: "late" } });
    return late.welcome.kind === "welcome";
  }, "a newcomer");
  const { code, stderr } = await server.stop();
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /panicked|unexpected fault/);
});
