// What one bad peer can do over WebSocket: nothing to the others. And what good ones have: all of session v2.

import type { RequestOutcome } from "../../../client/session/request_ledger.ts";
import assert from "node:assert/strict";
import { OUTBOX_MAX_BYTES } from "../../../server/config/limits.ts";
import { FaultyNetwork } from "../../helpers/hostile/faulty_network.ts";
import { fastClock, LiveChat } from "../../helpers/fakes/live_chat.ts";
import { SeededRandom, seedOfRun } from "../../helpers/fakes/random.ts";
import { closeQuietly } from "../../helpers/peers/conn_ends.ts";
import { within } from "../../helpers/peers/v1_peer.ts";
import { V2Peer } from "../../helpers/peers/v2_peer.ts";
import {
  askUpgrade,
  maskedPing,
  overWebSocket,
  upgradeRequest,
} from "../../helpers/web/web_socket_conn.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout, skipWithoutProc } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const OPEN = ["--web-only-socket", "--max-per-address", "off", "--rate-limit", "off"];
const HALF_UPGRADES = 500;
const DEADLINE_MS = 10_000;
const SLACK_MS = 5_000;
const CUTS = 100;

const testLinux = skipWithoutProc();
const testTls = skipWithout("openssl");

/** All that comes until the end. */
async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65_536);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      text += String.fromCharCode(...buffer.subarray(0, n));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  closeQuietly(conn);
  return text;
}

/** Resolves once the server has no more handles than `before`, and a few. */
async function handlesFreed(server: RunningServer, before: number): Promise<void> {
  const freed = async () => {
    while (server.handles() > before + 2) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await within(freed(), "the end of the handles", SLACK_MS);
}

testLinux(
  "500 half upgrades are closed by the deadline and give their handles back",
  async () => {
    await using server = await startServer({ args: OPEN });
    const before = server.handles();
    const begun = performance.now();
    const request = upgradeRequest();
    const halves = await Promise.all(Array.from({ length: HALF_UPGRADES }, async (_, n) => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      // Some ask for the upgrade, get it, and then say nothing.
      await conn.write(request.subarray(0, 1 + n % request.length));
      return readAll(conn);
    }));
    const answers = new Set(halves.map((answer) => answer.split("\r\n")[0]));
    assert.deepEqual([...answers].sort(), ["", "HTTP/1.1 101 Switching Protocols"]);
    const took = performance.now() - begun;
    assert.ok(took > DEADLINE_MS - 1_000 && took < DEADLINE_MS + SLACK_MS, `${took} ms`);
    await handlesFreed(server, before);
  },
);

testLinux(
  "a head that comes byte by byte is closed by the same deadline, and others get in meanwhile",
  async () => {
    await using server = await startServer({ args: OPEN });
    const begun = performance.now();
    const slow = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const end = readAll(slow);
    const request = upgradeRequest();
    let at = 0;
    const drip = setInterval(() => {
      slow.write(request.subarray(at, ++at)).catch(() => clearInterval(drip));
    }, 200);
    await using peer = await V2Peer.join({ port: server.port, over: overWebSocket });
    await peer.say("in time");
    await peer.until("chat");
    assert.equal(await end, "");
    clearInterval(drip);
    assert.ok(performance.now() - begun < DEADLINE_MS + SLACK_MS);
  },
);

Deno.test("each malformed request gets one answer and its handle back", async () => {
  await using server = await startServer({ args: OPEN });
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const requests: [Uint8Array, RegExp][] = [
    [bytesOf("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), /^HTTP\/1\.1 426 [^]*cmdchat-client/],
    [
      bytesOf("GET / HTTP/1.0\r\nHost: h\r\n\r\n"),
      /^HTTP\/1\.1 426 [^]*proxy does not pass Upgrade/,
    ],
    [bytesOf(`GET / HTTP/1.1\r\nX: ${"x".repeat(9_000)}`), /^HTTP\/1\.1 431 /],
    [bytesOf("GET / HTTP/1.1\r\n\0\r\n\r\n"), /^HTTP\/1\.1 400 /],
    [bytesOf("GET / HTTP/1.1\n\n"), /^HTTP\/1\.1 400 /],
    [upgradeRequest(["Origin: https://evil.example"]), /^HTTP\/1\.1 403 /],
    [bytesOf("POST / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 405 /],
  ];
  for (const [request, answer] of requests) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(request);
    assert.match(await within(readAll(conn), "the answer", SLACK_MS), answer);
  }
});

Deno.test("a broken frame is answered with its code, and the connection ends", async () => {
  await using server = await startServer({ args: OPEN });
  const cases: [Uint8Array, number[]][] = [
    [Uint8Array.of(0x81, 0x80, 1, 2, 3, 4), [0x88, 2, 0x03, 0xeb]],
    [Uint8Array.of(0x82, 0x01, 0x78), [0x88, 2, 0x03, 0xea]],
    [Uint8Array.of(0xc2, 0x80, 1, 2, 3, 4), [0x88, 2, 0x03, 0xea]],
    [Uint8Array.of(0x89, 0xfe), [0x88, 2, 0x03, 0xea]],
    [Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9), [0x88, 2, 0x03, 0xe9]],
  ];
  for (const [frame, close] of cases) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    assert.match(await askUpgrade(conn), /^HTTP\/1\.1 101 /);
    await conn.write(frame);
    const answer = await within(readAll(conn), "the close frame", SLACK_MS);
    assert.deepEqual(Array.from(answer, (character) => character.charCodeAt(0)), close);
  }
});

Deno.test("a flood of pings from a member ends its connection with 1008, and the others notice nothing", async () => {
  await using server = await startServer({ args: OPEN });
  await using other = await V2Peer.join({ port: server.port, hello: { name: "other" } });
  let raw: Deno.Conn | undefined;
  await using flooder = await V2Peer.join({
    port: server.port,
    hello: { name: "flooder" },
    over: (conn) => overWebSocket(raw = conn),
  });
  const pings = Uint8Array.from(Array.from({ length: 1_000 }, () => [...maskedPing()]).flat());
  const flood = async () => {
    for (;;) await raw?.write(pings);
  };
  await within(flood().catch(() => {}), "the end of the flood", SLACK_MS);
  await flooder.ended;
  await other.say("still here");
  await other.until("chat");
  await server.logged(/client broke the protocol, closed .*hold no data/);
});

testLinux(
  "a member that stops reading over WebSocket is closed as too slow, and the others go on",
  async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile, cert } = certificate;
    await using server = await startServer({
      args: [...OPEN, "--certfile", certFile, "--keyfile", keyFile, "--hold", "0"],
    });
    const common = { port: server.port, tlsCa: cert };
    await using reader = await V2Peer.join({ ...common, hello: { name: "reader" } });
    await using talker = await V2Peer.join({
      ...common,
      hello: { name: "talker" },
      over: overWebSocket,
    });
    const stalled = await Deno.connectTls({
      hostname: "localhost",
      port: server.port,
      caCerts: [cert],
    });
    const before = server.handles();
    await using member = await V2Peer.join({
      port: server.port,
      hello: { name: "stalled" },
      over: async (conn) => {
        conn.close();
        return stall(await overWebSocket(stalled));
      },
    });
    const text = "x".repeat(4_000);
    const gone = server.logged(/client does not read fast enough/, 60_000);
    let sent = 0;
    let over = false;
    void gone.finally(() => over = true);
    while (!over && sent < 4 * OUTBOX_MAX_BYTES) {
      await talker.say(text);
      sent += text.length;
      if (sent % 1_000_000 < 4_000) {
        await talker.until("chat", (event) => event.request >= sent / 4_000);
      }
    }
    await gone;
    assert.ok(sent < 3 * OUTBOX_MAX_BYTES, `${sent} bytes`);
    assert.ok(reader.texts.length > 0);
    member.cut();
    await handlesFreed(server, before);
  },
);

/** A connection that is read up to its first records, and then no more until it is closed. */
function stall(conn: Deno.Conn): Deno.Conn {
  let reads = 0;
  const closed = Promise.withResolvers<number | null>();
  const stalled = {
    read: (buffer: Uint8Array) => reads++ < 2_400 ? conn.read(buffer) : closed.promise,
    write: (bytes: Uint8Array) => conn.write(bytes),
    close() {
      closed.resolve(null);
      conn.close();
    },
  };
  return stalled as unknown as Deno.Conn;
}

testTls(
  "raw and WebSocket clients talk in one room over one TLS port, and v1 stays on raw TLS",
  async () => {
    await using certificate = await makeCertificate();
    const { certFile, keyFile, cert } = certificate;
    await using server = await startServer({
      args: [...OPEN, "--certfile", certFile, "--keyfile", keyFile],
    });
    const common = { port: server.port, tlsCa: cert };
    await using raw = await V2Peer.join({ ...common, hello: { name: "raw" } });
    await using web = await V2Peer.join({ ...common, hello: { name: "web" }, over: overWebSocket });
    for (let n = 0; n < 20; n++) {
      await raw.say(`raw ${n}`);
      await web.say(`web ${n}`);
    }
    for (const peer of [raw, web]) {
      await peer.until("chat", () => peer.texts.length === 40);
      const [own, other] = ["raw", "web"].map((name) =>
        peer.texts.filter((text) => text.startsWith(name)).map((text) => Number(text.slice(4)))
      );
      assert.deepEqual([own, other], [[...Array(20).keys()], [...Array(20).keys()]]);
    }
    assert.deepEqual(raw.texts, web.texts);
  },
);

Deno.test("WebSocket connections that are cut at any byte lose nothing, repeat nothing and change no order", async () => {
  const random = new SeededRandom(seedOfRun());
  const seed = `seed ${random.seed}`;
  await using server = await startServer({ args: OPEN });
  let calm = true;
  await using network = new FaultyNetwork(server.port, () =>
    calm ? undefined : {
      kind: "kill",
      after: random.of(["up", "down"] as const),
      bytes: random.between(1, 6_000),
    });
  await using cleanup = new AsyncDisposableStack();
  const endpoint = () => ({ host: "127.0.0.1", port: network.port, webSocket: true });
  const chatters = Array.from(
    { length: 3 },
    (_, n) => cleanup.use(new LiveChat({ name: `chatter ${n}`, endpoint, clock: fastClock(15) })),
  );
  for (const { chat, until } of chatters) {
    await until(
      () => chat.room.roster.names.length === chatters.length,
      `all in the room (${seed})`,
    );
  }
  calm = false;
  network.cutAll();
  const outcomes = await Promise.all(chatters.map(async ({ chat }, n) => {
    const said: Promise<RequestOutcome>[] = [];
    while (network.damage.kills < CUTS) {
      if (chat.requests.unsent < 20) said.push(chat.say(`${n} ${said.length}`));
      await new Promise((resolve) => setTimeout(resolve, random.between(10, 40)));
    }
    return said;
  }));
  calm = true;
  network.cutAll();
  const said = await Promise.all(outcomes.flat());
  assert.deepEqual(said.filter((outcome) => outcome !== "confirmed"), [], seed);
  for (const chatter of chatters) {
    await chatter.until(() => chatter.heard.length >= said.length, `all messages (${seed})`);
    assert.deepEqual(
      chatter.heard.map(({ sequence }) => sequence),
      chatter.heard.map((_, n) => n + 1),
      seed,
    );
    assert.deepEqual(
      chatter.heard.map(({ text }) => text),
      chatters[0]?.heard.map(({ text }) => text),
    );
  }
  assert.doesNotMatch(server.log, /unexpected fault/, seed);
});
