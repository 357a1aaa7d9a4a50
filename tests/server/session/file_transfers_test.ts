import assert from "node:assert/strict";
import { FileTransfers } from "../../../server/session/file_transfers.ts";
import {
  FILE_CHUNK_BYTES,
  FILE_PULLS,
  FILE_RECEIPTS_MAX,
  FILE_SERVED_MAX,
  FILE_TRANSFERS_PER_SENDER,
} from "../../../shared/base/limits.ts";
import type { FileReceipt, RequestOf } from "../../../shared/messages/messages_v2.ts";

const NOBODY = { tell: () => {} };

const PUSHED = { pushed: true };
const MAX = 10 * FILE_CHUNK_BYTES;

function offer(fields: Partial<RequestOf<"offer">> = {}): RequestOf<"offer"> {
  const size = fields.size ?? 2 * FILE_CHUNK_BYTES + 5;
  const chunks = Math.ceil(size / FILE_CHUNK_BYTES);
  const file = { file: "f", filename: "a.bin", size, chunks, hash: null, to: 0, folder: false };
  return { kind: "offer", id: 1, room: 2, ...file, ...fields };
}

function chunk(index: number, fields: Partial<RequestOf<"chunk">> = {}): RequestOf<"chunk"> {
  const data = new Uint8Array(index === 2 ? 5 : FILE_CHUNK_BYTES);
  return { kind: "chunk", file: "f", index, data, last: index === 2, ...fields };
}

Deno.test("a file passes chunk by chunk, and then its id is free again", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  assert.equal(relay.open(offer(), PUSHED), undefined);
  for (const index of [0, 1, 2]) assert.equal(relay.chunk(chunk(index)), undefined);
  assert.match(relay.chunk(chunk(2)) ?? "", /no such file/);
  assert.equal(relay.open(offer(), PUSHED), undefined);
});

Deno.test("an offer is refused above the limit, empty, with chunks that do not fit, or twice", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  const refusals: [Partial<RequestOf<"offer">>, RegExp][] = [
    [{ size: MAX + 1 }, /^it has .*, at most .* are allowed$/],
    [{ size: 0 }, /empty/],
    [{ chunks: 2 }, /2 chunks do not make a file of/],
    [{ chunks: 0 }, /0 chunks/],
    [{ chunks: 4 }, /4 chunks/],
  ];
  for (const [fields, why] of refusals) assert.match(relay.open(offer(fields), PUSHED) ?? "", why);
  assert.equal(relay.open(offer({ size: MAX }), PUSHED), undefined);
  assert.match(relay.open(offer(), PUSHED) ?? "", /on its way already/);
});

Deno.test("a file that is asked for may be empty, and then has no chunk", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  const empty = { size: 0, chunks: 0 };
  assert.equal(relay.open(offer(empty), { pushed: false }), undefined);
  assert.match(relay.open(offer({ size: 0, chunks: 1 }), { pushed: false }) ?? "", /1 chunks/);
});

Deno.test("a server that takes no files says so", () => {
  assert.match(new FileTransfers(0, NOBODY).open(offer(), PUSHED) ?? "", /takes no files/);
});

Deno.test("so many files at once and no more; clear() ends them all", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  for (let n = 0; n < FILE_TRANSFERS_PER_SENDER; n++) {
    assert.equal(relay.open(offer({ file: `f${n}` }), PUSHED), undefined);
  }
  assert.match(
    relay.open(offer(), PUSHED) ?? "",
    new RegExp(`at most ${FILE_TRANSFERS_PER_SENDER} files`),
  );
  relay.clear();
  assert.match(relay.chunk(chunk(0, { file: "f0" })) ?? "", /no such file/);
  assert.equal(relay.open(offer(), PUSHED), undefined);
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
    const relay = new FileTransfers(MAX, NOBODY);
    relay.open(offer(), PUSHED);
    assert.match(relay.chunk(first) ?? "", /missing, came twice or has the wrong size/);
    assert.match(relay.chunk(chunk(0)) ?? "", /no such file/, "and with it the transfer is over");
  }
  const relay = new FileTransfers(MAX, NOBODY);
  relay.open(offer(), PUSHED);
  relay.chunk(chunk(0));
  assert.match(relay.chunk(chunk(0)) ?? "", /came twice/);
});

Deno.test("the last chunk has exactly what is left of the file", () => {
  for (const bytes of [4, 6]) {
    const relay = new FileTransfers(MAX, NOBODY);
    relay.open(offer(), PUSHED);
    relay.chunk(chunk(0));
    relay.chunk(chunk(1));
    assert.match(relay.chunk(chunk(2, { data: new Uint8Array(bytes) })) ?? "", /wrong size/);
  }
});

Deno.test("an empty last chunk gives a transfer up, and its receivers hear it", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  relay.open(offer(), PUSHED);
  relay.chunk(chunk(0));
  assert.equal(relay.chunk(chunk(1, { data: new Uint8Array(0), last: true })), undefined);
  assert.match(relay.chunk(chunk(1)) ?? "", /no such file/);
});

function part(index: number, fields: Partial<RequestOf<"part">> = {}): RequestOf<"part"> {
  const data = new Uint8Array(index === 2 ? 5 : FILE_CHUNK_BYTES);
  return { kind: "part", to: [9], file: "f", index, data, ...fields };
}

function served(): FileTransfers {
  const relay = new FileTransfers(MAX, NOBODY);
  assert.equal(relay.open(offer(), { pushed: false }), undefined);
  return relay;
}

/** Who gets a part. */
function receivers(relay: FileTransfers, request: RequestOf<"part">): readonly number[] {
  return relay.part(request)?.clients ?? [];
}

Deno.test("what a receiver says passes where it was offered the file, no repeats, and a few times", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  relay.open(offer(), { pushed: false, to: [9] });
  const about = { room: 2, name: "bob", time: 0 };
  const says = (state: FileReceipt, client = 9, file = "f") =>
    relay.receipt({ kind: "receipt", ...about, client, file, state });
  assert.equal(says("accepted"), true);
  assert.equal(says("accepted"), false, "a repeat");
  assert.equal(says("saved", 8), false, "not offered to it");
  assert.equal(says("saved", 9, "g"), false, "no such file");
  assert.equal(says("saved"), true);
  assert.deepEqual(relay.receipts.map(({ client, state }) => [client, state]), [[9, "saved"]]);
  relay.pull({ ...WANTED, receiver: 8 });
  assert.equal(says("saved", 8), true, "who asked for chunks heard of it on another server");
  const passed = Array.from(
    { length: 20 },
    (_, n) => says(n % 2 === 0 ? "accepted" : "failed"),
  );
  assert.equal(passed.filter(Boolean).length, FILE_RECEIPTS_MAX - 2);
  relay.open(offer({ file: "pushed" }), PUSHED);
  assert.equal(says("saved", 9, "pushed"), false, "a v1 sender takes none");
});

Deno.test("of a file's receivers the last ones that said something are known, and no more", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  const most = FILE_PULLS.receivers;
  relay.open(offer(), { pushed: false, to: Array.from({ length: most + 5 }, (_, n) => n + 1) });
  for (let client = 1; client <= most + 5; client++) {
    relay.receipt({
      kind: "receipt",
      room: 2,
      client,
      name: "x",
      time: 0,
      file: "f",
      state: "saved",
    });
  }
  assert.equal(relay.receipts.length, most);
});

const WANTED = {
  receiver: 9,
  file: "f",
  index: 0,
  count: 3,
  source: "192.0.2.9",
  sharers: 1,
};

Deno.test("a file that receivers ask for cannot be pushed, but be given up", () => {
  const relay = served();
  assert.match(relay.chunk(chunk(0)) ?? "", /its receivers ask for its chunks/);
  assert.equal(relay.roomOf("f"), 2);
  assert.equal(relay.chunk(chunk(0, { data: new Uint8Array(), last: true })), undefined);
  assert.equal(relay.roomOf("f"), undefined);
  assert.equal(relay.pull(WANTED), undefined);
});

Deno.test("nothing can be asked of a file that is pushed, or that is not there", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  relay.open(offer(), PUSHED);
  assert.equal(relay.pull(WANTED), undefined);
  assert.equal(relay.pull({ ...WANTED, file: "g" }), undefined);
});

Deno.test("the last offers of a sender are known, and files that are being pushed all", () => {
  const relay = new FileTransfers(MAX, NOBODY);
  relay.open(offer({ file: "open" }), PUSHED);
  const most = FILE_TRANSFERS_PER_SENDER + FILE_SERVED_MAX;
  for (let n = 0; n < most + 2; n++) relay.open(offer({ file: `f${n}` }), { pushed: false });
  assert.equal(relay.roomOf("f1"), undefined);
  assert.equal(relay.roomOf("f2"), 2);
  assert.equal(relay.roomOf("open"), 2);
});

Deno.test("a receiver is granted the chunks that the file has", () => {
  const relay = served();
  assert.equal(relay.pull(WANTED), 3);
  assert.equal(relay.pull({ ...WANTED, index: 1 }), 2);
  assert.equal(relay.pull({ ...WANTED, index: 3 }), 0);
  assert.equal(relay.pull({ ...WANTED, index: 2 ** 50 }), 0);
});

Deno.test("a part passes once, to those who asked, in the order and the size that fit", () => {
  const relay = served();
  assert.deepEqual(receivers(relay, part(0)), [], "nobody asked");
  relay.pull(WANTED);
  relay.pull({ ...WANTED, receiver: 7 });
  assert.deepEqual(receivers(relay, part(0, { to: [8] })), [], "another did not");
  assert.deepEqual(receivers(relay, part(0, { file: "g" })), []);
  assert.deepEqual(receivers(relay, part(0, { data: new Uint8Array(7) })), []);
  assert.deepEqual(receivers(relay, part(3, { data: new Uint8Array(5) })), []);
  assert.deepEqual(relay.part(part(0, { to: [9, 8, 7, 9] })), {
    room: 2,
    clients: [9, 7],
    last: false,
  });
  assert.deepEqual(receivers(relay, part(0)), [], "it has it");
  assert.equal(relay.part(part(2))?.last, true);
  assert.deepEqual(receivers(relay, part(1)), [], "behind what was passed");
});

Deno.test("a question that begins where the last one ended adds to it, any other replaces it", () => {
  const relay = served();
  relay.pull({ ...WANTED, count: 1 });
  relay.pull({ ...WANTED, index: 1, count: 1 });
  assert.deepEqual(receivers(relay, part(0)), [9]);
  assert.deepEqual(receivers(relay, part(1)), [9]);
  relay.pull({ ...WANTED, count: 3 });
  relay.pull({ ...WANTED, index: 1, count: 1 });
  assert.deepEqual(receivers(relay, part(0)), []);
  assert.deepEqual(receivers(relay, part(2)), []);
  assert.deepEqual(receivers(relay, part(1)), [9]);
  relay.pull(WANTED);
  relay.pull({ ...WANTED, index: 0, count: 0 });
  assert.deepEqual(receivers(relay, part(0)), [], "asked for no longer");
});

Deno.test("a sender that cannot send a part says so with no data, and that part of the asking is over", () => {
  const relay = served();
  relay.pull(WANTED);
  assert.equal(relay.part(part(0, { data: new Uint8Array() }))?.last, true);
  assert.deepEqual(receivers(relay, part(1)), []);
});

Deno.test("nobody is sent a file without end", () => {
  const relay = served();
  const most = 3 * FILE_PULLS.times + FILE_PULLS.chunks;
  for (let sent = 0; sent < most; sent++) {
    // What is asked for and lost on its way costs nobody anything.
    for (let again = 0; again < 5; again++) assert.equal(relay.pull(WANTED), 3);
    assert.deepEqual(receivers(relay, part(0)), [9]);
  }
  assert.equal(relay.pull(WANTED), undefined);
  assert.equal(relay.pull({ ...WANTED, receiver: 10 }), undefined, "nor as somebody new");
  assert.equal(relay.pull({ ...WANTED, sharers: 2 }), 3, "two of that address have two shares");
  const other = { ...WANTED, receiver: 8, source: "192.0.2.8" };
  assert.equal(relay.pull(other), 3, "others are not to blame");
});

Deno.test("many addresses cannot have it forgotten how much another one was sent", () => {
  const relay = served();
  const most = 3 * FILE_PULLS.times + FILE_PULLS.chunks;
  const sendOne = (source: string) => {
    relay.pull({ ...WANTED, source });
    relay.part(part(0));
  };
  for (let sent = 0; sent < most; sent++) sendOne(WANTED.source);
  for (let n = 0; n < FILE_PULLS.receivers + 10; n++) sendOne(`2001:db8:0:${n.toString(16)}::/64`);
  assert.equal(relay.pull(WANTED), undefined);
});

Deno.test("so many receivers are remembered and no more", () => {
  const relay = served();
  for (let receiver = 0; receiver <= FILE_PULLS.receivers; receiver++) {
    relay.pull({ ...WANTED, receiver });
  }
  assert.deepEqual(receivers(relay, part(0, { to: [0, FILE_PULLS.receivers] })), [
    FILE_PULLS.receivers,
  ]);
});

Deno.test("another process goes on with the files that receivers ask for", () => {
  const next = new FileTransfers(MAX, NOBODY);
  next.restore(served().state);
  assert.equal(next.roomOf("f"), 2);
  assert.equal(next.pull(WANTED), 3);
});
