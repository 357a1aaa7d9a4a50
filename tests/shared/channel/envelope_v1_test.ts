import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, createHash, privateDecrypt } from "node:crypto";
import fc from "fast-check";
import { decodeBase64 } from "../../../shared/base/base64.ts";
import { unwrapKey, wrapKey } from "../../../shared/crypto/rsa.ts";
import {
  CmdchatError,
  CryptoError,
  LimitError,
  ProtocolError,
} from "../../../shared/base/errors.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { FRAME_MAX_BYTES } from "../../../shared/base/limits.ts";
import {
  checkClientMessage,
  checkMessage,
  checkServerMessage,
  HANDSHAKE,
  HANDSHAKE_ANSWER,
} from "../../../shared/messages/messages_v1.ts";
import {
  decodeJson,
  encodeJson,
  EnvelopeV1,
  V1_KEY_BYTES,
  V1_PAYLOAD_MAX_BYTES,
} from "../../../shared/channel/envelope_v1.ts";
import { fromHex } from "../../helpers/peers/v2_vectors.ts";

interface Sealed {
  payload: Record<string, unknown>;
  nonce: string;
  ciphertext: string;
  frame_hex: string;
}
interface Plain {
  message: Record<string, unknown>;
  frame_hex: string;
}
interface Vectors {
  rsa_private_key_pkcs8_pem: string;
  session_key_hex: string;
  handshake: Plain;
  handshake_ok: Plain;
  handshake_errors: Plain[];
  client_to_server: Sealed[];
  server_to_client: Sealed[];
}

const vectors: Vectors = JSON.parse(
  await Deno.readTextFile(new URL("../../vectors/v1.json", import.meta.url)),
);
const key = new Uint8Array(fromHex(vectors.session_key_hex));
const wire = () => new EnvelopeV1(Uint8Array.from(key));
const DIRECTIONS = [
  { from: "client", cases: vectors.client_to_server, check: checkClientMessage },
  { from: "server", cases: vectors.server_to_client, check: checkServerMessage },
];

/** Opens a frame by the words of PROTOCOL.md, with nothing of shared/. */
async function openIndependently(frame: Uint8Array): Promise<unknown> {
  const length = Buffer.from(frame).readUInt32BE(0);
  assert.equal(frame.length, 4 + length);
  const envelope = JSON.parse(Buffer.from(frame.subarray(4)).toString());
  assert.deepEqual(Object.keys(envelope), ["type", "nonce", "ciphertext"]);
  assert.equal(envelope.type, "encrypted");
  const iv = Buffer.from(envelope.nonce, "base64");
  assert.equal(iv.length, 12);
  const gcm = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const sealed = Buffer.from(envelope.ciphertext, "base64");
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, gcm, sealed);
  return JSON.parse(Buffer.from(plain).toString());
}

function bodyOf(frame: Uint8Array): Uint8Array {
  const bodies = [...new FrameReader().push(frame)];
  assert.equal(bodies.length, 1);
  return bodies[0] as Uint8Array;
}

Deno.test("the vectors' copy is the one that was made independently", async () => {
  const bytes = await Deno.readFile(new URL("../../vectors/v1.json", import.meta.url));
  const digest = createHash("sha256").update(bytes).digest("hex");
  assert.equal(digest, "f6892f804be25aa159849ace47b62d9af29ac058100e0e4c237c9cbc5792d779");
});

for (const { from, cases, check } of DIRECTIONS) {
  for (const [at, { payload, nonce, ciphertext, frame_hex }] of cases.entries()) {
    const what = `${from}'s ${payload["type"]}, vector ${at + 1}`;
    const frame = fromHex(frame_hex);

    Deno.test(`the frame of a ${what}, is parsed and its ciphertext opened`, () => {
      assert.deepEqual(decodeJson(bodyOf(frame)), { type: "encrypted", nonce, ciphertext });
      const opened = wire().open(bodyOf(frame));
      assert.deepEqual(opened, payload);
      assert.deepEqual(check(opened), payload);
    });

    Deno.test(`what we write for a ${what}, opens with the same key elsewhere`, async () => {
      const sealed = wire().seal([encodeJson(check(payload))]);
      assert.deepEqual(await openIndependently(sealed), payload);
    });
  }
}

Deno.test("all frames of the vectors in one write, and one byte at a time, give the same payloads", () => {
  const cases = [...vectors.client_to_server, ...vectors.server_to_client];
  const bytes = Buffer.concat(cases.map(({ frame_hex }) => fromHex(frame_hex)));
  const expected = cases.map(({ payload }) => payload);
  for (const step of [bytes.length, 1]) {
    const [reader, opener] = [new FrameReader(), wire()];
    const opened: unknown[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      for (const body of reader.push(bytes.subarray(at, at + step))) opened.push(opener.open(body));
    }
    assert.deepEqual(opened, expected);
  }
});

Deno.test("the handshake frames of the vectors are parsed", () => {
  const { handshake, handshake_ok, handshake_errors } = vectors;
  const first = decodeJson(bodyOf(fromHex(handshake.frame_hex)));
  assert.deepEqual(first, handshake.message);
  assert.deepEqual(checkMessage(HANDSHAKE, first, "handshake"), handshake.message);
  for (const { message, frame_hex } of [handshake_ok, ...handshake_errors]) {
    const answer = decodeJson(bodyOf(fromHex(frame_hex)));
    assert.deepEqual(answer, message);
    const checked = checkMessage(HANDSHAKE_ANSWER, answer, "answer");
    for (const [field, value] of Object.entries(checked)) assert.deepEqual(value, message[field]);
  }
});

Deno.test("the key of the vectors is unwrapped, and what we wrap is unwrapped elsewhere", async () => {
  const pem = vectors.rsa_private_key_pkcs8_pem;
  const der = new Uint8Array(Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ""), "base64"));
  const oaep = { name: "RSA-OAEP", hash: "SHA-256" };
  const ours = await crypto.subtle.importKey("pkcs8", der, oaep, false, ["decrypt"]);
  const wrapped = decodeBase64(String(vectors.handshake_ok.message["encrypted_key"]));
  assert.deepEqual(await unwrapKey(ours, wrapped as Uint8Array), key);
  const options = { key: pem, oaepHash: "sha256", padding: constants.RSA_PKCS1_OAEP_PADDING };
  const elsewhere = privateDecrypt(
    options,
    wrapKey(String(vectors.handshake.message["public_key"]), key),
  );
  assert.deepEqual(new Uint8Array(elsewhere), key);
});

Deno.test("a batch is one frame for each payload, in order", async () => {
  const payloads = [{ type: "pong" }, { type: "chat", message: "hi 👋" }, { type: "pong" }];
  const out = wire().seal(payloads.map(encodeJson));
  const frames = [...new FrameReader().push(out)].map(encodeFrame);
  assert.deepEqual(await Promise.all(frames.map(openIndependently)), payloads);
  assert.equal(wire().seal([]).length, 0);
});

Deno.test("no nonce repeats, within a batch and over batches", () => {
  const sealing = wire();
  const payload = encodeJson({ type: "pong" });
  const batches = Array.from({ length: 4 }, () => sealing.seal(Array(200).fill(payload)));
  const nonces = batches.flatMap((batch) => [...new FrameReader().push(batch)])
    .map((body) => (decodeJson(body) as { nonce: string }).nonce);
  assert.equal(new Set(nonces).size, 800);
});

Deno.test("the largest payload fits one frame, and one byte more is refused with both numbers", () => {
  const opener = wire();
  const json = (size: number) => encodeJson("x".repeat(size - 2));
  const most = wire().seal([json(V1_PAYLOAD_MAX_BYTES)]);
  assert.ok(most.length - 4 <= FRAME_MAX_BYTES);
  assert.equal(String(opener.open(bodyOf(most))).length, V1_PAYLOAD_MAX_BYTES - 2);
  assert.throws(() => wire().seal([json(V1_PAYLOAD_MAX_BYTES + 1)]), {
    name: "LimitError",
    message: `Cannot send a message of ${V1_PAYLOAD_MAX_BYTES + 1} bytes: ` +
      `at most ${V1_PAYLOAD_MAX_BYTES} are allowed`,
  });
});

function envelope(changes: Record<string, unknown>): Uint8Array {
  const { nonce, ciphertext } = vectors.client_to_server[0] as Sealed;
  return encodeJson({ type: "encrypted", nonce, ciphertext, ...changes });
}

Deno.test("open() refuses what is no envelope, with the class of its fault", () => {
  const { nonce, ciphertext } = vectors.client_to_server[0] as Sealed;
  const format: Uint8Array[] = [
    encodeJson(null),
    encodeJson([]),
    encodeJson({ nonce, ciphertext }),
    Uint8Array.of(0xff),
    new TextEncoder().encode("{"),
    new TextEncoder().encode("[".repeat(60_000)),
    envelope({ type: "chat" }),
    envelope({ nonce: undefined }),
    envelope({ nonce: 5 }),
    envelope({ nonce: nonce.slice(4) }),
    envelope({ nonce: `${nonce.slice(0, 15)}=` }),
    envelope({ nonce: `${nonce.slice(0, 15)}-` }),
    envelope({ ciphertext: undefined }),
    envelope({ ciphertext: null }),
    envelope({ ciphertext: "" }),
    envelope({ ciphertext: ciphertext.slice(0, 20) }),
    envelope({ ciphertext: `${ciphertext}=` }),
    envelope({ ciphertext: ` ${ciphertext}` }),
    envelope({ ciphertext: ciphertext.replace(/=*$/, "") }),
  ];
  for (const body of format) {
    assert.throws(
      () => wire().open(body),
      ProtocolError,
      new TextDecoder().decode(body).slice(0, 80),
    );
  }
  const other = new EnvelopeV1(new Uint8Array(V1_KEY_BYTES));
  assert.throws(() => other.open(envelope({})), CryptoError);
  assert.deepEqual(wire().open(envelope({ later: 1 })), vectors.client_to_server[0]?.payload);
});

Deno.test("open() refuses a ciphertext or nonce with any bit changed, with one text", () => {
  const { nonce, ciphertext } = vectors.client_to_server[1] as Sealed;
  const flip = (text: string, at: number, bit: number) => {
    const bytes = Buffer.from(text, "base64");
    const index = at % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ 1 << bit;
    return bytes.toString("base64");
  };
  fc.assert(fc.property(fc.boolean(), fc.nat(), fc.nat(7), (ofNonce, at, bit) => {
    const changes = ofNonce
      ? { nonce: flip(nonce, at, bit), ciphertext }
      : { nonce, ciphertext: flip(ciphertext, at, bit) };
    assert.throws(() => wire().open(envelope(changes)), {
      name: "CryptoError",
      message: "Cannot open a message: it was changed on its way, or the keys differ",
    });
  }));
});

Deno.test("a payload that is no JSON is the peer's fault, and its text stays out of the error", () => {
  const sealing = wire();
  for (const payload of ["SECRETS", "", '{"a":"SECRETS']) {
    const body = bodyOf(sealing.seal([new TextEncoder().encode(payload)]));
    assert.throws(() => wire().open(body), (error) => {
      assert.ok(error instanceof ProtocolError);
      assert.ok(!`${error.message}${error.cause}${error.stack}`.includes("SECRETS"));
      return true;
    });
  }
});

Deno.test("whatever JSON is sealed comes out again, and no bytes do anything but fail as an error of ours", () => {
  const sealing = wire();
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const json = JSON.parse(JSON.stringify(value));
    assert.deepEqual(wire().open(bodyOf(sealing.seal([encodeJson(json)]))), json);
  }));
  const near = fc.record({
    type: fc.constant("encrypted"),
    nonce: fc.oneof(fc.base64String({ minLength: 16, maxLength: 16 }), fc.jsonValue()),
    ciphertext: fc.oneof(fc.base64String({ minLength: 24, maxLength: 60 }), fc.jsonValue()),
  });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.jsonValue().map(encodeJson),
    near.map(encodeJson),
  );
  fc.assert(
    fc.property(bytes, (body) => {
      try {
        wire().open(body);
        assert.fail("a forgery was opened");
      } catch (error) {
        assert.ok(error instanceof CmdchatError, String(error));
      }
    }),
    { numRuns: 10_000 },
  );
});

Deno.test("destroy() wipes the key", () => {
  const own = Uint8Array.from(key);
  new EnvelopeV1(own).destroy();
  assert.deepEqual(own, new Uint8Array(V1_KEY_BYTES));
  assert.throws(() => new EnvelopeV1(own).seal([new Uint8Array(FRAME_MAX_BYTES)]), LimitError);
});
