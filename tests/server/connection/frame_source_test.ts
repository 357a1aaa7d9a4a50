import assert from "node:assert/strict";
import { FrameSource } from "../../../server/connection/frame_source.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";
import { encodeFrame } from "../../../shared/channel/frame.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { FakeLink } from "../../helpers/peers/relay.ts";

const frame = (length: number, fill = 7) => encodeFrame(new Uint8Array(length).fill(fill));

function sourceOf(...incoming: Uint8Array[]) {
  const [link, counters] = [new FakeLink(incoming), { bytesIn: 0 }];
  return { link, source: new FrameSource(link, counters), counters };
}

Deno.test("one() gives the first frame however it is cut, and undefined at the end", async () => {
  const whole = frame(300);
  const cut = Array.from(whole, (byte) => new Uint8Array([byte]));
  assert.equal((await sourceOf(...cut).source.one())?.length, 300);
  assert.equal(await sourceOf(whole.subarray(0, 20)).source.one(), undefined);
  assert.equal(await sourceOf().source.one(), undefined);
});

Deno.test("one() refuses what comes before it answered: a second frame, or the start of one", async () => {
  for (const more of [frame(1), new Uint8Array([0])]) {
    await assert.rejects(sourceOf(concatBytes([frame(5), more])).source.one(), ProtocolError);
  }
});

Deno.test("a length out of range ends the source, and its first bytes are kept for an answer", async () => {
  const { source } = sourceOf(new TextEncoder().encode("GET / HTTP/1.1"));
  await assert.rejects(source.one(), ProtocolError);
  assert.deepEqual(source.header, new TextEncoder().encode("GET "));
});

Deno.test("push() gives every frame of a busy link once, and counts each byte", async () => {
  const lengths = [1, 1_000, 60_000, 3, 65_536, 2];
  const bytes = concatBytes(lengths.map((length) => frame(length)));
  const { link, source, counters } = sourceOf(bytes.subarray(0, 50_000), bytes.subarray(50_000));
  const seen: number[] = [];
  for (let chunk = await link.read(); chunk !== null; chunk = await link.read()) {
    for (const { length } of source.push(chunk)) seen.push(length);
  }
  assert.deepEqual(seen, lengths);
  assert.equal(counters.bytesIn, lengths.reduce((a, b) => a + b + 4, 0));
});

Deno.test("hasSeveral() tells a read with more than one frame from one with a frame, a part of one, or the rest of one", () => {
  const { source } = sourceOf();
  const [one, two] = [frame(30), concatBytes([frame(30), frame(1)])];
  assert.equal(source.hasSeveral(one), false);
  assert.equal(source.hasSeveral(two), true);
  assert.equal(source.hasSeveral(two.subarray(0, 35)), true);
  for (const length of [0, 3, 4, 5, 34]) {
    assert.equal(source.hasSeveral(two.subarray(0, length)), false, `${length} bytes`);
  }
  // A part of a larger buffer, as reads are.
  assert.equal(source.hasSeveral(concatBytes([new Uint8Array(9), one]).subarray(9)), false);
  for (const start of [2, 20]) {
    const begun = sourceOf().source;
    assert.deepEqual([...begun.push(one.subarray(0, start))], []);
    assert.equal(begun.hasSeveral(one.subarray(start)), false);
  }
});
