import assert from "node:assert/strict";
import { FileTransfers } from "../../../server/session/file_transfers.ts";
import {
  FILE_CHUNK_BYTES,
  FILE_PULLS,
  FILE_SERVED_MAX,
  FILE_TRANSFERS_PER_SENDER,
} from "../../../shared/base/limits.ts";
import type { RequestOf } from "../../../shared/messages/messages_v2.ts";

const MAX = 10 * FILE_CHUNK_BYTES;

function offer(fields: Partial<RequestOf<"offer">> = {}): RequestOf<"offer"> {
  const size = fields.size ?? 2 * FILE_CHUNK_BYTES + 5;
  const chunks = Math.ceil(size / FILE_CHUNK_BYTES);
  const file = { file: "f", filename: "a.bin", size, chunks, hash: null };
  return { kind: "offer", id: 1, room: 2, ...file, ...fields };
}

function chunk(index: number, fields: Partial<RequestOf<"chunk">> = {}): RequestOf<"chunk"> {
  const data = new Uint8Array(index === 2 ? 5 : FILE_CHUNK_BYTES);
  return { kind: "chunk", file: "f", index, data, last: index === 2, ...fields };
}

Deno.test("a file passes chunk by chunk, and then its id is free again", () => {
  const relay = new FileTransfers(MAX);
  assert.equal(relay.open(offer()), undefined);
  for (const index of [0, 1, 2]) assert.equal(relay.chunk(chunk(index)), undefined);
  assert.match(relay.chunk(chunk(2)) ?? "", /no such file/);
  assert.equal(relay.open(offer()), undefined);
});

Deno.test("an offer is refused above the limit, empty, with chunks that do not fit, or twice", () => {
  const relay = new FileTransfers(MAX);
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
  assert.match(new FileTransfers(0).open(offer()) ?? "", /takes no files/);
});

Deno.test("so many files at once and no more; clear() ends them all", () => {
  const relay = new FileTransfers(MAX);
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
    const relay = new FileTransfers(MAX);
    relay.open(offer());
    assert.match(relay.chunk(first) ?? "", /missing, came twice or has the wrong size/);
    assert.match(relay.chunk(chunk(0)) ?? "", /no such file/, "and with it the transfer is over");
  }
  const relay = new FileTransfers(MAX);
  relay.open(offer());
  relay.chunk(chunk(0));
  assert.match(relay.chunk(chunk(0)) ?? "", /came twice/);
});

Deno.test("the last chunk has exactly what is left of the file", () => {
  for (const bytes of [4, 6]) {
    const relay = new FileTransfers(MAX);
    relay.open(offer());
    relay.chunk(chunk(0));
    relay.chunk(chunk(1));
    assert.match(relay.chunk(chunk(2, { data: new Uint8Array(bytes) })) ?? "", /wrong size/);
  }
});

Deno.test("an empty last chunk gives a transfer up, and its receivers hear it", () => {
  const relay = new FileTransfers(MAX);
  relay.open(offer());
  relay.chunk(chunk(0));
  assert.equal(relay.chunk(chunk(1, { data: new Uint8Array(0), last: true })), undefined);
  assert.match(relay.chunk(chunk(1)) ?? "", /no such file/);
});

function part(index: number, fields: Partial<RequestOf<"part">> = {}): RequestOf<"part"> {
  const data = new Uint8Array(index === 2 ? 5 : FILE_CHUNK_BYTES);
  return { kind: "part", to: 9, file: "f", index, data, ...fields };
}

function relayWith(chunks: number): FileTransfers {
  const relay = new FileTransfers(MAX);
  assert.equal(relay.open(offer()), undefined);
  for (let index = 0; index < chunks; index++) assert.equal(relay.chunk(chunk(index)), undefined);
  return relay;
}

const WANTED = { receiver: 9, file: "f", index: 0, count: 3 };

Deno.test("how far a file is, is known until it is given up, and when it is through as well", () => {
  const relay = relayWith(2);
  assert.equal(relay.progress("f")?.next, 2);
  assert.equal(relay.isThrough("f"), false);
  relay.chunk(chunk(2));
  assert.equal(relay.progress("f")?.next, 3);
  assert.ok(relay.isThrough("f"));
  assert.equal(relay.progress("g"), undefined);
  const given = relayWith(1);
  given.chunk(chunk(1, { data: new Uint8Array(), last: true }));
  assert.equal(given.progress("f"), undefined);
  assert.equal(given.pull(WANTED), undefined);
});

Deno.test("of files that are through, the last ones are known, and those on their way all", () => {
  const relay = new FileTransfers(MAX);
  relay.open(offer({ file: "open" }));
  for (let n = 0; n < FILE_SERVED_MAX + 2; n++) {
    relay.open(offer({ file: `f${n}`, size: 5 }));
    relay.chunk(chunk(0, { file: `f${n}`, data: new Uint8Array(5), last: true }));
  }
  assert.equal(relay.progress("f1"), undefined);
  assert.equal(relay.progress("f2")?.next, 1);
  assert.equal(relay.progress("open")?.next, 0);
});

Deno.test("only what went to the room is sent again, and nothing of a file that is not there", () => {
  const relay = relayWith(2);
  assert.equal(relay.pull(WANTED), 2);
  assert.equal(relay.pull({ ...WANTED, index: 1 }), 1);
  assert.equal(relay.pull({ ...WANTED, index: 2 }), 0);
  assert.equal(relay.pull({ ...WANTED, index: 2 ** 50 }), 0);
  assert.equal(relay.pull({ ...WANTED, file: "g" }), undefined);
});

Deno.test("a part passes once, to the one who asked, in the order and the size that fit", () => {
  const relay = relayWith(3);
  assert.equal(relay.part(part(0)), undefined, "nobody asked");
  relay.pull(WANTED);
  assert.equal(relay.part(part(0, { to: 8 })), undefined, "another did not");
  assert.equal(relay.part(part(0, { file: "g" })), undefined);
  assert.equal(relay.part(part(0, { data: new Uint8Array(7) })), undefined);
  assert.equal(relay.part(part(3, { data: new Uint8Array(5) })), undefined);
  assert.deepEqual(relay.part(part(0)), { last: false });
  assert.equal(relay.part(part(0)), undefined, "it has it");
  assert.deepEqual(relay.part(part(2)), { last: true });
  assert.equal(relay.part(part(1)), undefined, "behind what was passed");
  relay.pull({ ...WANTED, index: 1, count: 1 });
  assert.equal(relay.part(part(2)), undefined, "what is asked for last counts");
  assert.deepEqual(relay.part(part(1)), { last: false });
});

Deno.test("a sender that cannot send a part says so with no data, and that part of the asking is over", () => {
  const relay = relayWith(3);
  relay.pull(WANTED);
  assert.deepEqual(relay.part(part(0, { data: new Uint8Array() })), { last: true });
  assert.equal(relay.part(part(1)), undefined);
});

Deno.test("nobody is sent a file again without end", () => {
  const relay = relayWith(3);
  const most = 3 * FILE_PULLS.times + FILE_PULLS.chunks;
  for (let sent = 0; sent < most; sent++) {
    // What is asked for and lost on its way costs nobody anything.
    for (let again = 0; again < 5; again++) assert.equal(relay.pull(WANTED), 3);
    assert.deepEqual(relay.part(part(0)), { last: false });
  }
  assert.equal(relay.pull(WANTED), undefined);
  assert.equal(relay.pull({ ...WANTED, receiver: 8 }), 3, "others are not to blame");
});

Deno.test("so many receivers are remembered and no more", () => {
  const relay = relayWith(3);
  for (let receiver = 0; receiver <= FILE_PULLS.receivers; receiver++) {
    relay.pull({ ...WANTED, receiver });
  }
  assert.equal(relay.part(part(0, { to: 0 })), undefined);
  assert.deepEqual(relay.part(part(0, { to: FILE_PULLS.receivers })), { last: false });
});

Deno.test("another process goes on with the files of this one", () => {
  const next = new FileTransfers(MAX);
  next.restore(relayWith(1).state);
  assert.equal(next.progress("f")?.room, 2);
  assert.match(next.open(offer()) ?? "", /on its way already/);
  assert.equal(next.chunk(chunk(1)), undefined);
  assert.equal(next.pull(WANTED), 2);
  assert.equal(next.chunk(chunk(2)), undefined);
});
