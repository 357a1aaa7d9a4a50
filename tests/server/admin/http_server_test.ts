import assert from "node:assert/strict";
import { ADMIN_CONNECTIONS_MAX, serveAdmin } from "../../../server/admin/http_server.ts";
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
