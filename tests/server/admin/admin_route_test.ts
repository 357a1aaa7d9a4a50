import assert from "node:assert/strict";
import { type AdminView, answerRoute } from "../../../server/admin/routes.ts";
import type { AdminRequest } from "../../../server/admin/admin_commands.ts";
import { ADMIN_REQUEST_MAX_BYTES } from "../../../server/admin/paths.ts";
import { TokenGate } from "../../../server/admin/token_gate.ts";
import { LimitError } from "../../../shared/base/errors.ts";

const TOKEN = "for-the-admin-alone";

/** A view that remembers what got through to the server. */
function viewOf(parts: Partial<AdminView> = {}) {
  const asked: AdminRequest[] = [];
  const view: AdminView = {
    ready: () => true,
    metrics: () => "",
    handOver: undefined,
    metricsGate: undefined,
    gate: new TokenGate(TOKEN, { pause: () => Promise.resolve() }),
    answer(ask) {
      asked.push(ask);
      return Promise.resolve({ lines: ["done"], data: { done: true } });
    },
    ...parts,
  };
  return { view, asked };
}

interface Asked {
  readonly url?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit | null;
  readonly peer?: string;
}

function ask(view: AdminView, parts: Asked = {}): Promise<Response> {
  const { url = "http://127.0.0.1:5051/admin", method = "POST", peer = "127.0.0.1" } = parts;
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    "content-type": "application/json",
    ...parts.headers,
  };
  const { body = JSON.stringify({ command: "bans" }) } = parts;
  const request = new Request(url, { method, headers, body: method === "GET" ? null : body });
  return answerRoute({ request, peer, gone: () => new Promise(() => {}) }, view);
}

Deno.test("a question that fits is answered as JSON, and only then gets through", async () => {
  const { view, asked } = viewOf();
  const response = await ask(view);
  assert.deepEqual(await response.json(), { lines: ["done"], data: { done: true } });
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(asked, [{ command: "bans" }]);
  for (const peer of ["::1", "127.3.3.3", "::ffff:127.0.0.1"]) {
    assert.equal((await ask(view, { peer })).status, 200, peer);
  }
});

Deno.test("without a token there is no such page, nor for another machine", async () => {
  for (const { view, asked } of [viewOf({ gate: undefined }), viewOf()]) {
    const peer = view.gate === undefined ? "127.0.0.1" : "192.0.2.1";
    const response = await ask(view, { peer });
    const nowhere = await ask(view, { url: "http://127.0.0.1:5051/nothing", peer });
    assert.deepEqual(
      [response.status, await response.text()],
      [nowhere.status, await nowhere.text()],
    );
    assert.equal(response.status, 404);
    assert.deepEqual(asked, []);
  }
});

const UNFIT: Readonly<Record<string, readonly [number, Asked]>> = {
  "a foreign name": [421, { url: "http://rebound.example:5051/admin" }],
  "a web page of another place": [403, { headers: { origin: "http://127.0.0.1:5051" } }],
  "a browser": [403, { headers: { "sec-fetch-site": "none" } }],
  "a form": [415, { headers: { "content-type": "application/x-www-form-urlencoded" } }],
  "plain text, as a form can send it": [415, { headers: { "content-type": "text/plain" } }],
  "what a link can do": [405, { method: "GET" }],
  "another method": [405, { method: "PUT" }],
  "what a browser asks before": [405, { method: "OPTIONS" }],
  "a wrong token": [401, { headers: { authorization: "Bearer wrong" } }],
  "half a token": [401, { headers: { authorization: `Bearer ${TOKEN.slice(1)}` } }],
  "another scheme": [401, { headers: { authorization: `Basic ${TOKEN}` } }],
  "no token": [401, { headers: { authorization: "" } }],
  "a length above the bound": [413, { body: "x".repeat(ADMIN_REQUEST_MAX_BYTES + 1) }],
  "no JSON": [400, { body: "bans" }],
  "no UTF-8": [400, { body: new Uint8Array([0xff, 0x7b]) }],
  "no object": [400, { body: "[]" }],
  "an unknown command": [400, { body: JSON.stringify({ command: "toString" }) }],
  "a field too many": [400, { body: JSON.stringify({ command: "bans", more: 1 }) }],
  "a field of another type": [400, { body: JSON.stringify({ command: "kick", session: "1" }) }],
  "a number out of range": [400, { body: JSON.stringify({ command: "kick", session: -1 }) }],
};

Deno.test("whatever does not fit is refused, has no effect, and no web page is allowed anything", async () => {
  const { view, asked } = viewOf();
  for (const [what, [status, parts]] of Object.entries(UNFIT)) {
    const response = await ask(view, parts);
    assert.equal(response.status, status, what);
    const allowed = [...response.headers.keys()].filter((name) =>
      name.startsWith("access-control")
    );
    assert.deepEqual(allowed, [], what);
  }
  assert.deepEqual(asked, []);
});

Deno.test("a body that never says how long it is is read up to the bound, and no further", async () => {
  const { view, asked } = viewOf();
  let given = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += 1_024;
      controller.enqueue(new Uint8Array(1_024).fill(0x20));
    },
  }, { highWaterMark: 0 });
  assert.equal((await ask(view, { body })).status, 413);
  assert.ok(given <= ADMIN_REQUEST_MAX_BYTES + 2_048, `${given} bytes were read`);
  assert.deepEqual(asked, []);
});

Deno.test("what cannot be done is said, what is a fault of the server is not", async () => {
  const refuse = viewOf({ answer: () => Promise.reject(new LimitError("Cannot do it: why")) });
  const refused = await ask(refuse.view);
  assert.deepEqual([refused.status, await refused.text()], [409, "Cannot do it: why\n"]);
  const fault = viewOf({ answer: () => Promise.reject(new Error("inside")) });
  await assert.rejects(ask(fault.view), /inside/);
});
