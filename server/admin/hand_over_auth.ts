// Who may have all that a server knows: whoever has the admin token, and proves it without saying it. Between one
// process and the next any user of the machine can listen at their address: such a one must neither learn the token,
// nor read what is handed over, nor hand over something of its own.

import { timingSafeEqual } from "node:crypto";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadContext,
  aeadOpen,
  aeadSeal,
} from "../../shared/crypto/aead.ts";
import { HASH_BYTES, hkdfExpandLabel, hkdfExtract } from "../../shared/crypto/hkdf.ts";
import type { TokenGate } from "./token_gate.ts";
import { tokenDigest } from "../config/access_tokens.ts";

/** Bytes of a challenge, and of the nonce of whoever answers it. */
export const CHALLENGE_BYTES = 32;
/** Bytes of what the next process asks with: the challenge, its nonce, and the proof. */
export const HAND_OVER_REQUEST_BYTES = 2 * CHALLENGE_BYTES + HASH_BYTES;

interface Secrets {
  readonly proof: Uint8Array;
  readonly sealing: AeadContext;
}

// Others of this machine may ask for challenges as well, and must not void the one that counts.
const CHALLENGES_OPEN_MAX = 64;

/** The admin token, and its only gate: guesses at the desk and at the pages are one row of guesses. */
export interface AdminSecret {
  readonly token: string;
  readonly gate: TokenGate;
}

/** Gives what `take` gives to one who has the token. */
export class HandOverAuth {
  readonly #token: string;
  readonly #gate: TokenGate;
  readonly #take: () => Promise<Uint8Array> | undefined;
  readonly #challenges: Uint8Array[] = [];

  /** `take` gives undefined where there is nothing to hand over (any more). */
  constructor(
    { token, gate }: AdminSecret,
    take: () => Promise<Uint8Array> | undefined,
  ) {
    this.#token = token;
    this.#take = take;
    this.#gate = gate;
  }

  /** What one who asks must answer, once. */
  challenge(): Uint8Array<ArrayBuffer> {
    const challenge = crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES));
    this.#challenges.push(challenge);
    if (this.#challenges.length > CHALLENGES_OPEN_MAX) this.#challenges.shift();
    return challenge;
  }

  /** Everything, sealed for the one who asks. */
  async give(
    ask: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer> | "unauthorized" | "busy" | "nothing"> {
    if (ask.length !== HAND_OVER_REQUEST_BYTES) return "unauthorized";
    const nonce = ask.subarray(CHALLENGE_BYTES, 2 * CHALLENGE_BYTES);
    const proof = ask.subarray(2 * CHALLENGE_BYTES);
    const open = this.#challenges.findIndex((one) =>
      timingSafeEqual(one, ask.subarray(0, CHALLENGE_BYTES))
    );
    const [challenge] = open < 0 ? [] : this.#challenges.splice(open, 1);
    if (challenge === undefined) return "unauthorized";
    const secrets = secretsOf(this.#token, challenge, nonce);
    const checked = await this.#gate.checkProof(() => timingSafeEqual(proof, secrets.proof));
    if (checked !== "right") return checked === "busy" ? "busy" : "unauthorized";
    const plaintext = await this.#take();
    if (plaintext === undefined) return "nothing";
    const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
    aeadSeal("aes-256-gcm", secrets.sealing, { plaintext, out });
    return out;
  }
}

/** The other side of the desk. */
export interface HandOverRequest {
  /** What to ask with. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** What was given. Throws CryptoError where it is not from one who has the token. */
  open(sealed: Uint8Array): Uint8Array;
}

/** Answers a challenge for the one who has the token. */
export function handOverRequest(token: string, challenge: Uint8Array): HandOverRequest {
  const body = new Uint8Array(HAND_OVER_REQUEST_BYTES);
  body.set(challenge);
  const nonce = crypto.getRandomValues(body.subarray(CHALLENGE_BYTES, 2 * CHALLENGE_BYTES));
  const secrets = secretsOf(token, challenge, nonce);
  body.set(secrets.proof, 2 * CHALLENGE_BYTES);
  return {
    body,
    open(sealed) {
      const { buffer, byteOffset, length } = aeadOpen("aes-256-gcm", secrets.sealing, sealed);
      return new Uint8Array(buffer, byteOffset, length);
    },
  };
}

// Both sides put a fresh nonce in, so each key seals one message, and the AEAD's nonce can stand still.
function secretsOf(token: string, challenge: Uint8Array, nonce: Uint8Array): Secrets {
  const salt = new Uint8Array(2 * CHALLENGE_BYTES);
  salt.set(challenge);
  salt.set(nonce, CHALLENGE_BYTES);
  const secret = hkdfExtract(salt, tokenDigest(token));
  const expand = (label: string, length: number) => hkdfExpandLabel(secret, label, { length });
  return {
    proof: expand("hand-over ask", HASH_BYTES),
    sealing: {
      key: expand("hand-over give", AEAD_KEY_BYTES),
      nonce: new Uint8Array(AEAD_NONCE_BYTES),
      associatedData: new Uint8Array(),
    },
  };
}
