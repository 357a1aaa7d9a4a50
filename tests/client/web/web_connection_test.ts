import assert from "node:assert/strict";
import { connectWeb } from "../../../client/web/web_connection.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { WEBSOCKET_PROTOCOL } from "../../../shared/websocket/upgrade.ts";

/** A server that gives each socket to `take`. */
function server(take: (socket: WebSocket) => void): Deno.HttpServer & { readonly url: string } {
  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: WEBSOCKET_PROTOCOL });
    take(socket);
    return response;
  });
  const url = `ws://127.0.0.1:${(http.addr as Deno.NetAddr).port}`;
  return Object.assign(http, { url });
}

const never = new AbortController().signal;

Deno.test("bytes come in order whatever the borders of messages are, and the end after them", async () => {
  await using http = server((socket) => {
    socket.onopen = () => {
      for (const bytes of [[1], [2, 3], [], [4]]) socket.send(Uint8Array.from(bytes));
      socket.close();
    };
  });
  const connection = await connectWeb(http.url, never);
  const read: number[] = [];
  for (let next = await connection.read(); next !== undefined; next = await connection.read()) {
    read.push(...next);
  }
  assert.deepEqual(read, [1, 2, 3, 4]);
  await assert.rejects(connection.write(Uint8Array.of(1)), ConnectionError);
});

Deno.test("a text is no message: the connection is over", async () => {
  await using http = server((socket) => {
    socket.onopen = () => {
      socket.send("text");
      socket.send(Uint8Array.of(1));
    };
  });
  const connection = await connectWeb(http.url, never);
  assert.equal(await connection.read(), undefined);
});

Deno.test("an abort ends the opening, and afterwards nothing: the goodbye must still go out", async () => {
  const got = Promise.withResolvers<number[]>();
  await using http = server((socket) => {
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => got.resolve([...new Uint8Array(data)]);
  });
  const early = new AbortController();
  const opening = connectWeb(http.url, early.signal);
  early.abort(new Error("enough"));
  await assert.rejects(opening, { message: "enough" });
  const late = new AbortController();
  const connection = await connectWeb(http.url, late.signal);
  late.abort();
  await connection.write(Uint8Array.of(7));
  connection.close();
  assert.deepEqual(await got.promise, [7]);
});

Deno.test("a writer waits while more than 256 KiB are on their way out, and no longer than the connection stands", async () => {
  await using http = server(() => {});
  const sent: number[] = [];
  let waiting = 0;
  const { prototype } = WebSocket;
  const { send } = prototype;
  const original = Object.getOwnPropertyDescriptor(prototype, "bufferedAmount");
  prototype.send = (bytes) => void sent.push((bytes as Uint8Array).length);
  Object.defineProperty(prototype, "bufferedAmount", { get: () => waiting, configurable: true });
  try {
    const connection = await connectWeb(http.url, never);
    await connection.write(new Uint8Array(1));
    waiting = 262_145;
    const writes = [2, 3].map((length) => connection.write(new Uint8Array(length)));
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.deepEqual(sent, [1]);
    waiting = 262_144;
    await Promise.all(writes);
    assert.deepEqual(sent, [1, 2, 3]);
    waiting = 262_145;
    const lost = connection.write(new Uint8Array(4));
    connection.close();
    await assert.rejects(lost, ConnectionError);
  } finally {
    prototype.send = send;
    if (original !== undefined) Object.defineProperty(prototype, "bufferedAmount", original);
  }
});

Deno.test("a server that sends more than 64 MiB which nobody reads is left", async () => {
  const closed = Promise.withResolvers<void>();
  await using http = server((socket) => {
    socket.onopen = () => {
      for (let n = 0; n < 66; n++) socket.send(new Uint8Array(1_048_576));
    };
    socket.onclose = () => closed.resolve();
  });
  const connection = await connectWeb(http.url, never);
  await closed.promise;
  assert.equal(await connection.read(), undefined);
});

Deno.test("where nobody listens, one error says what to do", async () => {
  await assert.rejects(connectWeb("ws://127.0.0.1:1", never), (error) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.hint ?? "", /--web/);
    return true;
  });
});
