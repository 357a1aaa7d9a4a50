import assert from "node:assert/strict";
import { addressText, adminAddress, isLoopback } from "../../../server/config/admin_address.ts";
import { type AdminView, answerRoute } from "../../../server/admin/routes.ts";
import { readConfig } from "../../../server/config/server_options.ts";
import { TokenGate } from "../../../server/admin/token_gate.ts";
import { ConfigError, UsageError } from "../../../shared/base/errors.ts";

function view(parts: Partial<AdminView> = {}): AdminView {
  return {
    ready: () => true,
    metrics: () => "a_metric 1\n",
    gate: undefined,
    metricsGate: parts.gate,
    answer: () => Promise.resolve({ lines: [], data: {} }),
    handOver: undefined,
    ...parts,
  };
}

function gateOf(token: string): TokenGate {
  return new TokenGate(token, { pause: () => Promise.resolve() });
}

function ask(
  path: string,
  parts: Partial<AdminView> = {},
  init: RequestInit = {},
): Promise<Response> {
  const url = path.startsWith("http") ? path : `http://127.0.0.1:5051${path}`;
  const from = { peer: "127.0.0.1", gone: () => new Promise<void>(() => {}) };
  return answerRoute({ request: new Request(url, init), ...from }, view(parts));
}

Deno.test("the admin pages: health, readiness, metrics, and nothing else", async () => {
  assert.equal((await ask("/health")).status, 200);
  assert.equal((await ask("/ready")).status, 200);
  const metrics = await ask("/metrics");
  assert.equal(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(await metrics.text(), "a_metric 1\n");
  for (const path of ["/", "/metrics/", "/toString", "/__proto__", "/health?x=/../metrics2/"]) {
    assert.equal((await ask(path)).status, path.startsWith("/health?") ? 200 : 404, path);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    assert.equal((await ask("/metrics", {}, { method })).status, 405, method);
  }
});

Deno.test("a server that stops is healthy and not ready", async () => {
  assert.equal((await ask("/health", { ready: () => false })).status, 200);
  assert.equal((await ask("/ready", { ready: () => false })).status, 503);
});

Deno.test("the metrics token opens the metrics, and no command; the admin's opens both", async () => {
  const gate = gateOf("for-the-admin");
  const metricsGate = new TokenGate(["for-the-admin", "for-metrics"], {
    pause: () => Promise.resolve(),
  });
  const as = (path: string, token: string, method: string) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = method === "POST" ? '{"command":"bans"}' : null;
    return ask(path, { gate, metricsGate }, { method, headers, body });
  };
  assert.equal((await as("/metrics", "for-metrics", "GET")).status, 200);
  assert.equal((await as("/metrics", "for-the-admin", "GET")).status, 200);
  assert.equal((await as("/metrics", "for-nothing", "GET")).status, 401);
  assert.equal((await as("/admin", "for-the-admin", "POST")).status, 200);
  assert.equal((await as("/admin", "for-metrics", "POST")).status, 401);
  const alone = { gate: undefined, metricsGate };
  assert.equal((await ask("/metrics", alone)).status, 401);
});

Deno.test("with a token, metrics are for those who have it; health and readiness for all", async () => {
  const guarded = { gate: gateOf("a-token") };
  const as = async (authorization: string) =>
    (await ask("/metrics", guarded, { headers: { authorization } })).status;
  assert.equal(await as("Bearer a-token"), 200);
  assert.equal(await as("bearer a-token"), 200);
  for (const wrong of ["Bearer a-toke", "Bearer a-token2", "Bearer ", "Basic a-token", "a-token"]) {
    assert.equal(await as(wrong), 401, wrong);
  }
  assert.equal((await ask("/metrics", guarded)).status, 401);
  assert.equal((await ask("/metrics?token=a-token", guarded)).status, 401);
  assert.equal((await ask("/health", guarded)).status, 200);
  assert.equal((await ask("/ready", guarded)).status, 200);
});

Deno.test("a web page under a name of its own cannot read a server that has no token", async () => {
  assert.equal((await ask("http://rebound.example:5051/metrics")).status, 421);
  assert.equal((await ask("http://localhost:5051/metrics")).status, 200);
  assert.equal((await ask("http://[::1]:5051/metrics")).status, 200);
  const headers = { authorization: "Bearer a-token" };
  const guarded = { gate: gateOf("a-token") };
  assert.equal((await ask("http://relay.example:5051/metrics", guarded, { headers })).status, 200);
});

Deno.test("adminAddress() takes a port, or an address with one", () => {
  const shown = (text: string) => addressText(adminAddress(text));
  assert.equal(shown("5051"), "127.0.0.1:5051");
  assert.equal(shown("0.0.0.0:5051"), "0.0.0.0:5051");
  assert.equal(shown("[::1]:0"), "[::1]:0");
  assert.equal(shown("localhost:1"), "localhost:1");
  for (const text of ["", "here", "127.0.0.1", "1:2:3", "::1:5051", "127.0.0.1:65536", "a b:1"]) {
    assert.throws(() => adminAddress(text), UsageError, text);
  }
});

Deno.test("only addresses of this machine count as loopback", () => {
  for (const name of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) assert.ok(isLoopback(name));
  for (const name of ["0.0.0.0", "::", "128.0.0.1", "127.0.0.1.example", "10.0.0.1"]) {
    assert.ok(!isLoopback(name), name);
  }
});

Deno.test("--admin-listen on an address that others reach is refused without a token", () => {
  const read = (address: string, token?: string) =>
    readConfig({
      args: ["--admin-listen", address],
      env: (name) => name === "CMDCHAT_ADMIN_TOKEN" ? token : undefined,
    });
  assert.throws(() => read("0.0.0.0:5051"), ConfigError);
  assert.throws(() => read("[::]:5051"), /it has no token/);
  assert.throws(() => read("0.0.0.0:5051", ""), ConfigError);
  assert.equal(read("0.0.0.0:5051", "a")["admin-listen"]?.port, 5051);
  assert.equal(read("5051")["admin-listen"]?.port, 5051);
});
