import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { Page, pageDoubts, readPage, servesPage } from "../../../server/web/page.ts";
import { sendPage } from "../../../server/web/page_answer.ts";
import { pageFields, pagePolicy } from "../../../server/web/page_policy.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { HttpHeadReader } from "../../../shared/websocket/http_head.ts";
import { ConnectionLost } from "../../../server/net/connection.ts";
import { FakeLink } from "../../helpers/peers/relay.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PARTS = { script: "let a = '<b>';", style: "p { color: red }" };
const HTML = `<style>${PARTS.style}</style><script>${PARTS.script}</script>${"é".repeat(50_000)}`;

function headOf(...fields: string[]) {
  const read = new HttpHeadReader().push(
    encoder.encode(["GET / HTTP/1.1", ...fields, "", ""].join("\r\n")),
  );
  assert.ok(read);
  return read.head;
}

Deno.test("the policy allows the page's own script and style by their hashes, and nothing from elsewhere", () => {
  const hash = (text: string) => createHash("sha256").update(text).digest("base64");
  const policy = pagePolicy(PARTS, "'self'");
  assert.deepEqual(policy.split("; "), [
    "default-src 'none'",
    `script-src 'sha256-${hash(PARTS.script)}'`,
    `style-src 'sha256-${hash(PARTS.style)}'`,
    "worker-src blob:",
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types cmdchat",
  ]);
  assert.match(pagePolicy(PARTS, "ws: wss:"), /connect-src ws: wss:;/);
});

Deno.test("every field that keeps other pages away goes with the page", () => {
  const fields = new Map(pageFields(PARTS));
  assert.match(fields.get("Content-Security-Policy") ?? "", /; frame-ancestors 'none'$/);
  for (
    const [name, value] of [
      ["Cross-Origin-Opener-Policy", "same-origin"],
      ["Cross-Origin-Embedder-Policy", "require-corp"],
      ["Cross-Origin-Resource-Policy", "same-origin"],
      ["Referrer-Policy", "no-referrer"],
      ["X-Content-Type-Options", "nosniff"],
      ["Cache-Control", "no-store"],
    ] as const
  ) assert.equal(fields.get(name), value);
  assert.match(fields.get("Permissions-Policy") ?? "", /^(?:[a-z-]+=\(\)(?:, |$))+$/);
});

Deno.test("a browser gets the page zipped where it says that it can, and what is hashed is the page", async () => {
  const page = new Page(HTML);
  assert.equal(page.sha256, createHash("sha256").update(HTML).digest("hex"));
  for (
    const [field, isZipped] of [
      ["Accept-Encoding: gzip, deflate, br", true],
      ["Accept-Encoding: br;q=1, gzip", true],
      ["Accept-Encoding: gzip;q=0", false],
      ["Accept-Encoding: identity", false],
      ["Accept: */*", false],
    ] as const
  ) {
    const { head, body } = page.answer(headOf(field), "GET");
    const text = decoder.decode(head);
    assert.equal(text.includes("Content-Encoding: gzip\r\n"), isZipped, field);
    assert.equal(Number(/Content-Length: (\d+)/.exec(text)?.[1]), body.length);
    assert.equal(decoder.decode(isZipped ? gunzipSync(body) : body), HTML);
    const toHead = page.answer(headOf(field), "HEAD");
    assert.deepEqual(toHead, { head, body: new Uint8Array(0) });
  }
  const link = new FakeLink();
  const answer = page.answer(headOf(), "GET");
  await sendPage(link, answer);
  assert.deepEqual(concatBytes(link.written), concatBytes([answer.head, answer.body]));
  assert.ok(link.written.every(({ length }) => length <= 16_384));
});

Deno.test("a browser that leaves in the middle of the page is no fault", async () => {
  const link = new FakeLink();
  let writes = 0;
  link.write = () =>
    ++writes < 3 ? Promise.resolve() : Promise.reject(new ConnectionLost("it is gone"));
  await sendPage(link, new Page(HTML).answer(headOf(), "GET"));
  assert.equal(writes, 3);
});

Deno.test("a browser that does not read the page is let go at the deadline, with one piece of it in memory", async () => {
  const link = new FakeLink();
  const end = Promise.withResolvers<void>();
  let writes = 0;
  link.write = () => ++writes < 2 ? Promise.resolve() : end.promise;
  link.close = () => end.reject(new ConnectionLost("it was closed"));
  await sendPage(link, new Page(HTML).answer(headOf(), "GET"), { deadlineMs: 1 });
  assert.equal(writes, 2);
});

Deno.test("a page that was not built is an error of the operator's, with what builds it", () => {
  assert.throws(
    () => readPage(new URL("no_such_page.html", import.meta.url)),
    (error) => error instanceof ConfigError && /deno task page/.test(error.hint ?? ""),
  );
  const of = (web: string[] | undefined, socketOnly: boolean) =>
    servesPage({ web, "web-only-socket": socketOnly });
  assert.deepEqual(
    [of(undefined, false), of(["https://a"], false), of(["https://a"], true)],
    [false, true, false],
  );
});

Deno.test("addresses at which no browser can use the page are named", () => {
  const cases: [string, { tls?: boolean; proxy?: boolean }, RegExp | undefined][] = [
    ["https://chat.example.org", { tls: true }, undefined],
    ["https://chat.example.org", { proxy: true }, undefined],
    ["https://chat.example.org", {}, /no certificate/],
    ["http://chat.example.org", {}, /over http/],
    ["http://192.168.1.5:5050", { proxy: true }, /over http/],
    ["http://localhost:5050", {}, undefined],
    ["http://chat.localhost:5050", {}, undefined],
    ["http://127.0.0.1:5050", {}, undefined],
    ["http://[::1]:5050", {}, undefined],
    ["http://localhost:5050", { tls: true }, /only TLS/],
    ["null", {}, undefined],
  ];
  for (const [origin, { tls = false, proxy = false }, why] of cases) {
    const config = {
      web: [origin],
      "web-only-socket": false,
      "trusted-proxy": proxy ? ["127.0.0.1"] : [],
    };
    const [doubt] = pageDoubts(config, tls);
    if (why === undefined) assert.equal(doubt, undefined, origin);
    else assert.match(doubt?.why ?? "", why, origin);
    assert.deepEqual(pageDoubts({ ...config, "web-only-socket": true }, tls), []);
  }
});
