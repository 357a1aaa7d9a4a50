// Whatever bytes come: what reads them gives a value or throws an error that names whose fault it is. Never another
// error, never more memory than was sent. FUZZ_CASES=100000 tries more; a failure says its seed.

import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../shared/base/bytes.ts";
import { generateIdentity } from "../../shared/crypto/identity.ts";
import { CmdchatError, CryptoError } from "../../shared/base/errors.ts";
import { encodeFrame, FrameReader } from "../../shared/channel/frame.ts";
import { ClientHandshake, ServerHandshake } from "../../shared/channel/handshake.ts";
import { FRAME_MAX_BYTES } from "../../shared/base/limits.ts";
import {
  checkClientMessage,
  checkServerMessage,
  HANDSHAKE,
  HANDSHAKE_ANSWER,
} from "../../shared/messages/messages_v1.ts";
import { EVENTS, REQUESTS } from "../../shared/messages/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../shared/channel/record_cipher.ts";
import { decodeJson, encodeJson, EnvelopeV1 } from "../../shared/channel/envelope_v1.ts";
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
} from "../../shared/messages/codec_v2.ts";
import {
  casesFor,
  spoiled,
  spoiledJson,
  spoiledMessage,
  spoiledV2,
  V1_SAMPLES,
} from "../helpers/hostile/hostile_input.ts";
import { testRsa } from "../helpers/peers/v2_peer.ts";

/** The value, or undefined where an error of ours says what is wrong; any other error is thrown on. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CmdchatError) return undefined;
    throw error;
  }
}

async function attemptAsync<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof CmdchatError) return undefined;
    throw error;
  }
}

Deno.test("frames: any bytes in any pieces give frames within the limit, or a fault that stays", () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 5 });
  const frames = bodies.map((bodies) => concatBytes(bodies.map(encodeFrame)));
  const input = fc.oneof(spoiled(frames), fc.uint8Array({ maxLength: 300 }));
  fc.assert(
    fc.property(input, fc.infiniteStream(fc.integer({ min: 1, max: 64 })), (bytes, sizes) => {
      const reader = new FrameReader();
      let given = 0;
      for (let at = 0; at < bytes.length;) {
        const chunk = bytes.subarray(at, at += sizes.next().value);
        const bodies = attempt(() => [...reader.push(chunk)]);
        if (bodies === undefined) break;
        for (const { length } of bodies) {
          assert.ok(length >= 1 && length <= FRAME_MAX_BYTES);
          given += 4 + length;
        }
      }
      assert.ok(given <= bytes.length);
    }),
    { numRuns: casesFor(0.1) },
  );
});

Deno.test("v1: any JSON, and anything that is nearly JSON, is a message or a fault of the peer", () => {
  fc.assert(
    fc.property(spoiledJson(V1_SAMPLES), (bytes) => {
      const value = attempt(() => decodeJson(bytes));
      attempt(() => checkClientMessage(value));
      attempt(() => checkServerMessage(value));
      HANDSHAKE.safeParse(value);
      HANDSHAKE_ANSWER.safeParse(value);
    }),
    { numRuns: casesFor(0.1) },
  );
});

Deno.test("v1: an envelope with a fault never opens to anything else", () => {
  const wire = () => new EnvelopeV1(new Uint8Array(32).fill(7));
  const sealed = fc.constantFrom(...V1_SAMPLES).map((message) =>
    wire().seal([encodeJson(message)]).subarray(4)
  );
  const cases = sealed.chain((whole) => fc.tuple(fc.constant(whole), spoiled(fc.constant(whole))));
  fc.assert(
    fc.property(cases, ([whole, bytes]) => {
      const opened = attempt(() => wire().open(bytes));
      // White space and the like around the envelope's fields may differ; what is inside may not.
      if (opened !== undefined) assert.deepEqual(opened, wire().open(whole));
    }),
    { numRuns: casesFor(0.05) },
  );
});

const CODECS = [
  ["client", REQUESTS, (bytes: Uint8Array) => encodeRequest(decodeRequest(bytes))],
  ["server", EVENTS, (bytes: Uint8Array) => encodeEvent(decodeEvent(bytes))],
] as const;

for (const [name, rows, again] of CODECS) {
  Deno.test(`v2: what a ${name} may send is written back byte for byte, or is a fault of the peer`, () => {
    let read = 0;
    fc.assert(
      fc.property(spoiledMessage(rows), (make) => {
        const bytes = make({ id: 1, room: 1 });
        const written = attempt(() => again(bytes));
        if (written === undefined) return;
        read++;
        assert.deepEqual(Array.from(written), Array.from(bytes));
      }),
      { numRuns: casesFor(0.1) },
    );
    assert.ok(read > casesFor(0.1) / 20, `only ${read} got in: a fuzzer must get behind the door`);
  });
}

Deno.test("v2: any content of a record gives messages within the bound, or a fault of the peer", () => {
  const body = fc.uint8Array({ minLength: 1, maxLength: 300 });
  const content = fc.array(body, { minLength: 1, maxLength: 4 }).map((bodies) =>
    concatBytes(packBatches(bodies.map((body) => frameBody(body))).flat())
  );
  const record = fc.oneof(spoiled(content), fc.uint8Array({ maxLength: 50 }));
  fc.assert(
    fc.property(fc.array(record, { maxLength: 4 }), (contents) => {
      const reader = new BatchReader(1_000);
      for (const content of contents) {
        const bodies = attempt(() => reader.push(content));
        if (bodies === undefined) return;
        assert.ok(bodies.every(({ length }) => length >= 1 && length <= 1_000));
      }
    }),
    { numRuns: casesFor(0.1) },
  );
});

const CIPHERS = ["aes-256-gcm", "chacha20-poly1305"] as const;

function cipherPair(
  aead: typeof CIPHERS[number],
): { client: RecordCipher; server: RecordCipher } {
  const keys = () => ({
    aead,
    clientSecret: new Uint8Array(32).fill(1),
    serverSecret: new Uint8Array(32).fill(2),
    challenge: new Uint8Array(32),
  });
  const now = () => 0;
  return {
    client: new RecordCipher(keys(), { role: "client", now }),
    server: new RecordCipher(keys(), { role: "server", now }),
  };
}

Deno.test("v2: a record with a fault never opens, and nothing opens after it", () => {
  const cases = fc.tuple(fc.constantFrom(...CIPHERS), fc.uint8Array({ maxLength: 200 }))
    .chain(([aead, content]) => {
      const record = cipherPair(aead).client.seal([content]).subarray(4);
      return fc.tuple(fc.constant(aead), fc.constant(record), spoiled(fc.constant(record)));
    });
  fc.assert(
    fc.property(cases, ([aead, record, bytes]) => {
      const { client, server } = cipherPair(aead);
      const whole = bytes.length === record.length && bytes.every((byte, i) => byte === record[i]);
      assert.equal(attempt(() => server.open(bytes)) !== undefined, whole);
      if (whole) return;
      client.seal([]);
      assert.throws(() => server.open(client.seal([]).subarray(4)), CryptoError);
    }),
    { numRuns: casesFor(0.05) },
  );
});

Deno.test("v2: any first message gives a server keys or is a fault, and no answer for another is taken", async () => {
  const server = new ServerHandshake(await generateIdentity());
  const rsa = await testRsa();
  const sample = await ClientHandshake.start({ rsa });
  const { answer } = await server.receive(sample.firstMessage);
  const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
  await fc.assert(
    fc.asyncProperty(spoiledV2(parse(sample.firstMessage)), async (bytes) => {
      const session = await attemptAsync(server.receive(bytes));
      if (session !== undefined) assert.ok(session.answer.length > 0);
    }),
    { numRuns: casesFor(0.03) },
  );
  const refusal = { type: "handshake_error", reason: "bad_handshake", v2: { versions: [2, 2] } };
  const answers = fc.oneof(spoiledV2(parse(answer)), spoiledV2(refusal));
  await fc.assert(
    fc.asyncProperty(answers, async (bytes) => {
      const client = await ClientHandshake.start({ rsa });
      assert.equal(await attemptAsync(client.receive(bytes)), undefined);
    }),
    { numRuns: casesFor(0.02) },
  );
});
