import assert from "node:assert/strict";
import type { Connection, Endpoint } from "../../../client/net/endpoint.ts";
import { openWebSocket } from "../../../client/net/web_socket.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { OPCODES, webSocketFrame } from "../../../shared/websocket/frame.ts";
import { WebSocketReader } from "../../../shared/websocket/frame_reader.ts";
import { acceptFor } from "../../../shared/websocket/upgrade.ts";

const ENDPOINT: Endpoint = { host: "chat.example.org", port: 443, tls: undefined, webSocket: true };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A server that answers the first write with what `answer` makes of its key, and then sends `frames`. */
class FakeServer implements Connection {
  readonly written: Uint8Array[] = [];
  closed = false;
  readonly #answer: (key: string) => Promise<string>;
  readonly #frames: Uint8Array[];

  constructor(answer: (key: string) => Promise<string>, frames: readonly Uint8Array[] = []) {
    this.#answer = answer;
    this.#frames = [...frames];
  }

  get request(): string {
    return decoder.decode(this.written[0]);
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#asked) return this.#frames.shift();
    this.#asked = true;
    const key = /Sec-WebSocket-Key: (\S+)/.exec(this.request)?.[1] ?? "";
    return Uint8Array.from(await this.#answer(key), (character) => character.charCodeAt(0));
  }

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes.slice());
    return Promise.resolve();
  }

  finishWriting(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }

  #asked = false;
}

async function good(key: string): Promise<string> {
  return "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade\r\n" +
    `sec-websocket-accept: ${await acceptFor(key)}\r\nsec-websocket-protocol: cmdchat.v2\r\n\r\n`;
}

Deno.test("the request names the host and the subprotocol, and nothing of the conversation", async () => {
  const server = new FakeServer(good);
  await openWebSocket(server, ENDPOINT);
  const lines = server.request.split("\r\n");
  assert.equal(lines[0], "GET / HTTP/1.1");
  assert.deepEqual(
    lines.slice(1).map((line) => line.replace(/Key: .*/, "Key: …")),
    [
      "Host: chat.example.org",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: …",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: cmdchat.v2",
      "",
      "",
    ],
  );
  const other = new FakeServer(good);
  await openWebSocket(other, { ...ENDPOINT, host: "[2001:db8::1]", port: 5050 });
  assert.match(other.request, /\r\nHost: \[2001:db8::1\]:5050\r\n/);
  const umlaut = new FakeServer(good);
  await openWebSocket(umlaut, { ...ENDPOINT, host: "bücher.example" });
  assert.match(umlaut.request, /\r\nHost: xn--bcher-kva\.example\r\n/);
  const injected = { ...ENDPOINT, host: "a\r\nX: y" };
  await assert.rejects(openWebSocket(new FakeServer(good), injected), /not the name of a host/);
});

Deno.test("each answer that is no upgrade has its reason, and no text of the server is in it", async () => {
  const status = (code: number) => () =>
    Promise.resolve(`HTTP/1.1 ${code} Evil\x7f text\r\nX: evil\r\n\r\nevil`);
  const changed = (from: RegExp, to: string) => async (key: string) =>
    (await good(key)).replace(from, to);
  const cases: [(key: string) => Promise<string>, RegExp][] = [
    [status(400), /is not a cmdchat server/],
    [(key) => status(400)().then((text) => text.replace("\x7f", "") + key), /speak WebSocket/],
    [() => Promise.resolve("HTTP/1.1 426 x\r\n\r\n"), /does not pass Upgrade/],
    [() => Promise.resolve("HTTP/1.1 403 x\r\n\r\n"), /takes no connections from here/],
    [() => Promise.resolve("HTTP/1.1 404 x\r\n\r\n"), /no cmdchat server at this address/],
    [() => Promise.resolve("HTTP/1.1 502 x\r\n\r\n"), /proxy before it does not reach it/],
    [() => Promise.resolve("HTTP/1.1 503 x\r\n\r\n"), /no more connections/],
    [() => Promise.resolve("HTTP/1.1 200 OK\r\n\r\n"), /not a cmdchat server/],
    [() => Promise.resolve("HTTP/1.1 302 x\r\nLocation: https://evil\r\n\r\n"), /not a cmdchat/],
    [() => Promise.resolve("evil"), /closed the connection without an answer/],
    [() => Promise.resolve("\0\0\0\x10{evil}"), /does not speak WebSocket/],
    [() => Promise.resolve("x".repeat(9_000)), /not a cmdchat server/],
    [changed(/accept: .*/, "accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), /not a cmdchat server/],
    [changed(/protocol: .*/, "protocol: chat"), /not a cmdchat server/],
    [changed(/sec-websocket-protocol: .*\r\n/, ""), /not a cmdchat server/],
    [
      changed(/\r\n\r\n/, "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
      /not a cmdchat/,
    ],
    [changed(/upgrade: WebSocket\r\n/, ""), /not a cmdchat server/],
    [changed(/\r\n\r\n/, "\r\nsec-websocket-accept: x\r\n\r\n"), /not a cmdchat server/],
  ];
  for (const [answer, why] of cases) {
    await assert.rejects(openWebSocket(new FakeServer(answer), ENDPOINT), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.match(error.message, why);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /evil/i);
      return true;
    });
  }
});

Deno.test("bytes pass both ways, masked under a fresh key each, from the first that follow the answer", async () => {
  const frame = (text: string) => webSocketFrame(OPCODES.binary, encoder.encode(text));
  const early = async (key: string) => await good(key) + String.fromCharCode(...frame("early "));
  const frames = [
    concatBytes([frame("one "), webSocketFrame(OPCODES.ping, encoder.encode("p")), frame("two")]),
    webSocketFrame(OPCODES.close, Uint8Array.of(0x03, 0xe9)),
  ];
  const server = new FakeServer(early, frames);
  const connection = await openWebSocket(server, ENDPOINT);
  const same = encoder.encode("same text");
  await connection.write(same);
  await connection.write(same);
  assert.equal(decoder.decode(same), "same text");
  let text = "";
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) {
    text += decoder.decode(chunk);
  }
  assert.equal(text, "early one two");
  const [, first, second, pong, close] = server.written;
  assert.notDeepEqual(first, second);
  const reader = new WebSocketReader({ masked: true });
  assert.equal(decoder.decode(reader.push(first as Uint8Array)), "same text");
  assert.equal((pong as Uint8Array)[0], 0x8a);
  reader.push(close as Uint8Array);
  assert.deepEqual(reader.closed, { code: 1001 });
  await assert.rejects(connection.write(same), ConnectionError);
});

Deno.test("a server that breaks RFC 6455 is told the code, and the connection ends", async () => {
  const masked = webSocketFrame(OPCODES.binary, encoder.encode("x"), Uint8Array.of(1, 2, 3, 4));
  const server = new FakeServer(good, [masked]);
  const connection = await openWebSocket(server, ENDPOINT);
  await assert.rejects(connection.read(), { code: 1002 });
  const reader = new WebSocketReader({ masked: true });
  reader.push(server.written.at(-1) as Uint8Array);
  assert.deepEqual(reader.closed, { code: 1002 });
});

Deno.test("closing says so first, once", async () => {
  const server = new FakeServer(good);
  const connection = await openWebSocket(server, ENDPOINT);
  connection.close();
  connection.close();
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(server.closed);
  assert.deepEqual(server.written.length, 2);
});
