import assert from "node:assert/strict";
import { connect } from "../../../client/net/connection.ts";
import type { Endpoint } from "../../../client/net/endpoint.ts";
import { readCertificate } from "../../../client/net/tls_probe.ts";
import type { Proxy, ProxyAuth } from "../../../client/config/proxy_url.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { latin1, ScriptedProxy, socksAnswers } from "../../helpers/web/forward_proxies.ts";

const never = new AbortController().signal;
const AUTH = { user: "al", password: "p:w" };
const test = skipWithout("openssl");

function behind(
  { port }: ScriptedProxy,
  kind: Proxy["kind"],
  { auth, host = "chat.example.org" }: { auth?: ProxyAuth; host?: string } = {},
): Endpoint {
  const proxy = { kind, host: "127.0.0.1", port, auth };
  return { host, port: 5050, tls: undefined, proxy };
}

/** The error of a connection through this proxy. */
async function faultOf(endpoint: Endpoint): Promise<ConnectionError> {
  let first: ConnectionError | undefined;
  for (const insecure of [false, true]) {
    // The way of node:tls is another one, and must end the same.
    const tls = insecure ? { caCerts: [], insecure } : endpoint.tls;
    const error = await connect({ ...endpoint, tls }, never).then(
      (connection) => {
        connection.close();
        throw new Error("connected");
      },
      (error) => error,
    );
    assert.ok(error instanceof ConnectionError, String(error));
    first ??= error;
    assert.deepEqual([error.message, error.hint], [first.message, first.hint]);
  }
  return first as ConnectionError;
}

Deno.test("a SOCKS5 proxy gets the name as it is, an address as one, and leads to the server", async () => {
  const echo = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = (async () => {
    for await (const conn of echo) void conn.readable.pipeTo(conn.writable).catch(() => {});
  })();
  const hosts: [string, string][] = [
    ["chat.example.org", "\x03\x10chat.example.org"],
    ["xyz.onion", "\x03\x09xyz.onion"],
    ["192.0.2.7", "\x01\xc0\0\x02\x07"],
    ["2001:db8::7", "\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"],
    ["[2001:db8::7]", "\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"],
    ["bücher.example", "\x03\x15xn--bcher-kva.example"],
  ];
  for (const [host, address] of hosts) {
    await using proxy = new ScriptedProxy(socksAnswers(0), echo.addr.port);
    const connection = await connect(behind(proxy, "socks5", { host }), never);
    await connection.write(latin1("hello"));
    assert.deepEqual(await connection.read(), latin1("hello"));
    connection.close();
    assert.ok(proxy.heard[0]?.startsWith(`\x05\x02\0\x02\x05\x01\0${address}\x13\xba`), host);
  }
  echo.close();
  await served;
});

/** What a proxy with method 2 was told: user and password. */
async function shown(auth: ProxyAuth | undefined, host: string): Promise<string> {
  await using proxy = new ScriptedProxy(socksAnswers(2), undefined);
  const connection = await connect(
    behind(proxy, "socks5", { ...(auth === undefined ? {} : { auth }), host }),
    never,
  );
  connection.close();
  return (proxy.heard[0] ?? "").slice(4).split("\x05\x01\0")[0] ?? "";
}

Deno.test("a SOCKS5 proxy with passwords gets the user's, or random ones: the same for a server, others for another", async () => {
  assert.equal(await shown(AUTH, "a.example"), "\x01\x02al\x03p:w");
  const [one, again, other] = [
    await shown(undefined, "a.example"),
    await shown(undefined, "a.example"),
    await shown(undefined, "b.example"),
  ];
  assert.match(one.slice(1), /^ [0-9a-f]{32} [0-9a-f]{32}$/);
  assert.equal(one, again);
  assert.notEqual(one, other);
});

Deno.test("CONNECT names host and port, and who asks where that is known", async () => {
  const answer = (heard: string) =>
    heard.endsWith("\r\n\r\n") ? "HTTP/1.1 200 OK\r\nX: y\r\n\r\n" : undefined;
  await using proxy = new ScriptedProxy(answer);
  for (const options of [{}, { auth: AUTH }, { host: "2001:db8::7" }]) {
    (await connect(behind(proxy, "http", options), never)).close();
  }
  const request = (target: string, more = "") =>
    `CONNECT ${target}:5050 HTTP/1.1\r\nHost: ${target}:5050\r\n${more}\r\n`;
  assert.deepEqual(proxy.heard, [
    request("chat.example.org"),
    request("chat.example.org", `Proxy-Authorization: Basic ${btoa("al:p:w")}\r\n`),
    request("[2001:db8::7]"),
  ]);
});

Deno.test("every answer that is no connection has its reason, and no text of the proxy and no password is in it", async () => {
  const socks = (answer: string, auth?: ProxyAuth) => ["socks5", answer, auth] as const;
  const http = (answer: string, auth?: ProxyAuth) => ["http", answer, auth] as const;
  const secret = { user: "SECRET", password: "SECRET" };
  const refused = (code: string) => `\x05\0\x05${code}\0\x01\0\0\0\0\0\0`;
  const cases: [readonly ["socks5" | "http", string, ProxyAuth | undefined], RegExp][] = [
    [socks("\x05\xff"), /requires a user and a password/],
    [socks("\x05\xff", secret), /does not take this user and password/],
    [socks("\x05\x02\x01\x01", secret), /does not take this user and password/],
    [socks("\x05\x02\x01\x01"), /requires a user and a password/],
    [socks("\x05\x01"), /was not offered/],
    [socks("HTTP/1.1 400 EVIL\r\n\r\n"), /not a SOCKS5 proxy/],
    [socks("\x05"), /closed the connection/],
    [socks(""), /closed the connection/],
    [socks("\x05\0HTTP"), /not a SOCKS5 proxy/],
    [socks("\x05\0\x05\0\0\x09EVIL"), /not a SOCKS5 proxy/],
    [socks(refused("\x01")), /cannot reach it/],
    [socks(refused("\x02")), /does not allow it/],
    [socks(refused("\x04")), /cannot reach the host/],
    [socks(refused("\x05")), /nothing listens there/],
    [socks(refused("\xf0")), /cannot reach it/],
    [socks("\x05\0\x05\0\0\x03\x04EVI"), /closed the connection/],
    [http("HTTP/1.1 407 EVIL\r\n\r\n"), /requires a user and a password/],
    [http("HTTP/1.1 401 EVIL\r\n\r\n", secret), /does not take this user and password/],
    [http("HTTP/1.0 403 EVIL\r\n\r\n"), /does not allow it/],
    [http("HTTP/1.1 502 EVIL\r\n\r\nEVIL"), /cannot reach it/],
    [http("HTTP/1.1 504 EVIL\r\n\r\n"), /does not answer it/],
    [http("HTTP/1.1 302 EVIL\r\nLocation: http://EVIL\r\n\r\n"), /not an HTTP proxy/],
    [http("HTTP/1.1 101 EVIL\r\n\r\n"), /not an HTTP proxy/],
    [http("HTTP/2 200\r\n\r\n"), /not an HTTP proxy/],
    [http("EVIL"), /closed the connection/],
    [http(`HTTP/1.1 200 OK\r\nX: ${"EVIL".repeat(3_000)}`), /not an HTTP proxy/],
    [http("HTTP/1.1 200 OK\r\n\r\n\0\0\0\x05EVIL!"), /extra bytes/],
    [http("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"), /extra bytes/],
  ];
  for (const [[kind, answer, auth], why] of cases) {
    await using proxy = new ScriptedProxy(() => `end${answer}`);
    const options = auth === undefined ? {} : { auth };
    const { message, hint } = await faultOf(behind(proxy, kind, options));
    assert.match(message, why, JSON.stringify(answer));
    assert.match(message, /^Cannot connect to "chat\.example\.org:5050" through the proxy "/);
    assert.doesNotMatch(`${message}${hint}`, /EVIL|SECRET/, JSON.stringify(answer));
  }
});

Deno.test("a proxy that says nothing is let go when the attempt is given up", async () => {
  for (const tls of [undefined, { caCerts: [], insecure: true }]) {
    await using proxy = new ScriptedProxy(() => undefined);
    const giveUp = new AbortController();
    const attempt = connect({ ...behind(proxy, "socks5"), tls }, giveUp.signal);
    while (proxy.heard[0] === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    giveUp.abort(new Error("given up"));
    await assert.rejects(attempt, /given up/);
    await proxy.quiet();
  }
});

Deno.test("a proxy that is not there is named, and the server is not tried without it", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let arrivals = 0;
  const served = (async () => {
    for await (const conn of listener) {
      arrivals++;
      conn.close();
    }
  })();
  const proxy: Proxy = { kind: "socks5", host: "127.0.0.1", port: 1, auth: AUTH };
  for (const tls of [undefined, { caCerts: [], insecure: true }]) {
    const endpoint = { host: "127.0.0.1", port: listener.addr.port, tls, proxy };
    await assert.rejects(connect(endpoint, never), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(
        error.message,
        'Cannot connect to the proxy "socks5://127.0.0.1:1": nothing listens there',
      );
      return true;
    });
  }
  listener.close();
  await served;
  assert.equal(arrivals, 0);
});

Deno.test("a name below .onion is refused without a proxy before anybody is asked about it", async () => {
  for (const host of ["xyz.onion", "XYZ.Onion", "a.xyz.onion."]) {
    for (
      const tls of [undefined, { caCerts: [], insecure: false }, { caCerts: [], insecure: true }]
    ) {
      await assert.rejects(connect({ host, port: 1, tls }, never), /through Tor only/);
    }
    await assert.rejects(readCertificate({ host, port: 1, tls: undefined }, never), /Tor only/);
    const proxy: Proxy = { kind: "http", host, port: 1, auth: undefined };
    await assert.rejects(connect({ host: "h", port: 1, tls: undefined, proxy }, never), /Tor only/);
  }
});

Deno.test("a host that is no single word goes to no proxy", async () => {
  await using proxy = new ScriptedProxy(() => "end");
  for (const host of ["a b", "a\r\nX: y", "a/b", "a:1", "", "x".repeat(254)]) {
    await assert.rejects(connect(behind(proxy, "http", { host }), never), /not the name of a host/);
  }
  assert.deepEqual(proxy.heard, []);
});

test("TLS, --tls-insecure and the look at the certificate all go through the proxy", async () => {
  await using certificate = await makeCertificate();
  const { cert, key } = certificate;
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const served = (async () => {
    for await (const conn of listener) void conn.readable.pipeTo(conn.writable).catch(() => {});
  })();
  const kinds = {
    http: () => (heard: string) =>
      heard.endsWith("\r\n\r\n") ? "goHTTP/1.1 200 OK\r\n\r\n" : undefined,
    socks5: () => socksAnswers(0),
  };
  for (const kind of ["http", "socks5"] as const) {
    for (const tls of [{ caCerts: [cert], insecure: false }, { caCerts: [], insecure: true }]) {
      await using proxy = new ScriptedProxy(kinds[kind](), listener.addr.port);
      const endpoint = { ...behind(proxy, kind, { host: "localhost" }), tls };
      const connection = await connect(endpoint, never);
      await connection.write(latin1("hello"));
      assert.equal(new TextDecoder().decode(await connection.read()), "hello");
      connection.close();
    }
    await using proxy = new ScriptedProxy(kinds[kind](), listener.addr.port);
    const facts = await readCertificate(behind(proxy, kind, { host: "localhost" }), never);
    assert.match(facts.names, /localhost/);
    await using wrong = new ScriptedProxy(kinds[kind](), listener.addr.port);
    const tls = { caCerts: [], insecure: false };
    const untrusted = { ...behind(wrong, kind, { host: "localhost" }), tls };
    await assert.rejects(connect(untrusted, never), /certificate is not known here/);
  }
  listener.close();
  await served.catch(() => {});
});
