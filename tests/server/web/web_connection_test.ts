import assert from "node:assert/strict";
import { CLOSE_PATIENCE_MS, WebConnection } from "../../../server/web/web_connection.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { OPCODES, webSocketFrame } from "../../../shared/websocket/frame.ts";
import { EMPTY_FRAMES_MAX } from "../../../shared/websocket/frame_reader.ts";
import { AUTOBAHN_CASES } from "../../shared/websocket/autobahn_cases.ts";
import { FakeLink, LiveLink } from "../../helpers/peers/relay.ts";
import { within } from "../../helpers/peers/v1_peer.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const KEY = Uint8Array.of(5, 6, 7, 8);
const data = (text: string) => webSocketFrame(OPCODES.binary, encoder.encode(text), KEY);
const ping = (text: string) => webSocketFrame(OPCODES.ping, encoder.encode(text), KEY);

/** All that a connection reads, and the error that ended it. */
async function readAll(connection: WebConnection): Promise<{ text: string; error?: unknown }> {
  let text = "";
  try {
    for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
      text += decoder.decode(chunk);
    }
    return { text };
  } catch (error) {
    return { text, error };
  }
}

for (const { number, sent, code, echo } of AUTOBAHN_CASES) {
  if (code === undefined && echo === undefined) continue;
  Deno.test(`case ${number} of the Autobahn list is answered with its close frame`, async () => {
    const link = new FakeLink([sent.slice()]);
    const { error } = await readAll(new WebConnection(link));
    const last = link.written.at(-1) as Uint8Array;
    const wanted = code ?? echo ?? undefined;
    const payload = wanted === undefined ? [] : [wanted >> 8, wanted & 0xff];
    assert.deepEqual([...last], [0x88, payload.length, ...payload]);
    assert.equal(error !== undefined, code !== undefined);
  });
}

Deno.test("the bytes of a stream pass both ways, and only the last ping of a read is answered", async () => {
  const link = new FakeLink([
    concatBytes([data("one "), ping("a"), data("two "), ping("b")]),
    ping("c"),
    data("three"),
  ]);
  const connection = new WebConnection(link);
  await connection.write(encoder.encode("hello"));
  assert.equal((await readAll(connection)).text, "one two three");
  assert.deepEqual(link.written.map((bytes) => decoder.decode(bytes.subarray(2))), [
    "hello",
    "b",
    "c",
  ]);
  assert.deepEqual(link.written.map((bytes) => bytes[0]), [0x82, 0x8a, 0x8a]);
});

Deno.test("a flood of pings ends the connection with the code of a broken policy", async () => {
  const floods = Array.from({ length: EMPTY_FRAMES_MAX + 1 }, () => ping("x"));
  const link = new FakeLink(floods);
  const { error } = await readAll(new WebConnection(link));
  assert.match(String(error), /hold no data/);
  assert.deepEqual([...link.written.at(-1) as Uint8Array], [0x88, 2, 0x03, 0xf0]);
});

/** A link whose peer takes nothing. */
class StuckLink extends LiveLink {
  writes = 0;

  override write(): Promise<void> {
    this.writes++;
    return new Promise(() => {});
  }
}

Deno.test("a peer that pings and does not read is not read on: nothing collects for it", async () => {
  const link = new StuckLink();
  const connection = new WebConnection(link);
  for (let n = 0; n < 100; n++) link.arrives(ping("x"));
  let settled = false;
  void connection.read().then(() => settled = true, () => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([settled, link.writes], [false, 1]);
  link.close();
});

Deno.test("a peer that breaks the rules and does not read is given up soon", async () => {
  const link = new StuckLink();
  link.arrives(Uint8Array.of(0xff, 0xff));
  const begun = performance.now();
  const { error } = await within(readAll(new WebConnection(link)), "the end", 10_000);
  assert.match(String(error), /reserved bits/);
  assert.ok(performance.now() - begun >= CLOSE_PATIENCE_MS - 50);
});

Deno.test("nothing is written behind a close frame, and a write does not come between another's bytes", async () => {
  const link = new FakeLink([webSocketFrame(OPCODES.close, Uint8Array.of(3, 232), KEY)]);
  const connection = new WebConnection(link);
  assert.equal(await connection.read(), null);
  await assert.rejects(connection.write(encoder.encode("late")), /closed/);
  assert.equal(link.written.length, 1);

  const slow = new SlowLink([ping("a"), ping("b"), data("x")]);
  const busy = new WebConnection(slow);
  await Promise.all([
    busy.write(encoder.encode("one")),
    readAll(busy),
    busy.write(encoder.encode("two")),
  ]);
  assert.equal(slow.overlaps, 0);
});

Deno.test("an end that the server decides on is said with a close frame, but not behind a write that hangs", async () => {
  const link = new FakeLink();
  const connection = new WebConnection(link);
  await connection.write(encoder.encode("bye"));
  connection.close();
  connection.close();
  assert.deepEqual([...link.written.at(-1) as Uint8Array], [0x88, 2, 0x03, 0xe8]);
  assert.deepEqual([link.written.length, link.closed], [2, true]);

  const stuck = new StuckLink();
  const hanging = new WebConnection(stuck);
  void hanging.write(encoder.encode("x")).catch(() => {});
  await Promise.resolve();
  hanging.close();
  assert.deepEqual([stuck.writes, stuck.closed], [1, true]);
});

/** A link whose writes take a turn each. */
class SlowLink extends FakeLink {
  overlaps = 0;
  #busy = false;

  override async write(bytes: Uint8Array): Promise<void> {
    if (this.#busy) this.overlaps++;
    this.#busy = true;
    await new Promise((resolve) => setTimeout(resolve));
    this.#busy = false;
    this.written.push(bytes.slice());
  }
}
