import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { WebSocketError } from "../../../shared/websocket/close_code.ts";
import { type Opcode, OPCODES, webSocketFrame } from "../../../shared/websocket/frame.ts";
import { EMPTY_FRAMES_MAX, WebSocketReader } from "../../../shared/websocket/frame_reader.ts";
import { AUTOBAHN_CASES } from "./autobahn_cases.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

interface Seen {
  data: string;
  pong?: string;
  code?: number;
  echo?: number | null;
}

/** What a server's reader makes of these pieces. */
function read(pieces: Iterable<Uint8Array>): Seen {
  const reader = new WebSocketReader({ masked: true });
  const seen: Seen = { data: "" };
  try {
    for (const piece of pieces) {
      seen.data += decoder.decode(reader.push(piece.slice()));
      const ping = reader.takePing();
      if (ping !== undefined) seen.pong = decoder.decode(ping);
    }
    if (reader.closed !== undefined) seen.echo = reader.closed.code ?? null;
  } catch (error) {
    if (!(error instanceof WebSocketError)) throw error;
    seen.code = error.code;
  }
  return seen;
}

for (const { number, sent, data, pong, code, echo } of AUTOBAHN_CASES) {
  Deno.test(`case ${number} of the Autobahn list ends as it must, one byte at a time`, () => {
    const expected: Seen = { data };
    if (pong !== undefined) expected.pong = pong;
    if (code !== undefined) expected.code = code;
    if (echo !== undefined) expected.echo = echo;
    assert.deepEqual(read(Array.from(sent, (byte) => Uint8Array.of(byte))), expected);
  });
}

for (const { number, sent, data, pong, code, echo } of AUTOBAHN_CASES) {
  Deno.test(`case ${number} of the Autobahn list ends as it must, in one piece`, () => {
    const seen = read([sent]);
    assert.deepEqual([seen.code, seen.echo], [code, echo]);
    // An error ends the piece that it is in; what came before it there is not handed on.
    if (code === undefined) assert.deepEqual([seen.data, seen.pong], [data, pong]);
  });
}

const frames = fc.array(
  fc.record({
    kind: fc.constantFrom("data", "ping", "pong"),
    payload: fc.uint8Array({ maxLength: 300 }),
    key: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    parts: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 30 },
);

Deno.test("frames give the same bytes however they are cut, masked and not", () => {
  fc.assert(fc.property(frames, fc.boolean(), fc.array(fc.nat(4_000)), (list, masked, cuts) => {
    const sent: Uint8Array[] = [];
    const expected: Uint8Array[] = [];
    for (const { kind, payload, key, parts } of list) {
      const keyed = masked ? key : undefined;
      if (kind !== "data") {
        sent.push(
          webSocketFrame(OPCODES[kind as "ping" | "pong"], payload.subarray(0, 125), keyed),
        );
        continue;
      }
      expected.push(payload);
      sent.push(...fragments(payload, parts, keyed));
    }
    const whole = concatBytes([new Uint8Array(0), ...sent]);
    const reader = new WebSocketReader({ masked });
    const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) =>
      a - b
    );
    const got = at.slice(1).map((end, n) => reader.push(whole.slice(at[n], end)).slice());
    assert.deepEqual(
      concatBytes([new Uint8Array(0), ...got]),
      concatBytes([new Uint8Array(0), ...expected]),
    );
  }));
});

/** One message in several frames. */
function fragments(payload: Uint8Array, count: number, key: Uint8Array | undefined): Uint8Array[] {
  const size = Math.ceil(payload.length / count);
  return Array.from({ length: count }, (_, n) => {
    const opcode: Opcode = n === 0 ? OPCODES.binary : OPCODES.continuation;
    const frame = webSocketFrame(opcode, payload.subarray(n * size, (n + 1) * size), key);
    if (n < count - 1) frame[0] = opcode;
    return frame;
  });
}

Deno.test("all data of one read are joined in place, without a copy", () => {
  const key = Uint8Array.of(1, 2, 3, 4);
  const chunk = concatBytes(
    ["one ", "two ", "three"].map((text) =>
      webSocketFrame(OPCODES.binary, encoder.encode(text), key)
    ),
  );
  const data = new WebSocketReader({ masked: true }).push(chunk);
  assert.equal(decoder.decode(data), "one two three");
  assert.ok(data.buffer === chunk.buffer);
});

Deno.test("random bytes never make a reader throw anything but a WebSocketError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, masked) => {
    const reader = new WebSocketReader({ masked });
    try {
      assert.ok(reader.push(bytes.slice()).length <= bytes.length);
    } catch (error) {
      assert.ok(error instanceof WebSocketError);
    }
  }));
});

Deno.test("a client's frame without a mask, and a server's with one, are refused", () => {
  const plain = webSocketFrame(OPCODES.binary, encoder.encode("x"));
  const masked = webSocketFrame(OPCODES.binary, encoder.encode("x"), new Uint8Array(4));
  assert.throws(() => new WebSocketReader({ masked: true }).push(plain), { code: 1002 });
  assert.throws(() => new WebSocketReader({ masked: false }).push(masked), { code: 1002 });
});

Deno.test("a length that is not in its shortest form, or beyond all bounds, is refused before its payload", () => {
  const headers: [number[], number][] = [
    [[0x82, 0xfe, 0, 125, 0, 0, 0, 0], 1002],
    [[0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], 1002],
    [[0x82, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], 1002],
    [[0x82, 0xff, 0x7f, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], 1009],
  ];
  for (const [header, code] of headers) {
    const reader = new WebSocketReader({ masked: true });
    assert.throws(() => reader.push(Uint8Array.from(header)), { code });
  }
});

Deno.test("frames without data are a flood once too many come in a row, and data ends the row", () => {
  const key = new Uint8Array(4);
  const empty = [
    webSocketFrame(OPCODES.ping, encoder.encode("x"), key),
    webSocketFrame(OPCODES.pong, new Uint8Array(0), key),
    webSocketFrame(OPCODES.binary, new Uint8Array(0), key),
  ];
  for (const frame of empty) {
    const reader = new WebSocketReader({ masked: true });
    for (let n = 0; n < EMPTY_FRAMES_MAX; n++) reader.push(frame.slice());
    reader.push(webSocketFrame(OPCODES.binary, encoder.encode("x"), key));
    for (let n = 0; n < EMPTY_FRAMES_MAX; n++) reader.push(frame.slice());
    assert.throws(() => reader.push(frame.slice()), { code: 1008 });
  }
});
