import assert from "node:assert/strict";
import { FirstBytes } from "../../../server/web/first_bytes.ts";
import { upgradeAnswer } from "../../../server/web/upgrade_request.ts";
import { WebRefusal } from "../../../server/web/web_refusal.ts";
import { readWebRequest, speaksHttp } from "../../../server/web/web_request.ts";
import { FakeLink } from "../../helpers/peers/relay.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const FIELDS = [
  "Host: chat.example.org",
  "Upgrade: websocket",
  "Connection: keep-alive, Upgrade",
  `Sec-WebSocket-Key: ${KEY}`,
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: other, cmdchat.v2",
];

interface Changes {
  readonly line?: string;
  /** Fields to leave out, by their beginnings. */
  readonly without?: readonly string[];
  readonly with?: readonly string[];
  readonly rest?: string;
}

function requestOf({ line = "GET / HTTP/1.1", without = [], with: more = [], rest = "" }: Changes) {
  const kept = FIELDS.filter((field) => !without.some((name) => field.startsWith(name)));
  return encoder.encode([line, ...kept, ...more, "", ""].join("\r\n") + rest);
}

function read(bytes: Uint8Array, hasPage = false) {
  const first = new FirstBytes(new FakeLink([bytes]));
  return readWebRequest(first, { hasPage, how: "Join with a client." });
}

/** The answer to a request that is refused. */
async function refused(bytes: Uint8Array, hasPage: boolean): Promise<string> {
  try {
    await read(bytes, hasPage);
  } catch (error) {
    if (error instanceof WebRefusal) return decoder.decode(error.bytes);
    throw error;
  }
  throw new Error(`accepted: ${decoder.decode(bytes)}`);
}

Deno.test("a request of a browser or a client is accepted, and answered with its key", async () => {
  const request = await read(requestOf({ with: ["Origin: https://a.example"] }));
  assert.ok(request.kind === "upgrade");
  assert.deepEqual([request.host, request.origin], ["chat.example.org", "https://a.example"]);
  assert.equal(
    decoder.decode(await upgradeAnswer(request)),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
      "Sec-WebSocket-Protocol: cmdchat.v2\r\n\r\n",
  );
  // Extensions are offered by every browser; none is taken.
  await read(requestOf({ with: ["Sec-WebSocket-Extensions: permessage-deflate"] }));
});

Deno.test("every malformed request gets one clear answer, with a page and without", async () => {
  const cases: [Changes, number, RegExp][] = [
    [{ line: "GET /?token=x HTTP/1.1" }, 404, /nothing here/],
    [{ line: "GET /chat HTTP/1.1" }, 404, /nothing here/],
    [{ line: "GET http://h/ HTTP/1.1" }, 404, /nothing here/],
    [{ line: "GET / HTTP/2" }, 400, /HTTP\/1\.1/],
    [{ line: "GET /" }, 400, /HTTP\/1\.1/],
    [{ line: "GEX / HTTP/1.1" }, 405, /Only GET and HEAD/],
    [{ line: "POST / HTTP/1.1" }, 405, /Allow: GET, HEAD\r\n/],
    [{ line: "PRI * HTTP/2.0" }, 400, /HTTP\/1\.1/],
    [{ line: "GET /../ HTTP/1.1" }, 404, /nothing here/],
    [{ line: "HEAD / HTTP/1.1" }, 426, /Content-Length: [1-9]/],
    [{ line: "HEAD /x HTTP/1.1" }, 404, /Content-Length: [1-9]/],
    [{ without: ["Upgrade", "Connection"] }, 426, /proxy does not pass Upgrade/],
    [{ without: ["Connection"] }, 426, /proxy does not pass Upgrade/],
    [{ line: "GET / HTTP/1.0" }, 426, /proxy does not pass Upgrade/],
    [{ without: ["Sec-WebSocket-Version"] }, 426, /version 13/],
    [{ without: ["Sec-WebSocket-Version"], with: ["Sec-WebSocket-Version: 8"] }, 426, /version 13/],
    [{ without: ["Sec-WebSocket-Key"] }, 400, /16 bytes in base64/],
    [{ without: ["Sec-WebSocket-Key"], with: ["Sec-WebSocket-Key: c2hvcnQ="] }, 400, /16 bytes/],
    [{ with: [`Sec-WebSocket-Key: ${KEY}`] }, 400, /twice/],
    [{ without: ["Sec-WebSocket-Protocol"] }, 400, /cmdchat\.v2/],
    [{ without: ["Host"] }, 400, /Host is missing/],
    [{ with: ["Host: other.example"] }, 400, /twice/],
    [{ with: ["Origin: https://a", "Origin: https://b"] }, 400, /twice/],
    [{ with: ["Content-Length: 5"] }, 400, /body/],
    [{ with: ["Transfer-Encoding: chunked"] }, 400, /body/],
    [{ with: [" folded"] }, 400, /not a field/],
    [{ with: [`X: ${"x".repeat(8_192)}`] }, 431, /8192 bytes/],
    [{ rest: "\x82\x80early" }, 400, /did not wait/],
  ];
  for (const [changes, status, words] of cases) {
    for (const hasPage of [false, true]) {
      const answer = await refused(requestOf(changes), hasPage);
      const what = `${JSON.stringify(changes)} ${hasPage}`;
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} .*\r\n`), what);
      assert.match(answer, words, what);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      const isHead = changes.line?.startsWith("HEAD");
      if (isHead) assert.equal(body, "");
      else assert.equal(Number(/Content-Length: (\d+)/.exec(head)?.[1]), body.length, what);
    }
  }
});

const PLAIN = { without: ["Upgrade", "Connection", "Sec-"] };

Deno.test("a request without Upgrade is for the page, from HTTP/1.0 too, which a proxy may speak", async () => {
  for (const line of ["GET / HTTP/1.1", "GET / HTTP/1.0", "HEAD / HTTP/1.1", "HEAD / HTTP/1.0"]) {
    const request = await read(requestOf({ ...PLAIN, line }), true);
    assert.ok(request.kind === "page", line);
    assert.equal(request.method, line.split(" ")[0]);
    assert.equal(request.host, "chat.example.org");
  }
  assert.match(await refused(requestOf(PLAIN), false), / 426 [^]*Join with a client/);
  assert.match(
    await refused(requestOf({ ...PLAIN, line: "GET / HTTP/1.0" }), false),
    / 426 [^]*does not pass Upgrade/,
  );
});

Deno.test("HTTP is told by the methods that there are, and no frame begins like one", async () => {
  const speaks = (text: string) => speaksHttp(new FirstBytes(new FakeLink([encoder.encode(text)])));
  for (const text of ["GET /", "HEAD", "POST /", "PUT /", "PATCH", "DELETE", "OPTIONS", "PRI *"]) {
    assert.ok(await speaks(text), text);
  }
  for (const text of ["\0\0\x01\x02{", "SSH-2.0", "NICK x", "USER x", "PASS x", "G", "GE"]) {
    assert.ok(!await speaks(text), text);
  }
});
