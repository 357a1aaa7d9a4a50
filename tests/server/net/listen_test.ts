import assert from "node:assert/strict";
import { Server } from "node:net";
import { LISTEN_BACKLOG } from "../../../server/config/limits.ts";
import { readConfig } from "../../../server/config/server_options.ts";
import { listen } from "../../../server/net/listen.ts";
import type { Listener, Service } from "../../../server/net/listener.ts";
import { type Connection, ConnectionLost } from "../../../server/net/connection.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { RawPeer, within } from "../../helpers/peers/v1_peer.ts";

const testTls = skipWithout("openssl");
const LOCAL = { host: "127.0.0.1", port: 0, tls: undefined };

testTls("all listeners have the system keep the clients that come back at once", async () => {
  await using certificate = await makeCertificate();
  const { cert, key } = certificate;
  const asked: (number | undefined)[] = [];
  const { listen: listenDeno, listenTls } = Deno;
  const { listen: listenNode } = Server.prototype;
  const noting = <O, L>(open: (options: O) => L) => (options: O) => {
    const { tcpBacklog, backlog } = options as { tcpBacklog?: number; backlog?: number };
    asked.push(tcpBacklog ?? backlog);
    return open(options);
  };
  try {
    Object.assign(Deno, { listen: noting(listenDeno), listenTls: noting(listenTls) });
    Server.prototype.listen = function (this: Server, options: object, onOpen: () => void) {
      return noting((all: object) => listenNode.call(this, all, onOpen))(options);
    } as typeof listenNode;
    (await listen(LOCAL)).close();
    assert.deepEqual(asked.splice(0), [LISTEN_BACKLOG]);
    (await listen({ ...LOCAL, tls: { cert, key } })).close();
    assert.equal(asked.at(-1), LISTEN_BACKLOG);
  } finally {
    Object.assign(Deno, { listen: listenDeno, listenTls });
    Server.prototype.listen = listenNode;
  }
});

/** A listener that serves `onConnection`, and what it told. */
function serving(
  listener: Listener,
  onConnection: (link: Connection) => Promise<void>,
  overrides: Partial<Service> = {},
) {
  const told = { failed: [] as string[], faults: [] as unknown[], released: 0 };
  const done = listener.serve({
    admit: () => ({ forHeld: false, settle() {}, release: () => told.released++ }),
    onConnection: (link, _slot, ending) =>
      void onConnection(link).then(() => ending.end(), (error) => ending.fail(error)),
    onHandshakeFailed: (address) => told.failed.push(address),
    onFault: (error) => told.faults.push(error),
    ...overrides,
  });
  return {
    told,
    port: listener.address.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await within(done, "the end of serve()");
    },
  };
}

/** Gives back whatever comes. */
async function echo(link: Connection): Promise<void> {
  for (let bytes = await link.read(); bytes !== null; bytes = await link.read()) {
    await link.write(bytes.slice());
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `${what} did not come in time`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function readExactly(peer: RawPeer, count: number): Promise<string> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await within(peer.conn.read(bytes.subarray(at)), "an echo");
    assert.ok(read !== null, "the link ended");
    at += read;
  }
  return new TextDecoder().decode(bytes);
}

/** A TLS peer that wrote `count` bytes and left in the given way, as soon as the system took them. */
async function leftAfter(
  port: number,
  { certFile, cert }: TestCertificate,
  count: number,
  ending: "ends its side" | "closes" | "is killed",
): Promise<AsyncDisposable> {
  if (ending !== "is killed") {
    const peer = await RawPeer.connect({ port, caCert: cert });
    // Where the server's session tickets come to a peer that has closed, its system drops what is on its way.
    await peer.conn.read(new Uint8Array(1));
    await peer.write(new Uint8Array(count));
    if (ending === "closes") peer.close();
    else await peer.conn.closeWrite();
    return peer;
  }
  const code = `
    const conn = await Deno.connectTls({
      hostname: "127.0.0.1", port: ${port}, caCerts: [Deno.readTextFileSync(${
    JSON.stringify(certFile)
  })],
    });
    await conn.read(new Uint8Array(1));
    for (let left = ${count}; left > 0;) left -= await conn.write(new Uint8Array(left));
    console.log("written");
    setInterval(() => {}, 1_000);`;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", code],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = process.stdout.getReader();
  await within(reader.read(), "the word that all is written", 20_000);
  process.kill("SIGKILL");
  await reader.cancel();
  await process.status;
  return { async [Symbol.asyncDispose]() {} };
}

Deno.test("bytes go both ways, the address is the peer's, and the place is given back at the end", async () => {
  let seen = "";
  await using server = serving(await listen(LOCAL), (link) => {
    seen = link.address;
    return echo(link);
  });
  {
    await using peer = await RawPeer.connect({ port: server.port });
    await peer.write("hello");
    assert.equal(await readExactly(peer, 5), "hello");
  }
  await until(() => server.told.released === 1, "the release");
  assert.equal(seen, "127.0.0.1");
  assert.deepEqual(server.told.faults, []);
});

Deno.test("who is not admitted is closed at once, unread", async () => {
  let served = 0;
  const onConnection = () => Promise.resolve(void served++);
  await using server = serving(await listen(LOCAL), onConnection, { admit: () => undefined });
  await using peer = await RawPeer.connect({ port: server.port });
  assert.equal((await peer.rest()).length, 0);
  assert.deepEqual([served, server.told.released], [0, 0]);
});

Deno.test("a fault while serving is told, closes that link and no other", async () => {
  let first = true;
  await using server = serving(await listen(LOCAL), (link) => {
    if (!first) return echo(link);
    first = false;
    return Promise.reject(new Error("a mistake of ours"));
  });
  await using broken = await RawPeer.connect({ port: server.port });
  await broken.rest();
  await using next = await RawPeer.connect({ port: server.port });
  await next.write("still here");
  assert.equal(await readExactly(next, 10), "still here");
  assert.match(String(server.told.faults[0]), /a mistake of ours/);
});

Deno.test("close() takes no more connections, and those that are open stay", async () => {
  const listener = await listen(LOCAL);
  await using server = serving(listener, echo);
  await using peer = await RawPeer.connect({ port: server.port });
  await peer.write("a");
  await readExactly(peer, 1);
  listener.close();
  await peer.write("b");
  assert.equal(await readExactly(peer, 1), "b");
  await assert.rejects(RawPeer.connect({ port: server.port }));
});

Deno.test("a port in use is a ConfigError", async () => {
  const listener = await listen(LOCAL);
  const { port } = listener.address;
  await assert.rejects(listen({ ...LOCAL, port }), ConfigError);
  listener.close();
});

Deno.test("reads and writes of a connection that the peer resets throw ConnectionLost", async () => {
  const lost: unknown[] = [];
  await using server = serving(await listen(LOCAL), async (link) => {
    const flood = new Uint8Array(1_048_576);
    try {
      for (;;) await link.write(flood);
    } catch (error) {
      lost.push(error);
    }
    // After its own close() a link reads nothing and throws nothing else.
    link.close();
    link.close();
    await link.read().catch((error) => lost.push(error));
  });
  // Unread bytes in its buffer make the peer's close a reset.
  const peer = await RawPeer.connect({ port: server.port });
  await peer.conn.read(new Uint8Array(1));
  peer.close();
  await until(() => server.told.released === 1, "the end of the link");
  assert.ok(
    lost.length > 0 && lost.every((error) => error instanceof ConnectionLost),
    String(lost),
  );
  assert.deepEqual(server.told.faults, []);
});

testTls("over TLS the same holds: bytes, the end, and the place given back", async () => {
  await using tls = await makeCertificate();
  await using server = serving(await listen({ ...LOCAL, tls }), echo);
  {
    await using peer = await RawPeer.connect({ port: server.port, caCert: tls.cert });
    const text = "x".repeat(200_000);
    const written = peer.write(text);
    assert.equal(await readExactly(peer, text.length), text);
    await written;
  }
  await until(() => server.told.released === 1, "the release");
  assert.deepEqual(server.told, { failed: [], faults: [], released: 1 });
});

for (const ending of ["ends its side", "closes", "is killed"] as const) {
  testTls(`all bytes and the end of a TLS peer that ${ending} at once are read`, async () => {
    await using tls = await makeCertificate();
    for (const [count, pauseMs] of [[10, 0], [300_000, 0], [3_000_000, 0], [3_000_000, 20]]) {
      let got = 0;
      await using server = serving(await listen({ ...LOCAL, tls }), async (link) => {
        await link.write(new Uint8Array(1));
        for (let bytes = await link.read(); bytes !== null; bytes = await link.read()) {
          got += bytes.length;
          if (pauseMs! > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
      });
      await using _peer = await leftAfter(server.port, tls, count!, ending);
      await until(() => server.told.released === 1, `the end after ${count} bytes`);
      assert.equal(got, count);
      assert.deepEqual(server.told, { failed: [], faults: [], released: 1 });
    }
  });
}

testTls(
  "what the server does not read of a TLS peer stays with the peer, and comes later",
  async () => {
    await using tls = await makeCertificate();
    const total = 64 * 1_048_576;
    const isRead = Promise.withResolvers<void>();
    let got = 0;
    await using server = serving(await listen({ ...LOCAL, tls }), async (link) => {
      for (let bytes = await link.read(); bytes !== null; bytes = await link.read()) {
        got += bytes.length;
        await isRead.promise;
      }
    });
    await using peer = await RawPeer.connect({ port: server.port, caCert: tls.cert });
    let written = 0;
    const writing = (async () => {
      const piece = new Uint8Array(262_144);
      for (; written < total; written += piece.length) await peer.write(piece);
      await peer.conn.closeWrite();
    })();
    await until(() => got > 0, "the first bytes");
    for (let still = 0, before = -1; still < 30; before = written) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      still = written === before ? still + 1 : 0;
    }
    assert.ok(written < total / 2, `${written} bytes were taken from a peer that nobody read`);
    isRead.resolve();
    await writing;
    await until(() => server.told.released === 1, "the end");
    assert.equal(got, total);
  },
);

testTls(
  "a TLS handshake that fails is told with its address, and its place given back",
  async () => {
    await using tls = await makeCertificate();
    await using server = serving(await listen({ ...LOCAL, tls }), echo);
    for (const first of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05hello", ""]) {
      const peer = await RawPeer.connect({ port: server.port });
      if (first === "") peer.close();
      else {
        await peer.write(first);
        await peer.rest();
        peer.close();
      }
    }
    await until(() => server.told.released === 3, "the release");
    assert.deepEqual(server.told.failed, ["127.0.0.1", "127.0.0.1", "127.0.0.1"]);
    assert.deepEqual(server.told.faults, []);
  },
);

testTls(
  "certificate and key that do not belong together are refused at start, not at the first client",
  async () => {
    await using own = await makeCertificate();
    await using other = await makeCertificate();
    await assert.rejects(
      listen({ ...LOCAL, tls: { cert: own.cert, key: other.key } }),
      ConfigError,
    );
  },
);

testTls(
  "a server listens at each kind of address with TLS as it does without, a zone included",
  async () => {
    await using certificate = await makeCertificate();
    const linkLocal = Deno.networkInterfaces().find(({ address }) => address.startsWith("fe80:"));
    const zoned = linkLocal === undefined ? [] : [`[${linkLocal.address}%${linkLocal.name}]`];
    for (const typed of ["127.1", "[::1]", "::1", ...zoned]) {
      const host = readConfig({ args: ["--host", typed], env: () => undefined }).host;
      for (const tls of [undefined, certificate]) {
        await using server = serving(await listen({ host, port: 0, tls }), echo);
        using conn = await Deno.connect({ hostname: host, port: server.port });
        assert.ok(conn.localAddr !== undefined, typed);
      }
    }
  },
);
