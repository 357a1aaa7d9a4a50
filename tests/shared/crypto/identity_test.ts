import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { ConfigError } from "../../../shared/base/errors.ts";
import { fingerprintOf } from "../../../shared/crypto/fingerprint.ts";
import {
  generateIdentity,
  identityFromText,
  identityToText,
  isSignedBy,
} from "../../../shared/crypto/identity.ts";

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

// RFC 8032 §7.1, test 1: the empty message.
const SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const SIGNATURE = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
const PEM = pemOf(`302e020100300506032b657004220420${SEED}`);

function pemOf(hex: string): string {
  const base64 = Buffer.from(hex, "hex").toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
}

Deno.test("identityFromText() and sign() give the key and the signature of RFC 8032", async () => {
  const identity = await identityFromText(PEM);
  assert.deepEqual(identity.publicKey, fromHex(PUBLIC));
  assert.equal(identity.fingerprint, fingerprintOf(fromHex(PUBLIC)));
  assert.deepEqual(identity.sign(new Uint8Array()), fromHex(SIGNATURE));
});

Deno.test("identityFromText() reads back what identityToText() wrote, character for character", async () => {
  const identity = await generateIdentity();
  const text = await identityToText(identity);
  const again = await identityFromText(text);
  assert.equal(again.fingerprint, identity.fingerprint);
  assert.equal(await identityToText(again), text);
});

Deno.test("identityFromText() accepts CRLF, blank lines around and a missing last line end", async () => {
  for (const text of [PEM.replaceAll("\n", "\r\n"), `\n${PEM}\n`, PEM.trimEnd()]) {
    assert.deepEqual((await identityFromText(text)).publicKey, fromHex(PUBLIC));
  }
});

Deno.test("identityFromText() rejects all else and repeats none of it", async () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
    .export({ format: "pem", type: "pkcs8" }).toString();
  const publicPem = `-----BEGIN PUBLIC KEY-----\n${
    Buffer.from(`302a300506032b6570032100${PUBLIC}`, "hex").toString("base64")
  }\n-----END PUBLIC KEY-----\n`;
  const texts = [
    "",
    "SECRETS",
    PEM.slice(0, 60),
    PEM.replace("MC4", "MC5"),
    PEM + PEM,
    PEM.replaceAll("PRIVATE", "SECRETS"),
    pemOf(`302e020100300506032b656e04220420${SEED}`), // X25519
    pemOf(`302e020100300506032b657004220420${SEED.slice(2)}`),
    pemOf(""),
    rsa,
    publicPem,
    " ".repeat(10_000),
  ];
  for (const text of texts) {
    await assert.rejects(identityFromText(text), (error) => {
      assert.ok(error instanceof ConfigError, text);
      assert.equal(
        error.message,
        "Cannot read the identity: it must be one Ed25519 private key as PKCS#8 PEM",
      );
      assert.ok(!String(error.cause).includes("SECRETS"));
      return true;
    });
  }
});

Deno.test("isSignedBy() accepts that key's signature over that message and no other", async () => {
  const [ours, other] = await Promise.all([generateIdentity(), generateIdentity()]);
  const message = new TextEncoder().encode("message");
  const signature = ours.sign(message);
  const { publicKey } = ours;
  assert.equal(await isSignedBy({ publicKey, signature }, message), true);
  assert.equal(await isSignedBy({ publicKey: other.publicKey, signature }, message), false);
  assert.equal(await isSignedBy({ publicKey, signature }, message.subarray(1)), false);
  for (const at of [0, 31, 32, 63]) {
    const changed = Uint8Array.from(signature, (byte, index) => index === at ? byte ^ 1 : byte);
    assert.equal(await isSignedBy({ publicKey, signature: changed }, message), false);
  }
});

Deno.test("isSignedBy() is false, not an error, for keys and signatures of wrong sizes", async () => {
  const identity = await generateIdentity();
  const message = new Uint8Array(3);
  const signature = identity.sign(message);
  for (const length of [0, 31, 33]) {
    const publicKey = new Uint8Array(length).fill(3);
    assert.equal(await isSignedBy({ publicKey, signature }, message), false);
  }
  for (const length of [0, 63, 65]) {
    const short = { publicKey: identity.publicKey, signature: new Uint8Array(length) };
    assert.equal(await isSignedBy(short, message), false);
  }
});

Deno.test("isSignedBy() rejects a signature whose scalar was raised by the group's order", async () => {
  // RFC 8032 §5.1.7: without this check there are two signatures for one message.
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const signature = fromHex(SIGNATURE);
  const littleEndian = (bytes: Uint8Array) =>
    BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const raised = (littleEndian(signature.subarray(32)) + order).toString(16).padStart(64, "0");
  signature.set(Buffer.from(raised, "hex").reverse(), 32);
  const publicKey = fromHex(PUBLIC);
  assert.equal(await isSignedBy({ publicKey, signature }, new Uint8Array()), false);
});

Deno.test("isSignedBy() rejects keys of small order, under which anyone can sign", async () => {
  const keys = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ];
  // R is the neutral element and S is zero: S*B = R + k*A holds for the neutral A, and by luck for others.
  const signature = new Uint8Array(64);
  signature[0] = 1;
  for (const key of keys) {
    for (let message = 0; message < 16; message++) {
      const forged = { publicKey: fromHex(key), signature };
      assert.equal(await isSignedBy(forged, Uint8Array.of(message)), false, key);
    }
  }
});
