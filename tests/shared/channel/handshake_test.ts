import assert from "node:assert/strict";
import { decodeBase64, encodeBase64 } from "../../../shared/base/base64.ts";
import fc from "fast-check";
import { supportedAeads } from "../../../shared/crypto/aead.ts";
import { generateIdentity, identityFromText } from "../../../shared/crypto/identity.ts";
import { loadKem } from "../../../shared/crypto/kem.ts";
import { generateRsaKeyPair } from "../../../shared/crypto/rsa.ts";
import { CmdchatError, CryptoError } from "../../../shared/base/errors.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { parseFingerprint } from "../../../shared/crypto/fingerprint.ts";
import {
  ClientHandshake,
  type ClientKeys,
  ServerHandshake,
} from "../../../shared/channel/handshake.ts";
import {
  IdentityError,
  isRefusalReason,
  refusalReasonFor,
} from "../../../shared/channel/handshake_error.ts";
import { encodeBusy, encodeRefusal, offersV2 } from "../../../shared/channel/handshake_messages.ts";
import type { SessionKeys } from "../../../shared/channel/key_schedule.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import {
  failureOf,
  fromHex,
  type HandshakeVectors,
  payloadOf,
  readVectors,
  toHex,
} from "../../helpers/peers/v2_vectors.ts";

const vectors = await readVectors<HandshakeVectors>("v2_handshake.json");
const pinned = parseFingerprint(vectors.server.fingerprint);
const utf8 = (text: string) => new TextEncoder().encode(text);
const json = (payload: Uint8Array) => JSON.parse(new TextDecoder().decode(payload));
const bodyOf = (frame: Uint8Array) => [...new FrameReader().push(frame)][0] as Uint8Array;

const rsa = await generateRsaKeyPair();
const identity = await generateIdentity();
const server = new ServerHandshake(identity);
const vectorKeys = await keysOfVectors();

async function keysOfVectors(): Promise<ClientKeys> {
  const { rsa_pkcs8_pem: pem, x25519_private: scalar, mlkem768_seed: seed } = vectors.client;
  const der = decodeBase64(pem.replaceAll(/-----.*-----|\s/g, "")) ?? new Uint8Array();
  const oaep = { name: "RSA-OAEP", hash: "SHA-256" };
  const { subtle } = crypto;
  const privateKey = await subtle.importKey("pkcs8", new Uint8Array(der), oaep, true, ["decrypt"]);
  const { kty, n, e } = await subtle.exportKey("jwk", privateKey);
  const jwk = { kty, n, e } as JsonWebKey;
  return {
    rsa: { privateKey, publicKey: await subtle.importKey("jwk", jwk, oaep, true, ["encrypt"]) },
    x25519: {
      publicKey: new Uint8Array(),
      privateKey: await crypto.subtle.importKey(
        "pkcs8",
        new Uint8Array(fromHex(`302e020100300506032b656e04220420${scalar}`)),
        "X25519",
        false,
        ["deriveBits"],
      ),
    },
    kem: await (await loadKem()).generate(fromHex(seed)),
  };
}

function clientOfVectors(firstMessage: Uint8Array, expected = pinned): ClientHandshake {
  return ClientHandshake.unsafeTestOnlyResume(vectorKeys, firstMessage, expected);
}

function ciphers(client: SessionKeys, ofServer: SessionKeys): [RecordCipher, RecordCipher] {
  const now = () => 0;
  return [
    new RecordCipher(client, { role: "client", now }),
    new RecordCipher(ofServer, { role: "server", now }),
  ];
}

Deno.test("both sides of a handshake get the same keys, and records go both ways", async () => {
  const client = await ClientHandshake.start({ rsa, expected: identity.fingerprint });
  assert.ok(offersV2(json(client.firstMessage)));
  const { answer, keys } = await server.receive(client.firstMessage);
  const session = await client.receive(answer);
  assert.equal(session.fingerprint, identity.fingerprint);
  assert.deepEqual(session.keys, keys);
  assert.equal(keys.aead, supportedAeads()[0]);
  const [ours, theirs] = ciphers(session.keys, keys);
  const up = theirs.open(bodyOf(ours.seal([utf8("up")])));
  const down = ours.open(bodyOf(theirs.seal([utf8("down")])));
  assert.deepEqual([up, down].map((text) => new TextDecoder().decode(text)), ["up", "down"]);
});

Deno.test("the first message says nothing about its sender: no name, room, token or renderer", async () => {
  const { firstMessage } = await ClientHandshake.start({ rsa });
  const message = json(firstMessage);
  assert.deepEqual(Object.keys(message), ["type", "public_key", "v2"]);
  assert.deepEqual(Object.keys(message.v2), ["versions", "aeads", "x25519", "mlkem768"]);
  assert.ok(firstMessage.length < 2_600, `${firstMessage.length} bytes`);
});

Deno.test("no two handshakes have a share or a key in common, even for the same first message", async () => {
  const { firstMessage } = await ClientHandshake.start({ rsa });
  const other = await ClientHandshake.start({ rsa });
  assert.notEqual(json(firstMessage).v2.x25519, json(other.firstMessage).v2.x25519);
  assert.notEqual(json(firstMessage).v2.mlkem768, json(other.firstMessage).v2.mlkem768);
  const [a, b] = await Promise.all([server.receive(firstMessage), server.receive(firstMessage)]);
  assert.notDeepEqual(a.keys.clientSecret, b.keys.clientSecret);
  const [first, second] = [json(a.answer), json(b.answer)];
  for (const field of ["x25519", "mlkem768", "signature"]) {
    assert.notEqual(first.v2[field], second.v2[field]);
  }
  assert.notEqual(first.encrypted_key, second.encrypted_key);
});

Deno.test("a handshake takes one answer: the second is a mistake of the program", async () => {
  const client = await ClientHandshake.start({ rsa });
  const { answer } = await server.receive(client.firstMessage);
  await client.receive(answer);
  await assert.rejects(client.receive(answer), TypeError);
});

Deno.test("an answer to another handshake is refused, also one to the same client", async () => {
  const [client, earlier] = await Promise.all([
    ClientHandshake.start({ rsa }),
    ClientHandshake.start({ rsa }),
  ]);
  const { answer } = await server.receive(earlier.firstMessage);
  await assert.rejects(client.receive(answer), {
    name: "CryptoError",
    message: "Cannot trust this server: its signature does not fit this handshake",
  });
});

Deno.test("a server with another identity is refused with both fingerprints", async () => {
  const [expected, client] = await Promise.all([
    generateIdentity().then(({ fingerprint }) => fingerprint),
    ClientHandshake.start({ rsa }),
  ]);
  const careful = await ClientHandshake.start({ rsa, expected });
  const { answer } = await server.receive(careful.firstMessage);
  await assert.rejects(careful.receive(answer), (error) => {
    assert.ok(error instanceof IdentityError);
    assert.ok(error.message.includes(expected));
    assert.ok(error.message.includes(identity.fingerprint));
    return true;
  });
  const free = await client.receive((await server.receive(client.firstMessage)).answer);
  assert.equal(free.fingerprint, identity.fingerprint);
});

Deno.test("--legacy is hinted at where v2 is missing, but not to who knows the server's fingerprint", async () => {
  const v1Answer = utf8('{"type":"handshake_ok","client_id":1,"room":"lobby","encrypted_key":""}');
  const hints: string[] = [];
  for (const expected of [undefined, identity.fingerprint]) {
    const client = await ClientHandshake.start({ rsa, expected });
    const error = await client.receive(v1Answer).catch((error) => error);
    assert.equal(failureOf(error), "no-v2");
    hints.push(error.hint);
  }
  assert.match(hints[0] ?? "", /--legacy/);
  assert.match(hints[1] ?? "", /someone may intercept the connection/);
});

Deno.test("a client is told a refusal in words of its own table", async () => {
  const client = await ClientHandshake.start({ rsa });
  await assert.rejects(client.receive(encodeRefusal("server_stopping")), {
    message: "Cannot open a session: the server refused, the server is stopping",
  });
});

Deno.test("a busy server names a pause of 0 to 30 s, and no other", async () => {
  const message = (pause: unknown) =>
    new TextEncoder().encode(JSON.stringify({
      type: "handshake_error",
      reason: "server_busy",
      v2: { versions: [2, 2], pause },
    }));
  const receive = async (answer: Uint8Array) => {
    const client = await ClientHandshake.start({ rsa });
    return await client.receive(answer);
  };
  assert.deepEqual(encodeBusy(1_500), message(1_500));
  for (const pauseMs of [0, 30_000]) {
    await assert.rejects(receive(message(pauseMs)), { name: "ServerBusyError", pauseMs });
  }
  for (const wrong of [-1, 30_001, 1.5, "1", null, undefined, [1]]) {
    await assert.rejects(receive(message(wrong)), { name: "HandshakeError", failure: "field" });
  }
});

for (const vector of vectors.sessions) {
  Deno.test(`the client's side of the vector ${vector.name}`, async () => {
    const client = clientOfVectors(bodyOf(fromHex(vector.first_frame)));
    if (!supportedAeads().includes(vector.aead)) return;
    const { keys, fingerprint } = await client.receive(bodyOf(fromHex(vector.answer_frame)));
    assert.equal(fingerprint, pinned);
    assert.equal(toHex(keys.clientSecret), vector.client_traffic_secret);
    assert.equal(toHex(keys.serverSecret), vector.server_traffic_secret);
    const cipher = new RecordCipher(keys, { role: "client", now: () => 0 });
    assert.equal(toHex(cipher.seal([utf8("hello from the client")])), vector.first_client_record);
    const opened = cipher.open(bodyOf(fromHex(vector.first_server_record)));
    assert.equal(new TextDecoder().decode(opened), "hello from the server");
  });
}

for (const vector of vectors.bad_first_messages) {
  Deno.test(`the server refuses, ${vector.failure}: ${vector.name}`, async () => {
    const error = await server.receive(payloadOf(vector)).catch((error) => error);
    assert.ok(error instanceof CmdchatError, String(error));
    assert.equal(failureOf(error), vector.failure, error.message);
    assert.ok(isRefusalReason(refusalReasonFor(error)));
  });
}

for (const vector of vectors.bad_answers) {
  Deno.test(`the client refuses, ${vector.failure}: ${vector.name}`, async () => {
    const client = clientOfVectors(utf8(vector.first_message ?? vectors.first_message));
    const error = await client.receive(payloadOf(vector)).catch((error) => error);
    assert.ok(error instanceof CmdchatError, String(error));
    assert.equal(failureOf(error), vector.failure, error.message);
    assert.doesNotMatch(`${error.message}${error.hint}`, /[\p{C}]/u);
  });
}

for (const vector of vectors.diverging_answers) {
  Deno.test(`the client gets other keys than the server: ${vector.name}`, async () => {
    const { keys } = await clientOfVectors(utf8(vectors.first_message)).receive(payloadOf(vector));
    for (const { client_traffic_secret, server_traffic_secret } of vectors.sessions) {
      assert.notEqual(toHex(keys.clientSecret), client_traffic_secret);
      assert.notEqual(toHex(keys.serverSecret), server_traffic_secret);
    }
  });
}

Deno.test("the identity of the vectors is what its PEM says", async () => {
  assert.equal((await identityFromText(vectors.server.identity_pem)).fingerprint, pinned);
});

Deno.test("two faults in one message are one refusal: nothing is rejected behind its back", async () => {
  const { firstMessage } = await ClientHandshake.start({ rsa });
  const message = json(firstMessage);
  message.v2.x25519 = encodeBase64(new Uint8Array(32));
  message.v2.mlkem768 = encodeBase64(new Uint8Array(1_184).fill(0xff));
  await assert.rejects(server.receive(utf8(JSON.stringify(message))), CryptoError);
});

Deno.test("whatever bit of the answer is changed, the client refuses or has other keys", async () => {
  const payload = bodyOf(fromHex(vectors.sessions[0]?.answer_frame ?? ""));
  await fc.assert(
    fc.asyncProperty(fc.nat(payload.length - 1), fc.nat(7), async (at, bit) => {
      const changed = Uint8Array.from(
        payload,
        (byte, index) => index === at ? byte ^ 1 << bit : byte,
      );
      const client = clientOfVectors(utf8(vectors.first_message));
      const result = await client.receive(changed).catch((error) => error);
      if (result instanceof CmdchatError) return;
      assert.notEqual(toHex(result.keys.clientSecret), vectors.sessions[0]?.client_traffic_secret);
    }),
    { numRuns: 300 },
  );
});

Deno.test("whatever bit of the first message is changed, server or client refuses", async () => {
  const client = await ClientHandshake.start({ rsa });
  const keys = { rsa, x25519: vectorKeys.x25519, kem: vectorKeys.kem };
  await fc.assert(
    fc.asyncProperty(fc.nat(client.firstMessage.length - 1), fc.nat(7), async (at, bit) => {
      const changed = Uint8Array.from(
        client.firstMessage,
        (byte, index) => index === at ? byte ^ 1 << bit : byte,
      );
      const answered = await server.receive(changed).catch((error) => error);
      if (answered instanceof CmdchatError) return;
      const resumed = ClientHandshake.unsafeTestOnlyResume(keys, client.firstMessage);
      await assert.rejects(resumed.receive(answered.answer), CryptoError);
    }),
    { numRuns: 200 },
  );
});

Deno.test("no bytes make a side do anything but refuse", async () => {
  const good = [
    utf8(vectors.first_message),
    bodyOf(fromHex(vectors.sessions[0]?.answer_frame ?? "")),
  ];
  const cut = fc.tuple(fc.constantFrom(...good), fc.nat(4_000), fc.uint8Array({ maxLength: 20 }))
    .map(([from, at, noise]) => Uint8Array.of(...from.subarray(0, at % from.length), ...noise));
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(utf8), cut);
  await fc.assert(
    fc.asyncProperty(bytes, async (payload) => {
      const client = clientOfVectors(utf8(vectors.first_message));
      for (const side of [server.receive(payload), client.receive(payload)]) {
        const error = await side.then(() => undefined, (error) => error);
        assert.ok(error instanceof CmdchatError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a frame that is longer than a handshake may be is refused before it is parsed", async () => {
  const padded = utf8(`${vectors.first_message}${" ".repeat(9_000)}`);
  assert.equal(failureOf(await server.receive(padded).catch((error) => error)), "limit");
  const within = utf8(vectors.first_message + " ".repeat(8_192 - vectors.first_message.length));
  assert.equal(bodyOf(encodeFrame(within)).length, 8_192);
  await server.receive(within);
});
