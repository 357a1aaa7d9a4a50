import assert from "node:assert/strict";
import { ADMIN_CONNECTIONS_MAX, serveAdmin } from "../../../server/admin/http_server.ts";
import { ADMIN_PATH } from "../../../server/admin/paths.ts";
import { TokenGate } from "../../../server/admin/token_gate.ts";
import type { AdminView } from "../../../server/admin/routes.ts";

const HEALTH = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

async function openPages(parts: Partial<AdminView> = {}) {
  const view: AdminView = {
    ready: () => true,
    metrics: () => "a_metric 1\n",
    gate: undefined,
    metricsGate: undefined,
    answer: () => Promise.resolve({ lines: [], data: {} }),
    handOver: undefined,
    ...parts,
  };
  const faults: unknown[] = [];
  const admin = await serveAdmin({ hostname: "127.0.0.1", port: 0 }, view, (error) => {
    faults.push(error);
  });
  const port = Number(admin.address.split(":")[1]);
  return { admin, faults, port, connect: () => Deno.connect({ hostname: "127.0.0.1", port }) };
}

/** All that a connection sends until it ends. */
async function rest(conn: Deno.Conn): Promise<string> {
  let text = "";
  try {
    for await (const chunk of conn.readable) text += new TextDecoder().decode(chunk);
  } catch {
    // A reset is an end as well.
  }
  return text;
}

async function said(conn: Deno.Conn, ...parts: string[]): Promise<string> {
  for (const part of parts) await conn.write(new TextEncoder().encode(part));
  return await rest(conn);
}

const MESSAGES: readonly (readonly [what: string, text: string, status: number])[] = [
  ["a request", HEALTH, 200],
  ["HEAD has no body", HEALTH.replace("GET", "HEAD"), 200],
  ["HTTP/1.0", HEALTH.replace("1.1", "1.0"), 200],
  ["another page", HEALTH.replace("health", "nothing"), 404],
  ["no host", "GET /health HTTP/1.1\r\n\r\n", 400],
  ["a host that is none", "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
  ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 400],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 400],
  ["a method nobody may send", HEALTH.replace("GET", "CONNECT"), 400],
  ["bare LF", HEALTH.replaceAll("\r", ""), 400],
  ["a chunked body", HEALTH.replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n"), 411],
  [
    "two lengths",
    HEALTH.replace("\r\n\r\n", "\r\ncontent-length: 0\r\nContent-Length: 1\r\n\r\n"),
    400,
  ],
  ["a length that is none", HEALTH.replace("\r\n\r\n", "\r\nContent-Length: -1\r\n\r\n"), 400],
  ["a huge length", HEALTH.replace("\r\n\r\n", "\r\nContent-Length: 9999999999\r\n\r\n"), 413],
  ["a head without end", `GET /${"a".repeat(9_000)}`, 400],
  ["a field without end", HEALTH.replace("\r\n\r\n", `\r\nA: ${"a".repeat(9_000)}\r\n\r\n`), 400],
  ["fields without number", HEALTH.replace("\r\n\r\n", `${"\r\na: b".repeat(200)}\r\n\r\n`), 400],
  ["a blank before a colon", HEALTH.replace("\r\n\r\n", "\r\nTransfer-Encoding : a\r\n\r\n"), 400],
  ["a folded field", HEALTH.replace("\r\n\r\n", "\r\nA: b\r\n c\r\n\r\n"), 400],
  ["a NUL", HEALTH.replace("\r\n\r\n", "\r\nA: \0\r\n\r\n"), 400],
  ["a length of two", HEALTH.replace("\r\n\r\n", "\r\nContent-Length: 1, 1\r\n\r\n"), 400],
  ["a signed length", HEALTH.replace("\r\n\r\n", "\r\nContent-Length: +1\r\n\r\n"), 400],
  [
    "both lengths",
    HEALTH.replace(
      "\r\n\r\n",
      "\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    ),
    411,
  ],
  [
    "an upgrade",
    HEALTH.replace("\r\n\r\n", "\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
    200,
  ],
  ["OPTIONS", HEALTH.replace("GET", "OPTIONS"), 405],
  ["OPTIONS of all", HEALTH.replace("GET /health", "OPTIONS *"), 400],
  ["TRACE", HEALTH.replace("GET", "TRACE"), 400],
  ["a whole URL", HEALTH.replace("/health", "http://127.0.0.1/health"), 400],
  ["a query", HEALTH.replace("health", "health?a=b/../c"), 200],
  ["two hosts", HEALTH.replace("\r\n\r\n", "\r\nHost: 127.0.0.1\r\n\r\n"), 400],
];

/** What must not be the page of the metrics for this server that is another page for whoever stands before it. */
const CONFUSIONS: readonly (readonly [what: string, text: string, status: number])[] = [
  ["a way up", "GET /health/../metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400],
  ["an escaped way up", "GET /health/%2e%2e/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400],
  ["a backslash", "GET /health/..\\metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400],
  ["an escaped letter", "GET /%6detrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404],
  ["a fragment", "GET /metrics#/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400],
  ["two slashes", "GET //metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 404],
  ["a path in Host", "GET /health HTTP/1.1\r\nHost: 127.0.0.1/metrics?\r\n\r\n", 400],
  ["a fragment in Host", "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1#\r\n\r\n", 400],
  ["a user in Host", "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1@a.example\r\n\r\n", 400],
  ["a name in Host", "GET /metrics HTTP/1.1\r\nHost: a.example\r\n\r\n", 421],
];

Deno.test("each message gets one answer and the connection's end", async () => {
  const { admin, faults, connect } = await openPages();
  for (const [what, text, status] of MESSAGES) {
    const answer = await said(await connect(), text);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} \r\n`), what);
    assert.match(answer, /\r\nconnection: close\r\n/, what);
  }
  const cut = await said(await connect(), ...HEALTH.split(/(?=[/\r])/));
  assert.match(cut, /^HTTP\/1\.1 200 [^]*\r\n\r\nok\n$/, "however it is cut");
  assert.deepEqual(faults, []);
  await admin.finish();
});

Deno.test("no request is for one page here and for another one for a proxy before this server", async () => {
  const { admin, faults, connect } = await openPages();
  for (const [what, text, status] of CONFUSIONS) {
    const answer = await said(await connect(), text);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} \r\n`), what);
    assert.doesNotMatch(answer, /a_metric/, what);
  }
  assert.deepEqual(faults, []);
  await admin.finish();
});

Deno.test("of requests that come one behind the other the first is answered, and no other", async () => {
  const { admin, connect } = await openPages();
  const smuggled = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  const withBody = HEALTH.replace("\r\n\r\n", `\r\nContent-Length: ${smuggled.length}\r\n\r\n`);
  for (const text of [HEALTH + smuggled, withBody + smuggled, HEALTH + smuggled.repeat(200)]) {
    const answer = await said(await connect(), text);
    assert.match(answer, /^HTTP\/1\.1 200 [^]*\r\n\r\nok\n$/);
    assert.equal(answer.split("HTTP/1.1").length, 2);
  }
  await admin.finish();
});

Deno.test("a refusal of a method names those that there are, and one for want of a token how to show it", async () => {
  const gate = new TokenGate("for-the-admin-alone", { pause: () => Promise.resolve() });
  const { admin, connect } = await openPages({ gate, metricsGate: gate });
  const ask = async (line: string, fields = "") =>
    await said(await connect(), `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}\r\n`);
  assert.match(await ask("OPTIONS /metrics"), /^HTTP\/1\.1 405 [^]*\r\nallow: GET, HEAD\r\n/);
  assert.match(await ask(`GET ${ADMIN_PATH}`), /^HTTP\/1\.1 405 [^]*\r\nallow: POST\r\n/);
  for (const page of ["GET /metrics", `POST ${ADMIN_PATH}`]) {
    const answer = await ask(page, "Content-Type: application/json\r\n");
    assert.match(answer, /^HTTP\/1\.1 401 [^]*\r\nwww-authenticate: Bearer\r\n/, page);
  }
  await admin.finish();
});

Deno.test("half requests without number keep no whole one out, and each is disconnected", async () => {
  const { admin, connect, port } = await openPages();
  const halves = await Promise.all(
    Array.from({ length: ADMIN_CONNECTIONS_MAX + 50 }, async () => {
      const conn = await connect();
      await conn.write(new TextEncoder().encode("GET /health HTTP/1.1\r\nHost: 127"));
      return conn;
    }),
  );
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/health`)).text(), "ok\n");
  // The oldest have paid for those that came after them; the deadline ends the others.
  const ends = await Promise.all(halves.map(rest));
  assert.ok(ends.every((text) => text === ""));
  await admin.finish();
});

Deno.test("finish() answers what has arrived, and waits for nothing that has not", async () => {
  const asked = Promise.withResolvers<void>();
  const { admin, connect } = await openPages({
    metrics() {
      asked.resolve();
      return "late 1\n";
    },
  });
  const half = await connect();
  await half.write(new TextEncoder().encode("GET /"));
  const whole = said(await connect(), HEALTH.replace("health", "metrics"));
  await asked.promise;
  await admin.finish();
  assert.match(await whole, /late 1\n$/);
  assert.equal(await rest(half), "");
});
