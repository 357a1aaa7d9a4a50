import assert from "node:assert/strict";
import {
  deriveSessionKeys,
  nextTrafficSecret,
  signatureInput,
  trafficKey,
  transcriptHash,
} from "../../../shared/channel/key_schedule.ts";
import type { ServerShare } from "../../../shared/channel/handshake_messages.ts";
import {
  fromHex,
  type HandshakeVectors,
  readVectors,
  toHex,
} from "../../helpers/peers/v2_vectors.ts";

const { sessions } = await readVectors<HandshakeVectors>("v2_handshake.json");

for (const vector of sessions) {
  const secrets = () => ({
    mlkem768: fromHex(vector.mlkem768_secret),
    x25519: fromHex(vector.x25519_secret),
    rsa: fromHex(vector.rsa_secret),
  });
  const frames = [fromHex(vector.first_frame), fromHex(vector.answer_frame)] as const;

  Deno.test(`the key schedule gives what an independent one gives, ${vector.name}`, () => {
    const transcript = transcriptHash(...frames);
    assert.equal(toHex(transcript), vector.transcript_hash);
    const keys = deriveSessionKeys(vector.aead, { transcript, secrets: secrets() });
    assert.equal(keys.aead, vector.aead);
    assert.equal(toHex(keys.clientSecret), vector.client_traffic_secret);
    assert.equal(toHex(keys.serverSecret), vector.server_traffic_secret);
    assert.equal(toHex(keys.challenge), vector.challenge);
    const [client, server] = [trafficKey(keys.clientSecret), trafficKey(keys.serverSecret)];
    assert.deepEqual([toHex(client.key), toHex(client.iv)], [vector.client_key, vector.client_iv]);
    assert.deepEqual([toHex(server.key), toHex(server.iv)], [vector.server_key, vector.server_iv]);
  });

  Deno.test(`deriveSessionKeys() depends on each secret and the transcript, ${vector.name}`, () => {
    const transcript = transcriptHash(...frames);
    const derive = (change: (from: ReturnType<typeof secrets>) => void, hash = transcript) => {
      const changed = secrets();
      change(changed);
      return toHex(
        deriveSessionKeys(vector.aead, { transcript: hash, secrets: changed }).clientSecret,
      );
    };
    const flip = (bytes: Uint8Array) => void (bytes[31] = (bytes[31] ?? 0) ^ 1);
    const all = [
      derive(() => {}),
      derive(({ mlkem768 }) => flip(mlkem768)),
      derive(({ x25519 }) => flip(x25519)),
      derive(({ rsa }) => flip(rsa)),
      derive(() => {}, transcriptHash(frames[1], frames[0])),
    ];
    assert.equal(new Set(all).size, all.length);
  });
}

Deno.test("deriveSessionKeys() wipes the secrets it was given", () => {
  const filled = () => new Uint8Array(32).fill(1);
  const secrets = { mlkem768: filled(), x25519: filled(), rsa: filled() };
  deriveSessionKeys("aes-256-gcm", { transcript: filled(), secrets });
  for (const secret of Object.values(secrets)) assert.deepEqual(secret, new Uint8Array(32));
});

Deno.test("nextTrafficSecret() goes on to new secrets and keys, the same for both sides", () => {
  let secret: Uint8Array = new Uint8Array(32).fill(1);
  const seen = new Set<string>();
  for (let step = 0; step < 50; step++) {
    const { key, iv } = trafficKey(secret);
    seen.add(toHex(key)).add(toHex(secret)).add(toHex(iv));
    assert.deepEqual(nextTrafficSecret(secret), nextTrafficSecret(secret));
    secret = nextTrafficSecret(secret);
  }
  assert.equal(seen.size, 150);
});

const SHARE: ServerShare = {
  version: 2,
  aead: "aes-256-gcm",
  x25519: new Uint8Array(32).fill(1),
  mlkem768: new Uint8Array(1_088).fill(2),
  identity: new Uint8Array(32).fill(3),
  encryptedKey: new Uint8Array(256).fill(4),
};

Deno.test("signatureInput() has the form of RFC 8446 §4.4.3 with a context of its own", () => {
  const input = signatureInput(new Uint8Array(5), SHARE);
  assert.equal(input.length, 64 + "cmdchat v2 server\0".length + 32);
  const text = new TextDecoder().decode(input.subarray(0, -32));
  assert.equal(text, `${" ".repeat(64)}cmdchat v2 server\0`);
});

Deno.test("signatureInput() is another one for every field that differs, also when bytes move between fields", () => {
  const frame = new TextEncoder().encode("frame");
  const inputs = [
    signatureInput(frame, SHARE),
    signatureInput(frame.subarray(1), SHARE),
    signatureInput(frame, { ...SHARE, version: 3 }),
    signatureInput(frame, { ...SHARE, aead: "chacha20-poly1305" }),
    signatureInput(frame, { ...SHARE, x25519: new Uint8Array(32) }),
    signatureInput(frame, { ...SHARE, mlkem768: new Uint8Array(1_088) }),
    signatureInput(frame, { ...SHARE, identity: new Uint8Array(32) }),
    signatureInput(frame, { ...SHARE, encryptedKey: new Uint8Array(256) }),
    signatureInput(frame, { ...SHARE, encryptedKey: new Uint8Array(257).fill(4) }),
    // The first byte of the share as the last of the frame.
    signatureInput(Uint8Array.of(...frame, 0), SHARE),
  ].map(toHex);
  assert.equal(new Set(inputs).size, inputs.length);
});
