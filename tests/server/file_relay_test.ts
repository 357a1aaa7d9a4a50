import assert from "node:assert/strict";
import { FileRelay } from "../../server/file_relay.ts";
import { FILE_CHUNK_BYTES, FILE_TRANSFERS_PER_SENDER } from "../../shared/limits.ts";
import type { RequestOf } from "../../shared/messages_v2.ts";

const MAX = 10 * FILE_CHUNK_BYTES;

function offer(fields: Partial<RequestOf<"offer">> = {}): RequestOf<"offer"> {
  const size = fields.size ?? 2 * FILE_CHUNK_BYTES + 5;
  const chunks = Math.ceil(size / FILE_CHUNK_BYTES);
  return { kind: "offer", id: 1, room: 2, file: "f", filename: "a.bin", size, chunks, ...fields };
}

function chunk(index: number, fields: Partial<RequestOf<"chunk">> = {}): RequestOf<"chunk"> {
  const data = new Uint8Array(index === 2 ? 5 : FILE_CHUNK_BYTES);
  return { kind: "chunk", file: "f", index, data, last: index === 2, ...fields };
}

Deno.test("a file passes chunk by chunk, and then its id is free again", () => {
  const relay = new FileRelay(MAX);
  assert.equal(relay.open(offer()), undefined);
  for (const index of [0, 1, 2]) assert.equal(relay.chunk(chunk(index)), undefined);
  assert.match(relay.chunk(chunk(2)) ?? "", /no such file/);
  assert.equal(relay.open(offer()), undefined);
});

Deno.test("an offer is refused above the limit, empty, with chunks that do not fit, or twice", () => {
  const relay = new FileRelay(MAX);
  const refusals: [Partial<RequestOf<"offer">>, RegExp][] = [
    [{ size: MAX + 1 }, /^it has .*, at most .* are allowed$/],
    [{ size: 0 }, /empty/],
    [{ chunks: 2 }, /2 chunks do not make a file of/],
    [{ chunks: 0 }, /0 chunks/],
    [{ chunks: 4 }, /4 chunks/],
  ];
  for (const [fields, why] of refusals) assert.match(relay.open(offer(fields)) ?? "", why);
  assert.equal(relay.open(offer({ size: MAX })), undefined);
  assert.match(relay.open(offer()) ?? "", /on its way already/);
});

Deno.test("a server that takes no files says so", () => {
  assert.match(new FileRelay(0).open(offer()) ?? "", /takes no files/);
});

Deno.test("so many files at once and no more; clear() ends them all", () => {
  const relay = new FileRelay(MAX);
  for (let n = 0; n < FILE_TRANSFERS_PER_SENDER; n++) {
    assert.equal(relay.open(offer({ file: `f${n}` })), undefined);
  }
  assert.match(relay.open(offer()) ?? "", new RegExp(`at most ${FILE_TRANSFERS_PER_SENDER} files`));
  relay.clear();
  assert.match(relay.chunk(chunk(0, { file: "f0" })) ?? "", /no such file/);
  assert.equal(relay.open(offer()), undefined);
});

Deno.test("a chunk that is missing, comes twice, lies about its size or its end, ends the transfer", () => {
  const wrong: RequestOf<"chunk">[] = [
    chunk(1),
    chunk(0, { index: 7 }),
    chunk(0, { data: new Uint8Array(FILE_CHUNK_BYTES - 1) }),
    chunk(0, { last: true }),
    chunk(0, { data: new Uint8Array(0) }),
  ];
  for (const first of wrong) {
    const relay = new FileRelay(MAX);
    relay.open(offer());
    assert.match(relay.chunk(first) ?? "", /missing, came twice or has the wrong size/);
    assert.match(relay.chunk(chunk(0)) ?? "", /no such file/, "and with it the transfer is over");
  }
  const relay = new FileRelay(MAX);
  relay.open(offer());
  relay.chunk(chunk(0));
  assert.match(relay.chunk(chunk(0)) ?? "", /came twice/);
});

Deno.test("the last chunk has exactly what is left of the file", () => {
  for (const bytes of [4, 6]) {
    const relay = new FileRelay(MAX);
    relay.open(offer());
    relay.chunk(chunk(0));
    relay.chunk(chunk(1));
    assert.match(relay.chunk(chunk(2, { data: new Uint8Array(bytes) })) ?? "", /wrong size/);
  }
});

Deno.test("an empty last chunk gives a transfer up, and its receivers hear it", () => {
  const relay = new FileRelay(MAX);
  relay.open(offer());
  relay.chunk(chunk(0));
  assert.equal(relay.chunk(chunk(1, { data: new Uint8Array(0), last: true })), undefined);
  assert.match(relay.chunk(chunk(1)) ?? "", /no such file/);
});
