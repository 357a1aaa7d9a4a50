import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { requestHandOver } from "../../../server/commands/take_over.ts";
import { serveAdmin } from "../../../server/admin/http_server.ts";
import { HandOverAuth } from "../../../server/admin/hand_over_auth.ts";
import { keep } from "../../../server/commands/keep.ts";
import type { SystemdNotifier } from "../../../server/telemetry/systemd_notify.ts";
import { TokenGate } from "../../../server/admin/token_gate.ts";
import { ConfigError } from "../../../shared/base/errors.ts";

const TOKEN = "for-the-admin-alone";
const STATE = new TextEncoder().encode("all that a server knows");
const log = getLogger("keeper-test");
const read = () => {};
const notice = () => ({ format: "a format", port: 5050 });

/** A server's pages, gone once it has handed over. */
async function openServer(): Promise<{
  readonly address: { hostname: string; port: number };
  readonly gone: Promise<void>;
}> {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const gate = new TokenGate(TOKEN);
  const handOver = new HandOverAuth({ token: TOKEN, gate, notice }, {
    prepare: () => Promise.resolve(STATE),
    finish: () => void setTimeout(() => void admin.finish().then(resolve)),
    resume: () => {},
  });
  const view = {
    ready: () => true,
    metrics: () => "",
    gate,
    handOver,
    metricsGate: gate,
    answer: () => Promise.reject(new Error("nobody asks")),
  };
  const admin = await serveAdmin({ hostname: "127.0.0.1", port: 0 }, view, (error) => {
    throw error;
  });
  const port = Number(admin.address.split(":")[1]);
  return { address: { hostname: "127.0.0.1", port }, gone };
}

/** A service manager that knows when it was told of readiness. */
function openManager(): { readonly manager: SystemdNotifier; readonly ready: Promise<void> } {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const tell = (...notices: string[]) => {
    if (notices.includes("READY=1")) resolve();
  };
  return { manager: { tell, watchdogMs: undefined, close() {} }, ready };
}

Deno.test("keep() holds a server's state until the next server serves, and ends", async () => {
  const { address } = await openServer();
  const { manager, ready } = openManager();
  const { signal } = new AbortController();
  const keeping = keep({ address, token: TOKEN }, { log, manager, signal, read });
  await ready;
  await assert.rejects(requestHandOver({ address, token: "wrong" }), ConfigError);
  const failed = await requestHandOver({ address, token: TOKEN });
  assert.deepEqual(failed?.bytes, STATE);
  const taken = await requestHandOver({ address, token: TOKEN });
  assert.deepEqual(taken?.bytes, STATE, "the first one may have failed");
  await taken?.finish();
  assert.equal(await keeping, 0);
  assert.equal(await requestHandOver({ address, token: TOKEN }), undefined);
});

Deno.test("keep() that is told to end lets go of it, and says so by its exit code", async () => {
  const { address } = await openServer();
  const { manager, ready } = openManager();
  const stop = new AbortController();
  const keeping = keep({ address, token: TOKEN }, { log, manager, signal: stop.signal, read });
  await ready;
  stop.abort();
  assert.equal(await keeping, 1);
});

Deno.test("keep() lets go of a state that no server has asked for within a minute, and says so by its exit code", async () => {
  const { address } = await openServer();
  const { manager, ready } = openManager();
  const { signal } = new AbortController();
  const timers: { readonly ms: number; readonly run: () => void }[] = [];
  const after = (ms: number, run: () => void) => {
    timers.push({ ms, run });
    return () => {};
  };
  const keeping = keep({ address, token: TOKEN }, { log, manager, signal, read, after });
  await ready;
  const taken = await requestHandOver({ address, token: TOKEN });
  assert.deepEqual(taken?.bytes, STATE, "it is kept until then");
  assert.deepEqual(timers.map(({ ms }) => ms), [60_000]);
  timers[0]?.run();
  assert.equal(await keeping, 1);
  assert.equal(await requestHandOver({ address, token: TOKEN }), undefined);
});

Deno.test("keep() without a server, or without the token, is one error", async () => {
  const { address, gone } = await openServer();
  const { manager } = openManager();
  const { signal } = new AbortController();
  const attempt = (token: string | undefined) =>
    keep({ address, token }, { log, manager, signal, read });
  await assert.rejects(attempt(undefined), ConfigError);
  await assert.rejects(attempt("wrong"), ConfigError);
  const taken = await requestHandOver({ address, token: TOKEN });
  assert.deepEqual(taken?.bytes, STATE);
  await taken?.finish();
  await gone;
  await assert.rejects(attempt(TOKEN), /no server has its admin pages there/);
});

Deno.test("keep() asks for nothing that it could not read", async () => {
  const { address, gone } = await openServer();
  const { manager } = openManager();
  const { signal } = new AbortController();
  const seen: unknown[] = [];
  const check = (told: unknown) => {
    seen.push(told);
    throw new ConfigError("another format");
  };
  const keeping = keep({ address, token: TOKEN }, { log, manager, signal, check, read });
  await assert.rejects(keeping, /another format/);
  assert.deepEqual(seen, [notice()]);
  const taken = await requestHandOver({ address, token: TOKEN });
  await taken?.finish();
  await gone;
});
