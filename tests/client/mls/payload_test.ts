import assert from "node:assert/strict";
import {
  decodePayload,
  decodeText,
  encodePayload,
  type Payload,
} from "../../../client/mls/payload.ts";

const id = new Uint8Array(16).fill(1);
const key = new Uint8Array(32).fill(2);

const PAYLOADS: readonly Payload[] = [
  { kind: "hello", id },
  { kind: "confirm", id, topic: "what we talk about", pin: null },
  { kind: "pin", id, pin: [new Uint8Array(32), id, "bob", "soup at eight"] },
  { kind: "pin", id, pin: null },
  { kind: "text", id, text: "héllo\n名前", action: true, reply: id },
  { kind: "file", id, name: "a log.txt", size: 5, chunks: 1, hash: key, key, folder: false },
  { kind: "leaving", id },
  { kind: "move", id, secret: key },
  { kind: "direct", id, to: new Uint8Array(16), enc: key, sealed: new Uint8Array(40) },
  { kind: "revise", id, of: id, text: "héllo again" },
  { kind: "revise", id, of: id, text: null },
  { kind: "react", id, of: id, emoji: "👍", on: true },
  { kind: "topic", id, text: "" },
  { kind: "typing", id },
];

Deno.test("every payload is read as it was written; cut, longer or of another size it is refused", () => {
  for (const payload of PAYLOADS) {
    const body = encodePayload(payload);
    assert.deepEqual(decodePayload(body), payload);
    for (const wrong of [body.subarray(0, -1), new Uint8Array([...body, 0])]) {
      assert.throws(() => decodePayload(wrong), { name: "ProtocolError" });
    }
    const short = encodePayload({ ...payload, id: new Uint8Array(15) });
    assert.throws(() => decodePayload(short), { name: "ProtocolError" });
  }
});

Deno.test("a text or topic above every limit is refused", () => {
  const topic = "x".repeat(257);
  for (
    const payload of [
      { kind: "topic", text: topic },
      { kind: "confirm", topic, pin: null },
    ] as const
  ) {
    assert.throws(() => decodePayload(encodePayload({ ...payload, id })), {
      name: "ProtocolError",
    });
  }
  const long = encodePayload({
    kind: "text",
    id,
    text: "x".repeat(7 * 1024 + 1),
    action: false,
    reply: null,
  });
  assert.throws(() => decodePayload(long), { name: "ProtocolError" });
});

/** What is one text longer than its bound in bytes, although a string of it counts far fewer. */
const TEXTS: Readonly<Record<string, (text: string) => [max: number, payload: Payload]>> = {
  text: (text) => [7_168, { kind: "text", id, text, action: false, reply: null }],
  revise: (text) => [7_168, { kind: "revise", id, of: id, text }],
  topic: (text) => [256, { kind: "topic", id, text }],
  "topic of a confirm": (topic) => [256, { kind: "confirm", id, topic, pin: null }],
  file: (name) => [
    1_024,
    { kind: "file", id, name, size: 5, chunks: 1, hash: key, key, folder: false },
  ],
  react: (emoji) => [64, { kind: "react", id, of: id, emoji, on: true }],
  "name of a pin": (name) => [64, { kind: "pin", id, pin: [key, id, name, ""] }],
  "text of a pin": (text) => [1_024, { kind: "pin", id, pin: [key, id, "bob", text] }],
};

for (const [what, make] of Object.entries(TEXTS)) {
  Deno.test(`the size of a ${what} is counted in bytes, whatever its letters`, () => {
    for (const letter of ["x", "ü", "名", "👍"]) {
      const bytes = new TextEncoder().encode(letter).length;
      const [max] = make("");
      const [, fits] = make(letter.repeat(Math.floor(max / bytes)));
      assert.deepEqual(decodePayload(encodePayload(fits)), fits);
      const [, longer] = make(letter.repeat(Math.floor(max / bytes) + 1));
      assert.throws(() => decodePayload(encodePayload(longer)), { name: "ProtocolError" });
    }
  });
}

Deno.test("a text for one member alone has as many bytes as any", () => {
  const whole = new TextEncoder().encode("ü".repeat(3_584));
  assert.equal(decodeText(whole)?.length, 3_584);
  assert.equal(decodeText(new Uint8Array([...whole, 0x21])), undefined);
});

Deno.test("a text that says nothing is refused; a topic may be empty", () => {
  const about = { id, action: false, reply: null };
  assert.throws(() => decodePayload(encodePayload({ kind: "text", text: "", ...about })), {
    name: "ProtocolError",
  });
  assert.throws(() => decodePayload(encodePayload({ kind: "revise", id, of: id, text: "" })), {
    name: "ProtocolError",
  });
});
