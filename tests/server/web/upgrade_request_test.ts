import assert from "node:assert/strict";
import { FirstBytes } from "../../../server/web/first_bytes.ts";
import { readUpgradeRequest, upgradeAnswer } from "../../../server/web/upgrade_request.ts";
import { WebRefusal } from "../../../server/web/web_refusal.ts";
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

function read(bytes: Uint8Array) {
  return readUpgradeRequest(new FirstBytes(new FakeLink([bytes])), "Join with a client.");
}

/** The answer to a request that is refused. */
async function refused(bytes: Uint8Array): Promise<string> {
  try {
    await read(bytes);
  } catch (error) {
    if (error instanceof WebRefusal) return decoder.decode(error.bytes);
    throw error;
  }
  throw new Error(`accepted: ${decoder.decode(bytes)}`);
}

Deno.test("a request of a browser or a client is accepted, and answered with its key", async () => {
  const request = await read(requestOf({ with: ["Origin: https://a.example"] }));
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

Deno.test("every malformed upgrade gets one clear answer", async () => {
  const cases: [Changes, number, RegExp][] = [
    [{ line: "GET /?token=x HTTP/1.1" }, 404, /nothing here/],
    [{ line: "GET /chat HTTP/1.1" }, 404, /nothing here/],
    [{ line: "GET http://h/ HTTP/1.1" }, 404, /nothing here/],
    [{ line: "GET / HTTP/2" }, 400, /HTTP\/1\.1/],
    [{ line: "GET /" }, 400, /HTTP\/1\.1/],
    [{ line: "GEX / HTTP/1.1" }, 405, /Only GET/],
    [{ without: ["Upgrade", "Connection", "Sec-"] }, 426, /Join with a client/],
    [{ without: ["Upgrade", "Connection"] }, 426, /proxy does not pass Upgrade/],
    [{ without: ["Connection"] }, 426, /proxy does not pass Upgrade/],
    [{ line: "GET / HTTP/1.0" }, 426, /proxy does not pass Upgrade/],
    [{ line: "GET / HTTP/1.0", without: ["Upgrade", "Sec-"] }, 426, /does not pass Upgrade/],
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
    [{ with: [" folded"] }, 400, /no field/],
    [{ with: [`X: ${"x".repeat(8_192)}`] }, 431, /8192 bytes/],
    [{ rest: "\x82\x80early" }, 400, /did not wait/],
  ];
  for (const [changes, status, words] of cases) {
    const answer = await refused(requestOf(changes));
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} .*\r\n`), JSON.stringify(changes));
    assert.match(answer, words, JSON.stringify(changes));
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    assert.equal(Number(/Content-Length: (\d+)/.exec(head)?.[1]), body.length);
  }
});
