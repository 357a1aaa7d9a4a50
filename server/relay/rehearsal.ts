// Handshakes with nobody, for a server to which all clients may be about to come back: the first ones of a thread take
// several times as long as others, and how fast the machine is today nobody knows before.

import { fromHex } from "#platform/bytes.ts";
import { encodeBase64 } from "../../shared/base/base64.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import type { ServerHandshake } from "../../shared/channel/handshake.ts";
import { OUR_VERSIONS } from "../../shared/channel/handshake_error.ts";
import { encodeClientHello } from "../../shared/channel/handshake_messages.ts";
import { supportedAeads } from "../../shared/crypto/aead.ts";
import { loadKem } from "../../shared/crypto/kem.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { RSA_BITS } from "../../shared/crypto/rsa.ts";
import { X25519_BYTES } from "../../shared/crypto/x25519.ts";

// What an SPKI key of 2,048 bits has before its modulus and behind it (RFC 8017 §A.1, RFC 5280 §4.1.2.7).
const BEFORE_MODULUS = "30820122300d06092a864886f70d01010105000382010f003082010a0282010100";
const BEHIND_MODULUS = "0203010001";

// Thirty-two take the first milliseconds off, and as many again tell what is left.
const ROUNDS = 2;
const HANDSHAKES = 32;

/** Computes handshakes with nobody; the ms that one takes in the end. */
export async function rehearse(handshakes: ServerHandshake): Promise<number> {
  const first = await firstMessageOfNobody();
  let took = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const since = performance.now();
    for (let n = 0; n < HANDSHAKES; n++) await handshakes.receive(first);
    took = (performance.now() - since) / HANDSHAKES;
  }
  return took;
}

/** A client's first message whose private keys nobody has: no session comes of it. */
export async function firstMessageOfNobody(): Promise<Uint8Array> {
  const kem = await (await loadKem()).generate();
  return encodeClientHello({
    versions: OUR_VERSIONS,
    aeads: supportedAeads(),
    rsaPem: keylessPem(),
    x25519: randomBytes(X25519_BYTES),
    mlkem768: kem.publicKey,
  });
}

function keylessPem(): string {
  const modulus = randomBytes(RSA_BITS / 8);
  modulus[0]! |= 0x80;
  modulus[modulus.length - 1]! |= 1;
  const der = concatBytes([fromHex(BEFORE_MODULUS), modulus, fromHex(BEHIND_MODULUS)]);
  return `-----BEGIN PUBLIC KEY-----\n${encodeBase64(der)}\n-----END PUBLIC KEY-----\n`;
}
