// Input at random for fuzzers: messages that nearly fit, and bytes that hardly do. Arbitraries of fast-check, so that a
// failure says its seed and shrinks.

import { encode } from "cborg";
import fc from "fast-check";
import type * as z from "zod";

const given = Deno.env.get("SEED");
if (given !== undefined) fc.configureGlobal({ seed: Number(given) | 0 });

/** Cases that the fuzzers try in all: FUZZ_CASES, 10,000 unless set. */
export const FUZZ_CASES = Number(Deno.env.get("FUZZ_CASES") ?? 10_000);

/** So many of all cases. */
export function casesFor(share: number): number {
  return Math.ceil(FUZZ_CASES * share);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Mutation = (bytes: Uint8Array) => Uint8Array;

const NUMBERS = [
  0,
  1,
  2,
  0x7f,
  0x80,
  0xff,
  0xffff,
  0x1_0000,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
];

function splice(bytes: Uint8Array, at: number, drop: number, add: Uint8Array): Uint8Array {
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + drop))];
  const whole = new Uint8Array(head.length + add.length + tail.length);
  whole.set(head);
  whole.set(add, head.length);
  whole.set(tail, head.length + add.length);
  return whole;
}

const place = fc.nat();
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(([at, bit]): Mutation => (bytes) =>
    bytes.map((byte, i) => i === at % bytes.length ? byte ^ 1 << bit : byte)
  ),
  place.map((at): Mutation => (bytes) => bytes.subarray(0, at % (bytes.length + 1))),
  fc.tuple(place, fc.uint8Array({ maxLength: 20 })).map(([at, more]): Mutation => (bytes) =>
    splice(bytes, at % (bytes.length + 1), 0, more)
  ),
  fc.tuple(place, fc.nat({ max: 40 })).map(([at, count]): Mutation => (bytes) => {
    const from = at % (bytes.length + 1);
    return splice(bytes, from, 0, bytes.subarray(from, from + count));
  }),
  fc.tuple(place, fc.constantFrom(...NUMBERS)).map(([at, value]): Mutation => (bytes) => {
    const number = new Uint8Array(4);
    new DataView(number.buffer).setUint32(0, value);
    return splice(bytes, at % (bytes.length + 1), 4, number);
  }),
);

/** `bytes` with a few faults, or none. */
export function spoiled(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(bytes, fc.array(mutation, { maxLength: 3 })).map(([bytes, mutations]) =>
    mutations.reduce((spoiled, mutate) => mutate(spoiled), bytes)
  );
}

const HOSTILE_TEXTS = [
  "",
  "\0",
  "\x1b[2J\x1b]52;c;AAAA\x07",
  "\u202e\u2028\ud800",
  "x".repeat(33),
  "y".repeat(70_000),
  "__proto__",
  "constructor",
  "../../etc/passwd",
];

const hostileJson = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1.5, 2 ** 53, -0, 1e308, [], {}, ...HOSTILE_TEXTS),
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer({ min: 1, max: 5_000 }).map((depth) =>
    JSON.parse("[".repeat(depth) + "]".repeat(depth))
  ),
);

/** JSON bytes of one of `messages` in which fields are missing, of another type, doubled or more. */
export function spoiledJson(messages: readonly object[]): fc.Arbitrary<Uint8Array> {
  const edited = fc.tuple(
    fc.constantFrom(...messages),
    fc.array(fc.tuple(place, fc.constantFrom("set", "drop", "add"), hostileJson), { maxLength: 2 }),
  ).map(([message, edits]) => {
    const fields = Object.entries(message);
    for (const [at, what, value] of edits) {
      const n = at % (fields.length + 1);
      if (what === "drop") fields.splice(n, 1);
      else if (what === "add") fields.push([String(at), value]);
      else if (fields[n] !== undefined) fields[n] = [fields[n][0], value];
    }
    return encoder.encode(JSON.stringify(Object.fromEntries(fields)));
  });
  return fc.oneof({ weight: 3, arbitrary: edited }, { weight: 1, arbitrary: spoiled(edited) });
}

/** JSON bytes of a handshake message in which something is wrong, most often inside `v2`. */
export function spoiledV2(message: object): fc.Arbitrary<Uint8Array> {
  const inside = spoiledJson([(message as { v2: object }).v2]).map((v2) =>
    encoder.encode(
      JSON.stringify({ ...message, v2: 0 }).replace('"v2":0', `"v2":${decoder.decode(v2)}`),
    )
  );
  return fc.oneof({ weight: 1, arbitrary: spoiledJson([message]) }, {
    weight: 2,
    arbitrary: inside,
  });
}

const file = { file_id: "f", filename: "a", filesize: 5, total_chunks: 1 };
const stamp = { client_id: 1, room: "lobby", timestamp: "2026-01-01T00:00:00.000Z" };

/** What clients of the old protocol send inside a session. */
export const V1_REQUESTS = [
  { type: "chat", message: "hi" },
  { type: "system", message: "x connected." },
  { type: "pong" },
  { type: "rename", name: "bob" },
  { type: "switch_room", room: "den" },
  { type: "file_init", ...file },
  { type: "file_chunk", file_id: "f", chunk_index: 0, chunk_data: "AQIDBAU=", is_final: true },
] as const;

/** Messages of the old protocol. */
export const V1_SAMPLES: readonly object[] = [
  ...V1_REQUESTS,
  { type: "chat", sender: "bob", message: "hi", sequence: 1, ...stamp },
  { type: "system", message: "bob joined the chat.", event: "joined", name: "bob", ...stamp },
  { type: "ping", timestamp: "now" },
  { type: "handshake", public_key: "x", name: "bob", room: "lobby", token: null },
  {
    type: "handshake_ok",
    client_id: 1,
    room: "lobby",
    heartbeat_interval: 15,
    nonce_size: 12,
    encrypted_key: "AAAA",
    limits: { message: 1, file: 1, rate: null },
  },
];

const filled = (length: number) => new Uint8Array(length).fill(5);
const POOL: readonly unknown[] = [
  0,
  1,
  2,
  3,
  5,
  12,
  1_000,
  70_000,
  2 ** 32,
  2 ** 53 - 1,
  -1,
  1.5,
  null,
  true,
  false,
  "a",
  "lobby",
  "bob",
  "x.txt",
  "here",
  "commit",
  "nothing",
  ...HOSTILE_TEXTS,
  ...[0, 1, 8, 16, 32, 64, 284, 40_000].map(filled),
  [],
  ["a"],
  [["lobby", 0]],
  [["den", 7], ["a", 1]],
  [filled(8)],
  [[1, "b", "here", 0, null]],
  { a: 1 },
];

/** What a field of a message is, until the session that it is sent in is known. */
export interface Known {
  /** Number of the next request. */
  readonly id: number;
  /** Number of a room that the client is in. */
  readonly room: number;
}

/** The CBOR of a message of these rows, most of whose fields fit; `id` and `room` mostly as the session has them. */
export function spoiledMessage(
  rows: Readonly<Record<string, z.ZodRawShape>>,
): fc.Arbitrary<(known: Known) => Uint8Array> {
  const kinds = Object.values(rows).map((shape, number) => ({
    number,
    fields: Object.entries(shape),
  }));
  const message = fc.constantFrom(...kinds).chain(({ number, fields }) =>
    fc.tuple(...fields.map(([name, schema]) => fieldOf(name, schema as z.ZodType)))
      .map((values) => (known: Known): Uint8Array => {
        const told = values.map((value) => typeof value === "function" ? value(known) : value);
        return encode([number, ...told]);
      })
  );
  return fc.tuple(message, fc.array(mutation, { maxLength: 2 }), fc.nat({ max: 3 }))
    .map(([make, mutations, soundness]) => (known) =>
      (soundness > 0 ? [] : mutations).reduce<Uint8Array>(
        (bytes, mutate) => mutate(bytes),
        make(known),
      )
    );
}

function fieldOf(name: string, schema: z.ZodType): fc.Arbitrary<unknown> {
  const fitting = POOL.filter((value) => schema.safeParse(value).success);
  const known = name === "id" || name === "room" ? [(known: Known) => known[name]] : fitting;
  return fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...(known.length > 0 ? known : POOL)) },
    { weight: 2, arbitrary: fc.constantFrom(...(fitting.length > 0 ? fitting : POOL)) },
    { weight: 1, arbitrary: fc.constantFrom(...POOL) },
  );
}
