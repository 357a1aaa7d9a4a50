import assert from "node:assert/strict";
import { parseNetwork } from "../../../server/limits/ip_network.ts";
import type { Relay } from "../../../server/relay/relay.ts";
import { ProvisionalSlot } from "../../../server/web/provisional_slot.ts";
import { Door } from "../../../server/web/door.ts";
import { Page, servesPage } from "../../../server/web/page.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { ConfigError } from "../../../shared/base/errors.ts";
import { encodeFrame } from "../../../shared/channel/frame.ts";
import { ClientHandshake } from "../../../shared/channel/handshake.ts";
import { OPCODES, webSocketFrame } from "../../../shared/websocket/frame.ts";
import { FakeLink, makeRelay, servedToEnd } from "../../helpers/peers/relay.ts";
import { proxyV2 } from "../../helpers/web/proxy_headers.ts";
import { frameOf, handshakeOf } from "../../helpers/peers/v1_peer.ts";
import { testRsa } from "../../helpers/peers/v2_peer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PROXY = "192.0.2.1"; // The address of every FakeLink.
const UPGRADE = [
  "GET / HTTP/1.1",
  "Host: chat.example.org",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: cmdchat.v2",
];

function upgradeOf(...fields: string[]): Uint8Array {
  return encoder.encode([...UPGRADE, ...fields, "", ""].join("\r\n"));
}

const PAGE = new Page(`<style>p{}</style><script>1</script>${"x".repeat(100_000)}`);

async function openDoor(...args: string[]): Promise<{ relay: Relay; door: Door }> {
  const relay = await makeRelay(args);
  const page = servesPage(relay.config) ? PAGE : undefined;
  return { relay, door: new Door(relay.config, relay.access, page) };
}

/** A first v2 message, which the server answers. */
async function firstMessage(): Promise<Uint8Array> {
  return encodeFrame((await ClientHandshake.start({ rsa: await testRsa() })).firstMessage);
}

const masked = (bytes: Uint8Array) =>
  webSocketFrame(OPCODES.binary, bytes, Uint8Array.of(1, 2, 3, 4));

/** What the server answers to these pieces, as text; undefined where it admits nobody. */
async function answerTo(
  { relay, door }: { relay: Relay; door: Door },
  ...pieces: Uint8Array[]
): Promise<string | undefined> {
  const link = new FakeLink(pieces);
  const slot = door.admit(link.address);
  if (slot === undefined) return undefined;
  await servedToEnd(relay, link, { slot, door });
  slot.release();
  return decoder.decode(concatBytes([new Uint8Array(0), ...link.written]));
}

Deno.test("one port tells raw v2, v1 and WebSocket apart, also one byte at a time", async () => {
  const opened = await openDoor("--web-only-socket");
  const first = await firstMessage();
  const v1 = frameOf(await handshakeOf({ name: "old" }));
  const cut = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));
  assert.match(await answerTo(opened, first) ?? "", /"kem"|"v2"/);
  assert.match(await answerTo(opened, ...cut(first)) ?? "", /"v2"/);
  assert.match(await answerTo(opened, v1) ?? "", /"handshake_ok"/);
  assert.match(await answerTo(opened, ...cut(v1)) ?? "", /"handshake_ok"/);
  const upgraded = /^HTTP\/1\.1 101 [^]*"v2"/;
  assert.match(await answerTo(opened, upgradeOf(), masked(first)) ?? "", upgraded);
  assert.match(await answerTo(opened, ...cut(upgradeOf()), ...cut(masked(first))) ?? "", upgraded);
  assert.match(await answerTo(opened, encoder.encode("POST / HTTP/1.1\r\n\r\n")) ?? "", / 405 /);
  assert.equal(await answerTo(opened), "");
  assert.equal(await answerTo(opened, encoder.encode("G")), "");
});

Deno.test("v1 is not spoken over WebSocket", async () => {
  const opened = await openDoor("--web-only-socket");
  const answer = await answerTo(opened, upgradeOf(), masked(frameOf(await handshakeOf())));
  assert.match(answer ?? "", /101 [^]*"handshake_error"/);
});

Deno.test("WebSocket is off unless it is switched on, and a page needs its origin named", async () => {
  assert.match(await answerTo(await openDoor(), upgradeOf()) ?? "", / 400 Bad Request/);
  const page = "Origin: https://chat.example.org";
  assert.match(await answerTo(await openDoor("--web-only-socket"), upgradeOf(page)) ?? "", / 403 /);
  const opened = await openDoor("--web", "https://chat.example.org");
  assert.match(await answerTo(opened, upgradeOf(page)) ?? "", / 101 /);
  assert.match(await answerTo(opened, upgradeOf()) ?? "", / 101 /);
  assert.match(await answerTo(opened, upgradeOf("Origin: https://evil.example")) ?? "", / 403 /);
});

Deno.test("a client behind a trusted proxy counts under its own address, by X-Forwarded-For or PROXY", async () => {
  const opened = await openDoor(
    "--web-only-socket",
    "--trusted-proxy",
    PROXY,
    "--max-per-address",
    "1",
  );
  const { relay } = opened;
  relay.access.bans.add({ network: parseNetwork("203.0.113.7"), until: undefined }, Date.now());
  const banned = "X-Forwarded-For: 203.0.113.7";
  const first = await firstMessage();
  assert.match(await answerTo(opened, upgradeOf(banned)) ?? "", / 503 /);
  assert.match(await answerTo(opened, upgradeOf("X-Forwarded-For: 203.0.113.8")) ?? "", / 101 /);
  const v1Of = (address: string) => encoder.encode(`PROXY TCP4 ${address} 192.0.2.2 1 2\r\n`);
  assert.equal(await answerTo(opened, v1Of("203.0.113.7"), first), "");
  assert.match(await answerTo(opened, v1Of("203.0.113.8"), first) ?? "", /"v2"/);
  assert.equal(await answerTo(opened, proxyV2({ address: [203, 0, 113, 7] }), first), "");
  assert.match(await answerTo(opened, proxyV2({ address: [203, 0, 113, 8] }), first) ?? "", /"v2"/);
  // Both in one piece, and WebSocket behind PROXY.
  assert.match(
    await answerTo(opened, concatBytes([v1Of("203.0.113.8"), upgradeOf()])) ?? "",
    / 101 /,
  );
  // Somebody who has the address already.
  const slot = relay.access.admit("203.0.113.8");
  assert.match(await answerTo(opened, upgradeOf("X-Forwarded-For: 203.0.113.8")) ?? "", / 503 /);
  assert.equal(await answerTo(opened, v1Of("203.0.113.8"), first), "");
  slot?.release();
  assert.equal(relay.gauges.connections, 0);
});

Deno.test("a proxy on the machine of the one that it comes through still names its client", async () => {
  const opened = await openDoor("--web-only-socket", "--trusted-proxy", PROXY);
  const { relay } = opened;
  relay.access.bans.add({ network: parseNetwork("203.0.113.7"), until: undefined }, Date.now());
  const header = encoder.encode(`PROXY TCP4 ${PROXY} 192.0.2.2 1 2\r\n`);
  const answerAs = (client: string) => {
    const request = upgradeOf(`X-Forwarded-For: ${client}`);
    return answerTo(opened, concatBytes([header, request]));
  };
  assert.match(await answerAs("203.0.113.7") ?? "", / 503 /);
  assert.match(await answerAs("203.0.113.8") ?? "", / 101 /);
});

Deno.test("nobody but a trusted proxy can say that it is somebody else", async () => {
  const opened = await openDoor("--web-only-socket", "--trusted-proxy", "198.51.100.0/24");
  const { relay } = opened;
  relay.access.bans.add({ network: parseNetwork("203.0.113.7"), until: undefined }, Date.now());
  // The address of a ban is not taken over, and so neither is one without.
  assert.match(await answerTo(opened, upgradeOf("X-Forwarded-For: 203.0.113.7")) ?? "", / 101 /);
  const header = encoder.encode("PROXY TCP4 203.0.113.7 192.0.2.2 1 2\r\n");
  assert.match(await answerTo(opened, header, await firstMessage()) ?? "", /"handshake_error"/);
});

Deno.test("many clients of one proxy come in before their addresses are known, up to the cap in all", async () => {
  const { relay, door } = await openDoor(
    "--trusted-proxy",
    PROXY,
    "--max-per-address",
    "2",
    "--max-connections",
    "10",
  );
  const slots = Array.from({ length: 11 }, () => door.admit(PROXY));
  assert.deepEqual(slots.map((slot) => slot !== undefined), [...Array(10).fill(true), false]);
  slots.forEach((slot) => slot?.release());
  assert.equal(relay.gauges.connections, 0);
  // An address that is not trusted has its share.
  assert.deepEqual(
    Array.from({ length: 3 }, () => door.admit("192.0.2.77") !== undefined),
    [true, true, false],
  );
});

Deno.test("on a full server a client of a proxy comes back into the slot that is held for it", async () => {
  const { relay, door } = await openDoor("--trusted-proxy", PROXY, "--max-connections", "2");
  const { access } = relay;
  access.keepSlot("203.0.113.7");
  const other = access.admit("203.0.113.8");
  assert.ok(other);
  const slot = door.admit(PROXY);
  assert.equal(slot?.forHeld, true);
  assert.equal(slot instanceof ProvisionalSlot && slot.moveTo("203.0.113.7"), true);
  assert.equal(slot?.forHeld, true);
  slot?.release();
  assert.equal(relay.gauges.connections, 2);
  // Where nobody is held, nobody comes in.
  const full = await openDoor("--trusted-proxy", PROXY, "--max-connections", "1");
  assert.ok(full.relay.access.admit("203.0.113.8"));
  assert.equal(full.door.admit(PROXY), undefined);
});

Deno.test("on a full server a client of a proxy gives way to a member of the proxy who comes back", async () => {
  const { relay, door } = await openDoor("--trusted-proxy", PROXY, "--max-connections", "2");
  relay.access.keepSlot("203.0.113.7");
  assert.ok(relay.access.admit("203.0.113.8"));
  const from = (address: string) => {
    const slot = door.admit(PROXY);
    const connection = { closed: 0, close: () => void connection.closed++ };
    slot?.isOf?.(connection);
    assert.equal(slot instanceof ProvisionalSlot && slot.moveTo(address), true, address);
    return connection;
  };
  const stranger = from("203.0.113.9");
  const member = from("203.0.113.7");
  assert.deepEqual([stranger.closed, member.closed], [1, 0]);
});

Deno.test("a malformed X-Forwarded-For or PROXY header of a trusted proxy gets one answer", async () => {
  const opened = await openDoor("--web-only-socket", "--trusted-proxy", PROXY);
  assert.match(await answerTo(opened, upgradeOf("X-Forwarded-For: unknown")) ?? "", / 400 /);
  const broken = encoder.encode("PROXY TCP9 x y 1 2\r\n");
  assert.match(await answerTo(opened, broken) ?? "", /"handshake_error"/);
  assert.equal(opened.relay.gauges.connections, 0);
});

Deno.test("origins and networks that cannot be used are refused at start", async () => {
  for (
    const args of [["--web", "chat.example.org"], ["--trusted-proxy", "0.0.0.0/0"], [
      "--web",
      "null",
    ]]
  ) {
    await assert.rejects(openDoor(...args), ConfigError, args.join(" "));
  }
});

Deno.test("the page is served under the names of --web, and under no other", async () => {
  const opened = await openDoor("--web", "https://chat.example.org,http://localhost:5050");
  const ask = async (host: string, method = "GET") =>
    await answerTo(opened, encoder.encode(`${method} / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)) ?? "";
  for (
    const [host, isKnown] of [
      ["chat.example.org", true],
      ["CHAT.example.org", true],
      ["chat.example.org:443", true],
      ["localhost:5050", true],
      ["localhost", false],
      ["127.0.0.1:5050", false],
      ["chat.example.org.", false],
      ["chat.example.org:5050", false],
      ["evil.example", false],
      ["", false],
    ] as const
  ) {
    const answer = await ask(host);
    assert.match(answer, isKnown ? / 200 OK/ : / 403 [^]*not known/, host);
    assert.equal(answer.endsWith("x".repeat(100_000)), isKnown, host);
    const toHead = await ask(host, "HEAD");
    assert.match(toHead, isKnown ? / 200 OK\r\n[^]*\r\n\r\n$/ : / 403 [^]*\r\n\r\n$/, host);
  }
  assert.equal(opened.relay.metrics.handshakes.page, 8);
  assert.equal(opened.relay.gauges.connections, 0);
});

Deno.test("--web-only-socket keeps the page off, and lets pages of --web connect", async () => {
  const opened = await openDoor("--web-only-socket", "--web", "https://chat.example.org");
  const plain = encoder.encode("GET / HTTP/1.1\r\nHost: chat.example.org\r\n\r\n");
  assert.match(await answerTo(opened, plain) ?? "", / 426 [^]*cmdchat-client/);
  const page = "Origin: https://chat.example.org";
  assert.match(await answerTo(opened, upgradeOf(page)) ?? "", / 101 /);
});

Deno.test("a browser behind a trusted proxy that is banned, or above its share, gets no page", async () => {
  const opened = await openDoor(
    "--web",
    "https://chat.example.org",
    "--trusted-proxy",
    PROXY,
    "--max-per-address",
    "1",
  );
  const { relay } = opened;
  relay.access.bans.add({ network: parseNetwork("203.0.113.7"), until: undefined }, Date.now());
  const ask = async (address: string) =>
    await answerTo(
      opened,
      encoder.encode(
        `GET / HTTP/1.1\r\nHost: chat.example.org\r\nX-Forwarded-For: ${address}\r\n\r\n`,
      ),
    ) ?? "";
  assert.match(await ask("203.0.113.7"), / 503 /);
  assert.match(await ask("203.0.113.8"), / 200 /);
  const slot = relay.access.admit("203.0.113.8");
  assert.match(await ask("203.0.113.8"), / 503 /);
  slot?.release();
  assert.match(await ask("unknown"), / 400 /);
  assert.equal(relay.gauges.connections, 0);
});
