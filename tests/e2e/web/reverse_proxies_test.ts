// Behind nginx, HAProxy and Caddy as Debian has them, with the configurations that docs/OPERATIONS.md gives.

import assert from "node:assert/strict";
import { closeQuietly } from "../../helpers/peers/conn_ends.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import { askUpgrade, overWebSocket, upgradeRequest } from "../../helpers/web/web_socket_conn.ts";
import { adminAnswer, pagesOf, WITH_TOKEN } from "../../helpers/programs/admin.ts";
import { runClient, temporaryHome } from "../../helpers/programs/client_process.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { builtPage } from "../../helpers/browser/served_page.ts";
import { blocksBelow } from "../../helpers/repo/document_blocks.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import {
  type ReverseProxy,
  startCaddy,
  startHaproxy,
  startNginx,
} from "../../helpers/web/reverse_proxies.ts";

// Clients come from 127.0.0.1 or ::1; a proxy goes on from here.
const PROXY = "127.0.0.9";
const CAP = 2;
const OPERATIONS = "docs/OPERATIONS.md";
const testNginx = skipWithout("nginx", "openssl");
const testHaproxy = skipWithout("haproxy", "openssl");
const testCaddy = skipWithout("caddy", "openssl");
const home = temporaryHome();

/** A server behind a proxy, with a ban and a cap that count clients. */
interface Behind extends AsyncDisposable {
  readonly server: RunningServer;
  readonly proxy: ReverseProxy;
  readonly certificate: TestCertificate;
  /** Address of the admin pages. */
  readonly pages: string;
}

type StartProxy = (options: {
  readonly target: number;
  readonly source: string;
  readonly certificate: TestCertificate;
}) => Promise<ReverseProxy>;

async function behind(startProxy: StartProxy): Promise<Behind> {
  const cleanup = new AsyncDisposableStack();
  const certificate = cleanup.use(await makeCertificate());
  await builtPage();
  const [command = ""] = await blocksBelow(
    OPERATIONS,
    "## Behind a web server, and over WebSocket",
    "sh",
  );
  const [, documented = ""] = /^cmdchat-server --host 127\.0\.0\.1 (.*)\n$/.exec(command) ?? [];
  const args = [
    ...documented.replace("chat.example.org", "localhost").replace("127.0.0.1", PROXY).split(" "),
    "--max-per-address",
    String(CAP),
    "--hold",
    "0",
    "--admin-listen",
    "0",
  ];
  const server = cleanup.use(await startServer({ args, env: WITH_TOKEN }));
  const proxy = cleanup.use(await startProxy({ target: server.port, source: PROXY, certificate }));
  const pages = await pagesOf(server);
  return { server, proxy, certificate, pages, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}

/** A TLS connection to the proxy from one of two addresses. */
function dial({ proxy, certificate }: Behind, hostname = "127.0.0.1"): Promise<Deno.Conn> {
  return Deno.connectTls({
    hostname,
    port: proxy.port,
    caCerts: [certificate.cert],
    // The certificate is for localhost and 127.0.0.1.
    unsafelyDisableHostnameVerification: true,
  });
}

/** The status with which an upgrade is answered. */
async function statusOf(at: Behind, fields: readonly string[] = [], hostname?: string) {
  const conn = await dial(at, hostname);
  const answer = await askUpgrade(conn, upgradeRequest(fields));
  closeQuietly(conn);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

/** The whole answer to a browser that asks for the page under a name. */
async function askPage(at: Behind, host = "localhost"): Promise<string> {
  const conn = await dial(at);
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  await conn.write(new TextEncoder().encode(request));
  const answer = await new Response(conn.readable).text();
  closeQuietly(conn);
  return answer;
}

/** What holds behind every proxy that speaks HTTP. */
async function checkBansAndCaps(at: Behind): Promise<void> {
  const { server, proxy, certificate, pages } = at;
  const page = await askPage(at);
  assert.match(page, /^HTTP\/1\.1 200 [^]*\r\ncontent-security-policy: default-src 'none'/i);
  assert.ok(page.includes(await builtPage()));
  assert.match(await askPage(at, "evil.example"), /^HTTP\/1\.1 403 /);
  const common = { port: proxy.port, hostname: "127.0.0.1", tlsCa: certificate.cert };
  await using alice = await V2Peer.join({
    ...common,
    hello: { name: "alice" },
    over: overWebSocket,
  });
  await using bob = await V2Peer.join({ ...common, hello: { name: "bob" }, over: overWebSocket });
  await alice.say("hello through the proxy");
  await bob.until("chat", ({ text }) => text === "hello through the proxy");
  await server.logged(/client joined .*address="127\.0\.0\.1"/);

  // The third from that address, whatever it claims.
  for (const claim of [[], ["X-Forwarded-For: 203.0.113.9"], ["X-Forwarded-For: 127.0.0.9"]]) {
    assert.equal(await statusOf(at, claim), 503, claim.join());
  }
  assert.equal(await statusOf(at, [], "::1"), 101);

  await adminAnswer(pages, "ban", "127.0.0.1");
  await Promise.all([alice.ended, bob.ended]);
  assert.match(await askPage(at), /^HTTP\/1\.1 503 /);
  for (const claim of [[], ["X-Forwarded-For: 203.0.113.9"]]) {
    assert.equal(await statusOf(at, claim), 503, claim.join());
  }
  assert.equal(await statusOf(at, [], "::1"), 101);
  assert.doesNotMatch(server.log, /address="127\.0\.0\.9"|unexpected fault/);
}

testNginx(
  "behind nginx a ban and a cap hit the client and not the proxy, whatever the client claims",
  async () => {
    await using at = await behind(startNginx);
    await checkBansAndCaps(at);
  },
);

testHaproxy(
  "behind HAProxy a ban and a cap hit the client and not the proxy, whatever the client claims",
  async () => {
    await using at = await behind((options) => startHaproxy("http", options));
    await checkBansAndCaps(at);
  },
);

testHaproxy(
  "raw clients behind HAProxy's PROXY protocol, version 1 and 2, count under their own addresses",
  async () => {
    for (const version of ["send-proxy", "send-proxy-v2"]) {
      await using at = await behind((options) =>
        startHaproxy("tcp", {
          ...options,
          change: (config) => config.replace("send-proxy-v2", version),
        })
      );
      const { server, proxy: { port }, pages } = at;
      const common = { port, hostname: "127.0.0.1" };
      await using alice = await V2Peer.join({ ...common, hello: { name: "alice" } });
      await using bob = await V2Peer.join({
        ...common,
        hello: { name: "bob" },
        over: overWebSocket,
      });
      await alice.say(version);
      await bob.until("chat", ({ text }) => text === version);
      await assert.rejects(V2Peer.join(common), /ended/);
      await using carol = await V2Peer.join({
        ...common,
        hostname: "::1",
        hello: { name: "carol" },
      });
      await adminAnswer(pages, "ban", "127.0.0.1");
      await Promise.all([alice.ended, bob.ended]);
      await assert.rejects(V2Peer.join(common), /ended/);
      await carol.say("still here");
      await carol.until("chat", ({ text }) => text === "still here");
      assert.match(server.log, /client joined .*address="127\.0\.0\.1"/);
      assert.doesNotMatch(server.log, /address="127\.0\.0\.9"|unexpected fault/);
    }
  },
);

testHaproxy(
  "TLS goes through HAProxy unopened, behind the PROXY protocol, raw and as wss",
  async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile, cert } = certificate;
    for (const version of ["send-proxy", "send-proxy-v2"]) {
      await using server = await startServer({
        args: [
          "--certfile",
          certFile,
          "--keyfile",
          keyFile,
          "--web-only-socket",
          "--hold",
          "0",
          "--trusted-proxy",
          PROXY,
          "--max-per-address",
          String(CAP),
        ],
      });
      await using proxy = await startHaproxy("tcp", {
        target: server.port,
        source: PROXY,
        change: (config) => config.replace("send-proxy-v2", version),
      });
      const common = { port: proxy.port, hostname: "127.0.0.1", tlsCa: cert };
      await using alice = await V2Peer.join({ ...common, hello: { name: "alice" } });
      await using bob = await V2Peer.join({
        ...common,
        hello: { name: "bob" },
        over: overWebSocket,
      });
      await alice.say(version);
      await bob.until("chat", ({ text }) => text === version);
      await assert.rejects(V2Peer.join(common));
      assert.equal(server.log.match(/client joined .*address="127\.0\.0\.1"/g)?.length, 2);
      assert.doesNotMatch(server.log, /address="127\.0\.0\.9"|unexpected fault/);
    }
  },
);

testHaproxy("nobody but a trusted proxy can say before TLS that it is somebody else", async () => {
  await using certificate = await makeCertificate();
  const { certFile, keyFile } = certificate;
  const args = ["--certfile", certFile, "--keyfile", keyFile, "--trusted-proxy", "198.51.100.1"];
  await using server = await startServer({ args });
  await using proxy = await startHaproxy("tcp", { target: server.port, source: PROXY });
  const common = { port: proxy.port, hostname: "127.0.0.1", tlsCa: certificate.cert };
  await assert.rejects(V2Peer.join(common));
  assert.doesNotMatch(server.log, /client joined|unexpected fault/);
});

testNginx(
  "a client says that a proxy does not pass Upgrade, and reaches a server through one that does",
  async () => {
    const line = "proxy_http_version 1.1;";
    const without = (config: string) =>
      config.replace(line, "").replace(/proxy_set_header (?:Upgrade|Connection) .*;/g, "");
    for (const change of [without, (config: string) => config]) {
      await using at = await behind((options) => startNginx({ ...options, change }));
      const { code, stdout, stderr } = await runClient(home, {
        args: [
          "send",
          "--host",
          "localhost",
          "--port",
          String(at.proxy.port),
          "--ca-file",
          at.certificate.certFile,
          "--transport",
          "wss",
        ],
      }, "hello\n");
      if (change === without) {
        assert.equal(code, 4, stderr);
        assert.match(stderr, /over WebSocket: a proxy before it does not pass Upgrade\nhint: /);
      } else assert.deepEqual([code, stdout, stderr], [0, stdout, ""]);
    }
  },
);

testCaddy(
  "behind Caddy as documented: the page, WebSocket, and an address that no client can claim",
  async () => {
    await using certificate = await makeCertificate();
    await builtPage();
    const args = ["--web", "https://localhost", "--trusted-proxy", "127.0.0.1"];
    await using server = await startServer({ args });
    await using proxy = await startCaddy({ target: server.port, certificate });
    const dialed = () =>
      Deno.connectTls({ hostname: "localhost", port: proxy.port, caCerts: [certificate.cert] });
    const browser = await dialed();
    const request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    await browser.write(new TextEncoder().encode(request));
    const page = await new Response(browser.readable).text();
    assert.match(page, /^HTTP\/1\.1 200 [^]*\r\ncontent-security-policy: default-src 'none'/i);
    const common = { port: proxy.port, hostname: "localhost", tlsCa: certificate.cert };
    await using alice = await V2Peer.join({ ...common, hello: { name: "a" }, over: overWebSocket });
    await using bob = await V2Peer.join({ ...common, hello: { name: "b" }, over: overWebSocket });
    await alice.say("hello through Caddy");
    await bob.until("chat", ({ text }) => text === "hello through Caddy");
    const liar = await dialed();
    await askUpgrade(liar, upgradeRequest(["X-Forwarded-For: 203.0.113.9"]));
    await liar.write(new Uint8Array([0x82, 0x01, 0x00]));
    closeQuietly(liar);
    assert.ok(!(await server.stop()).stderr.includes("203.0.113.9"));
  },
);
