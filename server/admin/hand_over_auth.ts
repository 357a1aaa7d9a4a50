// Hands the server's state to a process that proves, without sending it, that it has the admin token. Between one
// process and the next, any user of the machine can listen at their address: an impostor must neither learn the token,
// nor read the state, nor hand over a state of its own.
//
// Two phases, so that a state is never lost with its only copy: `give` returns the state, and the giver keeps it until
// `finish` proves that the receiver serves; without that, it resumes after FINISH_MS. Clients wait meanwhile, so the
// receiver holds a connection open as well: its end, as by the end of the process, lets the giver resume at once.

import { createHmac, timingSafeEqual } from "node:crypto";
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

/** Bytes of a challenge, and of the nonce of the process that answers it. */
export const CHALLENGE_BYTES = 32;
/** Bytes of a request: the challenge, the nonce, and the proof. */
export const HAND_OVER_REQUEST_BYTES = 2 * CHALLENGE_BYTES + HASH_BYTES;

// A challenge is its time in ms, a nonce, and a MAC over both under a key of this process. The server keeps no list of
// them, so a flood of requests for challenges voids none. HMAC-SHA-256 is truncated to 128 bits (RFC 2104, section 5).
const MAC_BYTES = 16;
const CHALLENGE_MS = 30_000;

/** How long the giver waits for the receiver to serve. */
export const FINISH_MS = 10_000;

interface Secrets {
  readonly proof: Uint8Array;
  readonly hold: Uint8Array;
  readonly finish: Uint8Array;
  readonly sealing: AeadContext;
}

/** The owner of the state. */
export interface HandOverSource {
  /** Stops serving and returns the state; undefined if there is nothing to hand over. */
  prepare(): Promise<Uint8Array> | undefined;
  /** The receiver serves: the state is not needed any more. */
  finish(): void;
  /** No receiver serves: serve again. */
  resume(): void;
}

/** What a receiver can know before it asks for the state, and clients notice. */
export interface HandOverNotice {
  /** In what form the state is. */
  readonly format: string;
  /** The port of the clients; undefined where nothing listens there. */
  readonly port: number | undefined;
}

/** What guards the hand-over. */
export interface HandOverAuthOptions {
  readonly notice: () => HandOverNotice;
  readonly token: string;
  /** Counts and delays wrong proofs together with wrong tokens. */
  readonly gate: TokenGate;
  /** Monotonic ms. */
  readonly now?: () => number;
  /** Calls back once after `ms`, unless the returned function cancels it. */
  readonly later?: (run: () => void, ms: number) => () => void;
}

/** Why nothing is handed over; "stale": the challenge is too old, used, or another process's. */
export type HandOverRefusal = "unauthorized" | "stale" | "nothing";

interface Given {
  readonly challenge: Uint8Array;
  readonly finish: Uint8Array;
  /** Whether its receiver has it, or is about to. */
  isReady: boolean;
  /** Whether its receiver has ended. */
  isLeft: boolean;
}

/** Gives the state of `source` to a process that has the token. */
export class HandOverAuth {
  readonly #options: HandOverAuthOptions;
  readonly #source: HandOverSource;
  readonly #key = crypto.getRandomValues(new Uint8Array(HASH_BYTES));
  readonly #now: () => number;
  /** Challenges that were answered rightly and are not stale yet: only the admin adds one. */
  readonly #used = new Map<string, number>();
  #state: Promise<Uint8Array> | undefined;
  #given: Given | undefined;
  #isFinished = false;
  /** Resolves when a receiver has finished, or is not waited for any longer. */
  #over = Promise.withResolvers<void>();
  #cancelTimer: () => void = () => {};

  constructor(options: HandOverAuthOptions, source: HandOverSource) {
    this.#options = options;
    this.#source = source;
    this.#now = options.now ?? (() => performance.now());
  }

  /** What a receiver can know before it asks. */
  get notice(): HandOverNotice {
    return this.#options.notice();
  }

  /** A challenge to answer once, within CHALLENGE_MS. */
  challenge(): Uint8Array<ArrayBuffer> {
    const challenge = crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES));
    new DataView(challenge.buffer).setFloat64(0, this.#now());
    challenge.set(this.#macOf(challenge), CHALLENGE_BYTES - MAC_BYTES);
    return challenge;
  }

  /**
   * The state, sealed for the sender of `request`, who is at `peer`. Asked again before `finish`, by a process that
   * starts in the place of one that failed, it gives the same state, and what was given before cannot be finished.
   */
  async give(
    request: Uint8Array,
    peer: string,
  ): Promise<Uint8Array<ArrayBuffer> | HandOverRefusal> {
    const asked = this.#read(request);
    if (asked === undefined) return "unauthorized";
    const { challenge, secrets, proof } = asked;
    if (!this.#isFresh(challenge)) return "stale";
    const isRight = () => timingSafeEqual(proof, secrets.proof);
    if (!await this.#options.gate.checkProof(isRight, peer)) return "unauthorized";
    // Another copy of the request may have been first.
    if (!this.#isFresh(challenge)) return "stale";
    this.#use(challenge);
    this.#cancelTimer();
    const state = this.#state ??= this.#source.prepare();
    if (state === undefined) return "nothing";
    const given: Given = {
      challenge,
      finish: secrets.finish,
      isReady: false,
      isLeft: false,
    };
    this.#given = given;
    const plaintext = await state;
    given.isReady = true;
    this.#expectFinish(given);
    const out = new Uint8Array(plaintext.length + AEAD_TAG_BYTES);
    aeadSeal("aes-256-gcm", secrets.sealing, { plaintext, out });
    return out;
  }

  /** The receiver, which is at `peer`, proves that it serves what it was given; undefined when that is accepted. */
  async finish(request: Uint8Array, peer: string): Promise<HandOverRefusal | undefined> {
    const given = this.#given;
    const challenge = request.subarray(0, CHALLENGE_BYTES);
    const proof = request.subarray(2 * CHALLENGE_BYTES);
    if (request.length !== HAND_OVER_REQUEST_BYTES) return "unauthorized";
    if (given === undefined || !timingSafeEqual(challenge, given.challenge)) return "nothing";
    const isRight = () => timingSafeEqual(proof, given.finish);
    if (!await this.#options.gate.checkProof(isRight, peer)) return "unauthorized";
    if (this.#given !== given) return "nothing";
    this.#cancelTimer();
    this.#given = undefined;
    this.#isFinished = true;
    this.#over.resolve();
    this.#source.finish();
    return undefined;
  }

  /**
   * The process that asks for the state by this challenge, and is at `peer`, is there until `gone` resolves: if it has
   * not finished by then, it never will. Resolves when that is over.
   */
  async hold(
    request: Uint8Array,
    { peer, gone }: { readonly peer: string; readonly gone: () => Promise<void> },
  ): Promise<HandOverRefusal | undefined> {
    const asked = this.#read(request);
    if (asked === undefined) return "unauthorized";
    const { challenge, secrets, proof } = asked;
    // The request for the state may have been faster.
    if (!this.#isFresh(challenge) && !this.#isGiven(challenge)) return "stale";
    const isRight = () => timingSafeEqual(proof, secrets.hold);
    if (!await this.#options.gate.checkProof(isRight, peer)) return "unauthorized";
    let isGone = false;
    const left = gone().then(() => {
      isGone = true;
      this.#leave(challenge);
    });
    const isAwaited = () => this.#isFresh(challenge) || this.#isGiven(challenge);
    do await Promise.race([left, this.#over.promise]); while (
      !isGone && !this.#isFinished && isAwaited()
    );
    return undefined;
  }

  #leave(challenge: Uint8Array): void {
    // A request for the state may be on its way still.
    this.#use(challenge);
    const given = this.#given;
    if (given === undefined || !this.#isGiven(challenge)) return;
    given.isLeft = true;
    if (given.isReady) this.#resume();
  }

  #isGiven(challenge: Uint8Array): boolean {
    return this.#given !== undefined && timingSafeEqual(challenge, this.#given.challenge);
  }

  #expectFinish(given: Given): void {
    // A later request has its own timer.
    if (this.#given !== given) return;
    if (given.isLeft) return this.#resume();
    const { later = afterMs } = this.#options;
    this.#cancelTimer = later(() => this.#resume(), FINISH_MS);
  }

  #resume(): void {
    this.#cancelTimer();
    this.#state = undefined;
    this.#given = undefined;
    this.#over.resolve();
    this.#over = Promise.withResolvers();
    this.#source.resume();
  }

  #read(request: Uint8Array) {
    if (request.length !== HAND_OVER_REQUEST_BYTES) return undefined;
    const challenge = request.slice(0, CHALLENGE_BYTES);
    const nonce = request.subarray(CHALLENGE_BYTES, 2 * CHALLENGE_BYTES);
    const proof = request.subarray(2 * CHALLENGE_BYTES);
    return { challenge, proof, secrets: secretsOf(this.#options.token, challenge, nonce) };
  }

  #isFresh(challenge: Uint8Array): boolean {
    const mac = challenge.subarray(CHALLENGE_BYTES - MAC_BYTES);
    if (!timingSafeEqual(mac, this.#macOf(challenge))) return false;
    const now = this.#now();
    const at = new DataView(challenge.buffer, challenge.byteOffset).getFloat64(0);
    return now - at < CHALLENGE_MS && !this.#used.has(textOf(challenge));
  }

  #use(challenge: Uint8Array): void {
    const now = this.#now();
    for (const [text, at] of this.#used) if (now - at >= CHALLENGE_MS) this.#used.delete(text);
    this.#used.set(textOf(challenge), now);
  }

  #macOf(challenge: Uint8Array): Uint8Array {
    const authenticated = challenge.subarray(0, CHALLENGE_BYTES - MAC_BYTES);
    const mac = createHmac("sha256", this.#key).update(authenticated).digest();
    return new Uint8Array(mac).subarray(0, MAC_BYTES);
  }
}

/** The receiver's side of one exchange. */
export interface HandOverRequest {
  /** Body of the request for the state. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Body of the request over which the receiver shows that it is there. */
  readonly hold: Uint8Array<ArrayBuffer>;
  /** Body of the message that the receiver serves. */
  readonly finish: Uint8Array<ArrayBuffer>;
  /** The state. Throws CryptoError if it is not from a process that has the token. */
  open(sealed: Uint8Array): Uint8Array;
}

/** Answers a challenge with the token. */
export function handOverRequest(token: string, challenge: Uint8Array): HandOverRequest {
  const body = new Uint8Array(HAND_OVER_REQUEST_BYTES);
  body.set(challenge);
  const nonce = crypto.getRandomValues(body.subarray(CHALLENGE_BYTES, 2 * CHALLENGE_BYTES));
  const secrets = secretsOf(token, challenge, nonce);
  const [hold, finish] = [body.slice(), body.slice()];
  body.set(secrets.proof, 2 * CHALLENGE_BYTES);
  hold.set(secrets.hold, 2 * CHALLENGE_BYTES);
  finish.set(secrets.finish, 2 * CHALLENGE_BYTES);
  return {
    body,
    hold,
    finish,
    open(sealed) {
      const { buffer, byteOffset, length } = aeadOpen("aes-256-gcm", secrets.sealing, sealed);
      return new Uint8Array(buffer, byteOffset, length);
    },
  };
}

// Both sides add a fresh nonce, so each key seals one message, and the AEAD's nonce can be constant.
function secretsOf(token: string, challenge: Uint8Array, nonce: Uint8Array): Secrets {
  const salt = new Uint8Array(2 * CHALLENGE_BYTES);
  salt.set(challenge);
  salt.set(nonce, CHALLENGE_BYTES);
  const secret = hkdfExtract(salt, tokenDigest(token));
  const expand = (label: string, length: number) => hkdfExpandLabel(secret, label, { length });
  return {
    proof: expand("hand-over ask", HASH_BYTES),
    hold: expand("hand-over hold", HASH_BYTES),
    finish: expand("hand-over finish", HASH_BYTES),
    sealing: {
      key: expand("hand-over give", AEAD_KEY_BYTES),
      nonce: new Uint8Array(AEAD_NONCE_BYTES),
      associatedData: new Uint8Array(),
    },
  };
}

function textOf(bytes: Uint8Array): string {
  return bytes.join();
}

function afterMs(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
