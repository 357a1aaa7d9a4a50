import assert from "node:assert/strict";
import fc from "fast-check";
import { type AeadName, supportedAeads } from "../../../shared/crypto/aead.ts";
import { CmdchatError, CryptoError, LimitError } from "../../../shared/base/errors.ts";
import type { SessionKeys } from "../../../shared/channel/key_schedule.ts";
import {
  FRAME_MAX_BYTES,
  RECORD_MAX_BYTES,
  REKEY_MS,
  REKEY_RECORDS,
} from "../../../shared/base/limits.ts";
import { RECORD_MAX_CONTENT, RecordCipher } from "../../../shared/channel/record_cipher.ts";
import {
  failureOf,
  fromHex,
  readVectors,
  type RecordVectors,
  toHex,
} from "../../helpers/peers/v2_vectors.ts";

const vectors = await readVectors<RecordVectors>("v2_records.json");
const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
/** A record without its header, as FrameReader gives it. */
const bodyOf = (record: Uint8Array) => record.subarray(4);

function keysOf(aead: AeadName): SessionKeys {
  return {
    aead,
    clientSecret: fromHex(vectors.client_traffic_secret),
    serverSecret: fromHex(vectors.server_traffic_secret),
  };
}

interface PairOptions {
  readonly aead?: AeadName;
  readonly rekeyRecords?: number;
  readonly now?: () => number;
}

function makePair({ aead = "aes-256-gcm", now = () => 0, rekeyRecords }: PairOptions = {}) {
  const options = { now, ...(rekeyRecords === undefined ? {} : { rekeyRecords }) };
  return {
    client: new RecordCipher(keysOf(aead), { role: "client", ...options }),
    server: new RecordCipher(keysOf(aead), { role: "server", ...options }),
  };
}

for (const { aead, contents, records } of vectors.streams) {
  if (!supportedAeads().includes(aead)) continue;
  Deno.test(`records of the vectors are opened and sealed byte for byte, ${aead}`, () => {
    const options = { aead, rekeyRecords: vectors.rekey_records };
    const { client } = makePair(options);
    const { server } = makePair(options);
    for (const [at, record] of records.entries()) {
      assert.equal(toHex(client.seal([fromHex(contents[at] ?? "")])), record);
      assert.equal(toHex(server.open(bodyOf(fromHex(record)))), contents[at]);
    }
  });
}

for (const { name, aead, failure, records } of vectors.faults) {
  if (!supportedAeads().includes(aead)) continue;
  Deno.test(`a session ends, ${failure}: ${name}, ${aead}`, () => {
    const { server } = makePair({ aead, rekeyRecords: vectors.rekey_records });
    const bodies = records.map((record) => bodyOf(fromHex(record)));
    const last = bodies.pop() as Uint8Array;
    for (const body of bodies) server.open(body);
    // Without a number in the record, one out of order is to its receiver one that was changed.
    const expected = failure === "order" ? "auth" : failure;
    let error: unknown;
    try {
      server.open(last);
    } catch (thrown) {
      error = thrown;
    }
    assert.equal(failureOf(error), expected);
    for (const next of [() => server.seal([]), () => server.open(last)]) {
      assert.throws(next, { message: "Cannot use a session after it failed or was closed" });
    }
  });
}

Deno.test("a record that would have come next does not open after one that failed", () => {
  const { client, server } = makePair();
  const good = client.seal([utf8("a")]);
  const bad = Uint8Array.from(good, (byte, at) => at === 8 ? byte ^ 1 : byte);
  assert.throws(() => server.open(bodyOf(bad)), CryptoError);
  assert.throws(() => server.open(bodyOf(good)), CryptoError);
});

Deno.test("close() wipes the keys that were handed over, and may be called twice", () => {
  const keys = keysOf("aes-256-gcm");
  const cipher = new RecordCipher(keys, { role: "client", now: () => 0 });
  cipher.close();
  cipher.close();
  assert.deepEqual(keys.clientSecret, new Uint8Array(32));
  assert.deepEqual(keys.serverSecret, new Uint8Array(32));
  assert.throws(() => cipher.seal([]), CryptoError);
});

Deno.test("a record carries up to 65,515 bytes and refuses one more without harm to the session", () => {
  const { client, server } = makePair();
  assert.equal(RECORD_MAX_CONTENT, 65_515);
  const most = new Uint8Array(RECORD_MAX_CONTENT).fill(7);
  assert.throws(() => client.seal([most, Uint8Array.of(1)]), LimitError);
  assert.throws(() => client.seal([new Uint8Array(RECORD_MAX_CONTENT + 1)]), LimitError);
  const record = client.seal([most.subarray(0, 5), most.subarray(5)]);
  assert.equal(record.length, RECORD_MAX_BYTES);
  assert.ok(record.length - 4 <= FRAME_MAX_BYTES);
  assert.deepEqual(new Uint8Array(server.open(bodyOf(record))), most);
});

Deno.test("open() refuses a record above the maximum before it decrypts", () => {
  const { server } = makePair();
  assert.throws(() => server.open(new Uint8Array(RECORD_MAX_BYTES - 3)), LimitError);
});

Deno.test("a record is 21 bytes longer than what it carries, and says so in its header", () => {
  const { client } = makePair();
  for (const length of [0, 1, 300]) {
    const record = client.seal([new Uint8Array(length)]);
    assert.equal(record.length, length + 21);
    assert.equal(new DataView(record.buffer).getUint32(0), length + 17);
  }
});

Deno.test("the key moves on once after ten minutes of the given clock, each direction by its sender", () => {
  let now = 0;
  const { client, server } = makePair({ now: () => now });
  // Seals the same bytes when the key moves on with the third record, and not again with the fourth.
  const counting = makePair({ rekeyRecords: 3 }).client;
  const exchange = (word: string) => {
    const record = client.seal([utf8(word)]);
    assert.equal(toHex(record), toHex(counting.seal([utf8(word)])), word);
    assert.equal(text(server.open(bodyOf(record))), word);
  };
  assert.equal(REKEY_MS, 600_000);
  exchange("first");
  now = REKEY_MS - 1;
  exchange("still the first key");
  now = REKEY_MS;
  exchange("the last one under it");
  exchange("the second key");
  // The other direction has a key and a clock of its own.
  assert.equal(text(client.open(bodyOf(server.seal([utf8("down")])))), "down");
  assert.equal(text(client.open(bodyOf(server.seal([utf8("again")])))), "again");
});

Deno.test("the key moves on with the last record that is allowed under it, and never later", () => {
  assert.equal(REKEY_RECORDS, 2 ** 20);
  for (const rekeyRecords of [1, 2, 5]) {
    const { client, server } = makePair({ rekeyRecords });
    for (let count = 0; count < 4 * rekeyRecords; count++) {
      assert.equal(text(server.open(bodyOf(client.seal([utf8(`${count}`)])))), `${count}`);
    }
  }
});

Deno.test("no key stream repeats: not over rekeying, directions or sessions of other keys", () => {
  const zeros = new Uint8Array(32);
  const seen = new Set<string>();
  let now = 0;
  const { client, server } = makePair({ rekeyRecords: 7, now: () => now });
  for (let round = 0; round < 200; round++) {
    now += round % 50 === 49 ? REKEY_MS : 1;
    for (const [from, to] of [[client, server], [server, client]] as const) {
      const record = from.seal([zeros]);
      to.open(bodyOf(record));
      seen.add(toHex(record.subarray(5, 37)));
    }
  }
  assert.equal(seen.size, 400);
});

Deno.test("sessions do not disturb each other, although they share buffers", () => {
  const pairs = Array.from({ length: 5 }, (_, at) => makePair({ rekeyRecords: at + 2 }));
  for (let round = 0; round < 20; round++) {
    const sealed = pairs.map(({ client }, at) => client.seal([utf8(`${at} `), utf8(`${round}`)]));
    const opened = pairs.map(({ server }, at) => server.open(bodyOf(sealed[at] as Uint8Array)));
    assert.deepEqual(opened.map(text), pairs.map((_, at) => `${at} ${round}`));
  }
});

type Step = { readonly from: "client" | "server"; readonly text: string; readonly wait: number };
const steps = fc.array(
  fc.record<Step>({
    from: fc.constantFrom("client", "server"),
    text: fc.string({ maxLength: 40 }),
    wait: fc.constantFrom(0, 1, REKEY_MS - 1, REKEY_MS),
  }),
  { minLength: 1, maxLength: 30 },
);

Deno.test("whatever two sides send and however the clock goes, all arrives in order", () => {
  fc.assert(fc.property(steps, fc.integer({ min: 1, max: 6 }), (sent, rekeyRecords) => {
    let now = 0;
    const pair = makePair({ rekeyRecords, now: () => now });
    for (const { from, text: word, wait } of sent) {
      now += wait;
      const to = from === "client" ? pair.server : pair.client;
      assert.equal(text(to.open(bodyOf(pair[from].seal([utf8(word)])))), word);
    }
  }));
});

Deno.test("whatever an evil relay does to one record, the receiver notices and ends the session", () => {
  const attacks = fc.constantFrom("repeat", "drop", "swap", "reflect", "flip", "cut", "extend");
  fc.assert(fc.property(
    attacks,
    fc.nat(8),
    fc.nat(),
    fc.integer({ min: 1, max: 6 }),
    (attack, at, noise, rekeyRecords) => {
      const { client, server } = makePair({ rekeyRecords });
      const up = Array.from(
        { length: 10 },
        (_, count) => bodyOf(client.seal([utf8(`up ${count}`)])),
      );
      const down = Array.from({ length: 10 }, () => bodyOf(server.seal([utf8("down")])));
      const one = up[at] as Uint8Array;
      const forged: Record<typeof attack, Uint8Array> = {
        repeat: up[Math.max(0, at - 1)] as Uint8Array,
        drop: up[at + 1] as Uint8Array,
        swap: up[9] as Uint8Array,
        reflect: down[at] as Uint8Array,
        flip: Uint8Array.from(
          one,
          (byte, i) => i === noise % one.length ? byte ^ 1 << noise % 8 : byte,
        ),
        cut: one.subarray(0, noise % one.length),
        extend: Uint8Array.of(...one, noise & 0xff),
      };
      if (attack === "repeat" && at === 0) return;
      for (const body of up.slice(0, at)) server.open(body);
      assert.throws(() => server.open(forged[attack]), CmdchatError);
      assert.throws(() => server.open(one), CryptoError);
    },
  ));
});
