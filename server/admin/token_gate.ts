// The operator's token: compared in constant time, and no faster than a person mistypes it.

import { timingSafeEqual } from "node:crypto";
import { tokenDigest } from "../config/access_tokens.ts";

// A token that somebody thought of falls to a dictionary; at one guess a second, a dictionary takes weeks.
const WRONG_PAUSE_MS = 1_000;
const WAITING_MAX = 8;

/** What came of a token. */
export type GateAnswer = "right" | "wrong" | "busy";

/** Compares tokens one after another. */
export class TokenGate {
  readonly #digest: Uint8Array;
  readonly #pause: (ms: number) => Promise<void>;
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(token: string, pause: (ms: number) => Promise<void> = sleep) {
    this.#digest = tokenDigest(token);
    this.#pause = pause;
  }

  /**
   * Whether `token` is the right one. The contract:
   * 1. A wrong one is answered WRONG_PAUSE_MS later, and nothing is compared meanwhile: guesses side by side are no
   *    faster than guesses one by one.
   * 2. At most WAITING_MAX wait for their turn; who comes then is told that it is busy, and nothing of the token.
   */
  check(token: string): Promise<GateAnswer> {
    return this.checkProof(() => timingSafeEqual(this.#digest, tokenDigest(token)));
  }

  /** The same for a proof that somebody has it; `isRight` compares in constant time. */
  async checkProof(isRight: () => boolean): Promise<GateAnswer> {
    if (this.#waiting >= WAITING_MAX) return "busy";
    this.#waiting++;
    const answer = this.#turn.then(async () => {
      if (isRight()) return "right";
      await this.#pause(WRONG_PAUSE_MS);
      return "wrong";
    });
    this.#turn = answer.then(() => void this.#waiting--);
    return await answer;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, ms)));
}
