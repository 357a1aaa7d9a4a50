import assert from "node:assert/strict";
import { constants, createPublicKey, generateKeyPairSync, privateDecrypt } from "node:crypto";
import {
  generateRsaKeyPair,
  publicKeyToPem,
  unwrapKey,
  wrapKey,
} from "../../../shared/crypto/rsa.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";

const pair = await generateRsaKeyPair();
const SECRET = new Uint8Array(32);

/** A value of DER of more than 127 bytes. */
function der(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const body = parts.flatMap((part) => [...part]);
  const { length } = body;
  const size = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return new Uint8Array([tag, ...size, ...body]);
}

/** A public key with a modulus of `bits`, whose factors nobody knows: to find two that are prime takes seconds. */
function pemOf(bits: number): string {
  const modulus = crypto.getRandomValues(new Uint8Array(Math.ceil(bits / 8)));
  const top = 1 << (bits - 1) % 8;
  modulus[0] = top | (modulus[0] ?? 0) & (top - 1);
  modulus[modulus.length - 1] = 1 | (modulus.at(-1) ?? 0);
  // A number whose first bit is set would be negative.
  const integer = der(0x02, top === 128 ? [0] : [], modulus);
  const key = der(0x30, integer, [0x02, 3, 1, 0, 1]);
  const rsaEncryption = [0x30, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0];
  const spki = der(0x30, rsaEncryption, der(0x03, [0], key));
  return `-----BEGIN PUBLIC KEY-----\n${spki.toBase64()}\n-----END PUBLIC KEY-----\n`;
}

Deno.test("wrapKey() and unwrapKey() carry a secret through the PEM text of the key", async () => {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const wrapped = wrapKey(await publicKeyToPem(pair.publicKey), secret);
  assert.equal(wrapped.length, 256);
  assert.deepEqual(await unwrapKey(pair.privateKey, wrapped), secret);
});

Deno.test("publicKeyToPem() writes the same text as the runtime's encoder", async () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const oaep = { name: "RSA-OAEP", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("spki", new Uint8Array(spki), oaep, true, ["encrypt"]);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  assert.equal(await publicKeyToPem(key), pem);
});

Deno.test("wrapKey() accepts CRLF line ends and a missing last line end", async () => {
  const pem = await publicKeyToPem(pair.publicKey);
  wrapKey(pem.replaceAll("\n", "\r\n"), SECRET);
  wrapKey(pem.trimEnd(), SECRET);
});

Deno.test("what wrapKey() makes is opened by the runtime's OAEP, for keys of every size, and is never the same", () => {
  for (const modulusLength of [2_048, 2_056, 3_072, 4_096]) {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength });
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const options = {
      key: privateKey,
      oaepHash: "sha256",
      padding: constants.RSA_PKCS1_OAEP_PADDING,
    };
    for (const length of [0, 32, modulusLength / 8 - 66]) {
      const secret = crypto.getRandomValues(new Uint8Array(length));
      const [wrapped, again] = [wrapKey(pem, secret), wrapKey(pem, secret)];
      assert.equal(wrapped.length, modulusLength / 8);
      assert.notDeepEqual(wrapped, again);
      assert.deepEqual(new Uint8Array(privateDecrypt(options, wrapped)), secret);
    }
    assert.throws(() => wrapKey(pem, new Uint8Array(modulusLength / 8 - 65)), RangeError);
  }
});

Deno.test("wrapKey() rejects a modulus below 2,048 bits, or of an odd size", () => {
  assert.throws(() => wrapKey(pemOf(1024), SECRET), {
    name: "ProtocolError",
    message:
      "Cannot use the RSA public key: it must be an SPKI key in PEM, with 2048 to 4096 bits " +
      "in whole bytes and the exponent 65,537",
  });
  for (const bits of [2_044, 2_050, 4_104]) {
    assert.throws(() => wrapKey(pemOf(bits), SECRET), ProtocolError);
  }
  for (const bits of [2_048, 2_056, 3_072]) wrapKey(pemOf(bits), SECRET);
  for (const bits of [1_024, 2_044, 2_050, 3_072]) {
    const { asymmetricKeyDetails } = createPublicKey(pemOf(bits));
    assert.equal(asymmetricKeyDetails?.modulusLength, bits, "the runtime reads these keys");
  }
});

Deno.test("wrapKey() rejects text that is no SPKI key in PEM", async () => {
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey
    .export({ type: "spki", format: "pem" }).toString();
  const good = await publicKeyToPem(pair.publicKey);
  const bad = ["", "hello", ec, good.replace("MII", "MIJ"), good.replaceAll("PUBLIC", "PRIVATE")];
  for (const pem of [...bad, " ".repeat(5000)]) {
    assert.throws(() => wrapKey(pem, SECRET), ProtocolError);
  }
});

Deno.test("a key of nothing but blanks costs the server no time", () => {
  const [begin, end] = ["-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"];
  const blanks = " ".repeat(1_990);
  for (const pem of [begin + blanks, `${begin}${blanks}${end}x`, `${begin} A${blanks}`]) {
    const started = performance.now();
    assert.throws(() => wrapKey(pem, SECRET), /it must be an SPKI key in PEM/);
    // It took 2.5 s where blanks could be shared out among three runs, and takes less than one millisecond.
    assert.ok(performance.now() - started < 500);
  }
});

Deno.test("wrapKey() rejects every exponent but 65,537: a huge one would burn the server's time", async () => {
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const algorithm = { name: "RSA-OAEP", hash: "SHA-256" };
  for (const e of ["AQAAAAE", "AQ", "Ag", "Aw", "AQAD"]) {
    const key = await crypto.subtle.importKey("jwk", { ...jwk, e }, algorithm, true, ["encrypt"])
      .catch(() => undefined);
    if (key === undefined) continue; // The runtime refuses it before we do.
    const pem = await publicKeyToPem(key);
    assert.throws(() => wrapKey(pem, SECRET), ProtocolError);
  }
});

Deno.test("unwrapKey() gives one text for every fault", async () => {
  const wrapped = wrapKey(await publicKeyToPem(pair.publicKey), SECRET);
  const flipped = Uint8Array.from(wrapped, (byte, index) => index === 7 ? byte ^ 1 : byte);
  for (const bad of [flipped, wrapped.subarray(1), new Uint8Array(256), new Uint8Array()]) {
    await assert.rejects(unwrapKey(pair.privateKey, bad), {
      name: "CryptoError",
      message: "Cannot open the wrapped session key: it was not made for this key",
    });
  }
});

Deno.test("wrapKey() rejects an even modulus, which importing lets through", async () => {
  const pem = await publicKeyToPem(pair.publicKey);
  const der = Uint8Array.from(atob(pem.replaceAll(/-----.*-----|\s/g, "")), (c) => c.charCodeAt(0));
  const last = der.length - 6; // Behind the modulus stand 02 03 01 00 01.
  der[last] = (der[last] ?? 0) & 0xfe;
  const even = `-----BEGIN PUBLIC KEY-----\n${
    btoa(String.fromCharCode(...der))
  }\n-----END PUBLIC KEY-----\n`;
  assert.throws(() => wrapKey(even, SECRET), ProtocolError);
});
