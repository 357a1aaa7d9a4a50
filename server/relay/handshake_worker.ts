// Computes handshakes beside the thread that serves members, while many wait. It is started without any right: no network,
// no file, no environment.

import { fromHex } from "#platform/bytes.ts";
import { encodeBase64 } from "../../shared/base/base64.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { ServerHandshake } from "../../shared/channel/handshake.ts";
import { OUR_VERSIONS } from "../../shared/channel/handshake_error.ts";
import { encodeClientHello } from "../../shared/channel/handshake_messages.ts";
import { supportedAeads } from "../../shared/crypto/aead.ts";
import { identityFromText } from "../../shared/crypto/identity.ts";
import { loadKem } from "../../shared/crypto/kem.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { RSA_BITS } from "../../shared/crypto/rsa.ts";
import { X25519_BYTES } from "../../shared/crypto/x25519.ts";
import { HANDSHAKES_AT_ONCE } from "../config/limits.ts";
import {
  type AnsweredBatch,
  type AnsweredHandshake,
  type AskedBatch,
  type AskedHandshake,
  packAnswered,
  unpackAsked,
} from "./handshake_batch.ts";

/**
 * What the worker is asked: first the identity, as identityToText() writes it, and whether there is time to rehearse; then
 * clients' first messages.
 */
export type ToHandshakeWorker =
  | { readonly identity: string; readonly rehearses: boolean }
  | AskedBatch;

/**
 * What it says: once that it is ready, and where it has rehearsed, the ms that a handshake takes; then a session for each
 * message, or none where the message is refused.
 */
export type FromHandshakeWorker =
  | { readonly ready: true; readonly tookMs: number | undefined }
  | AnsweredBatch;

const scope = self as unknown as {
  onmessage: (message: MessageEvent<ToHandshakeWorker>) => void;
  postMessage(message: FromHandshakeWorker): void;
};

let handshakes: ServerHandshake | undefined;
let waiting: AskedHandshake[] = [];
let isComputing = false;

async function compute({ id, first }: AskedHandshake): Promise<AnsweredHandshake> {
  return { id, session: await handshakes?.receive(first).catch(() => undefined) };
}

/** Some at a time: while their answers are on their way, the others are computed. */
async function computeAll(): Promise<void> {
  if (isComputing) return;
  isComputing = true;
  while (waiting.length > 0) {
    const some = waiting.slice(0, HANDSHAKES_AT_ONCE);
    waiting = waiting.slice(some.length);
    const batch = packAnswered(await Promise.all(some.map(compute)));
    scope.postMessage(batch);
    // What was posted is a copy.
    batch.bytes.fill(0);
  }
  isComputing = false;
}

// A server to which all clients may be about to come back rehearses: the first handshakes of a thread take several times as
// long as others, and how fast the machine is today nobody knows before.

// What an SPKI key of 2,048 bits has before its modulus and behind it (RFC 8017 §A.1, RFC 5280 §4.1.2.7).
const BEFORE_MODULUS = "30820122300d06092a864886f70d01010105000382010f003082010a0282010100";
const BEHIND_MODULUS = "0203010001";

// Thirty-two take the first milliseconds off, and as many again tell what is left.
const ROUNDS = 2;
const HANDSHAKES = 32;

/** Computes handshakes with nobody; the ms that one takes in the end. */
async function rehearse(handshakes: ServerHandshake): Promise<number> {
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
async function firstMessageOfNobody(): Promise<Uint8Array> {
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

scope.onmessage = async ({ data }) => {
  if ("identity" in data) {
    handshakes = new ServerHandshake(await identityFromText(data.identity));
    const tookMs = data.rehearses ? await rehearse(handshakes) : undefined;
    return scope.postMessage({ ready: true, tookMs });
  }
  waiting.push(...unpackAsked(data));
  await computeAll();
};
