import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  generateRsaKeyPair,
  publicKeyFromPem,
  publicKeyToPem,
  unwrapKey,
  wrapKey,
} from "../../../shared/crypto/rsa.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";

const pair = await generateRsaKeyPair();

function pemOf(modulusLength: number, publicExponent = 65537): string {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength, publicExponent });
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}

Deno.test("wrapKey() and unwrapKey() carry a secret through the PEM text of the key", async () => {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const key = await publicKeyFromPem(await publicKeyToPem(pair.publicKey));
  const wrapped = await wrapKey(key, secret);
  assert.equal(wrapped.length, 256);
  assert.deepEqual(await unwrapKey(pair.privateKey, wrapped), secret);
});

Deno.test("publicKeyToPem() writes the same text as OpenSSL's encoder", async () => {
  const pem = pemOf(2048);
  assert.equal(await publicKeyToPem(await publicKeyFromPem(pem)), pem);
});

Deno.test("publicKeyFromPem() accepts CRLF line ends and a missing last line end", async () => {
  const pem = await publicKeyToPem(pair.publicKey);
  await publicKeyFromPem(pem.replaceAll("\n", "\r\n"));
  await publicKeyFromPem(pem.trimEnd());
});

Deno.test("publicKeyFromPem() rejects a modulus below 2,048 bits, or of an odd size", async () => {
  await assert.rejects(publicKeyFromPem(pemOf(1024)), {
    name: "ProtocolError",
    message:
      "Cannot use the RSA public key: it must be an SPKI key in PEM, with 2048 to 4096 bits " +
      "in whole bytes and the exponent 65,537",
  });
  for (const bits of [2_044, 2_050, 4_104]) {
    await assert.rejects(publicKeyFromPem(pemOf(bits)), ProtocolError);
  }
  for (const bits of [2_048, 2_056, 3_072]) await publicKeyFromPem(pemOf(bits));
});

Deno.test("publicKeyFromPem() rejects text that is no SPKI key in PEM", async () => {
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey
    .export({ type: "spki", format: "pem" }).toString();
  const good = await publicKeyToPem(pair.publicKey);
  const bad = ["", "hello", ec, good.replace("MII", "MIJ"), good.replaceAll("PUBLIC", "PRIVATE")];
  for (const pem of [...bad, " ".repeat(5000)]) {
    await assert.rejects(publicKeyFromPem(pem), ProtocolError);
  }
});

Deno.test("publicKeyFromPem() rejects every exponent but 65,537: a huge one would burn the server's time", async () => {
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const algorithm = { name: "RSA-OAEP", hash: "SHA-256" };
  for (const e of ["AQAAAAE", "AQ", "Ag", "Aw", "AQAD"]) {
    const key = await crypto.subtle.importKey("jwk", { ...jwk, e }, algorithm, true, ["encrypt"])
      .catch(() => undefined);
    if (key === undefined) continue; // The runtime refuses it before we do.
    const pem = await publicKeyToPem(key);
    await assert.rejects(publicKeyFromPem(pem), ProtocolError);
  }
});

Deno.test("unwrapKey() gives one text for every fault", async () => {
  const wrapped = await wrapKey(pair.publicKey, new Uint8Array(32));
  const flipped = Uint8Array.from(wrapped, (byte, index) => index === 7 ? byte ^ 1 : byte);
  for (const bad of [flipped, wrapped.subarray(1), new Uint8Array(256), new Uint8Array()]) {
    await assert.rejects(unwrapKey(pair.privateKey, bad), {
      name: "CryptoError",
      message: "Cannot open the wrapped session key: it was not made for this key",
    });
  }
});

Deno.test("publicKeyFromPem() rejects an even modulus, which importing lets through", async () => {
  const pem = await publicKeyToPem(pair.publicKey);
  const der = Uint8Array.from(atob(pem.replaceAll(/-----.*-----|\s/g, "")), (c) => c.charCodeAt(0));
  const last = der.length - 6; // Behind the modulus stand 02 03 01 00 01.
  der[last] = (der[last] ?? 0) & 0xfe;
  const even = `-----BEGIN PUBLIC KEY-----\n${
    btoa(String.fromCharCode(...der))
  }\n-----END PUBLIC KEY-----\n`;
  await assert.rejects(publicKeyFromPem(even), ProtocolError);
});
