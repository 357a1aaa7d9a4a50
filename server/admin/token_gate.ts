// Checks the admin token. A right proof is never delayed by wrong ones: any peer of the pages can send guesses, and the
// admin must still be able to stop the server, to restart it, and to ban that peer.

import type { Logger } from "@logtape/logtape";
import { timingSafeEqual } from "node:crypto";
import { ConfigError } from "../../shared/base/errors.ts";
import type { PageToken } from "../config/admin_token.ts";
import { tokenDigest } from "../config/access_tokens.ts";
import { sourceOf } from "../limits/ip_network.ts";
import { RepeatLog } from "../telemetry/repeat_log.ts";

// A peer that guesses one by one is slowed down. Guesses side by side are bounded in memory, not in rate: only the
// token's length protects against them.
const TOKEN_MIN_CHARACTERS = 16;
const WRONG_PAUSE_MS = 1_000;
const WAITING_MAX = 64;

/** A wrong token or proof, as it is counted and logged. */
export type OnGuess = (source: string) => void;

/** What a gate needs besides the token. */
export interface TokenGateOptions {
  readonly onGuess?: OnGuess;
  /** Resolves after `ms`; without it, a timer that does not keep the process alive. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** Throws ConfigError when `token` is too short to resist guesses. */
export function checkTokenStrength(token: string, which: PageToken): void {
  const { length } = [...token];
  if (length >= TOKEN_MIN_CHARACTERS) return;
  throw new ConfigError(
    `Cannot use the ${which} token: it has ${length} characters, at least ${TOKEN_MIN_CHARACTERS} are needed`,
    { hint: "openssl rand -base64 24" },
  );
}

/** Compares tokens and proofs in constant time. */
export class TokenGate {
  readonly #digests: readonly Uint8Array[];
  readonly #onGuess: OnGuess;
  readonly #pause: (ms: number) => Promise<void>;
  /** Ends the pause of each wrong guess that waits, the oldest first. */
  readonly #waiting = new Set<() => void>();

  /** Each of `tokens` is right. */
  constructor(
    tokens: string | readonly string[],
    { onGuess = () => {}, pause = sleep }: TokenGateOptions = {},
  ) {
    this.#digests = [tokens].flat().map(tokenDigest);
    this.#onGuess = onGuess;
    this.#pause = pause;
  }

  /**
   * Whether `token`, sent by `source`, is the right one. The contract:
   * 1. A right one is answered at once, however many wrong ones wait.
   * 2. A wrong one is reported, and answered WRONG_PAUSE_MS later, or when WAITING_MAX later ones wait.
   */
  check(token: string, source: string): Promise<boolean> {
    const digest = tokenDigest(token);
    // All are compared, each in constant time.
    const isRight = () =>
      this.#digests.filter((known) => timingSafeEqual(known, digest)).length > 0;
    return this.checkProof(isRight, source);
  }

  /** The same for a proof that the sender has the token; `isRight` compares in constant time. */
  async checkProof(isRight: () => boolean, source: string): Promise<boolean> {
    if (isRight()) return true;
    this.#onGuess(source);
    await this.#wait();
    return false;
  }

  async #wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const [oldest = resolve] = this.#waiting;
    if (this.#waiting.size > WAITING_MAX) {
      this.#waiting.delete(oldest);
      oldest();
    }
    await Promise.race([promise, this.#pause(WRONG_PAUSE_MS)]);
    this.#waiting.delete(resolve);
  }
}

/** Logs wrong tokens by source, an IPv4 address or an IPv6 /64, in a bounded number of lines. */
export function guessReporter(log: Logger): OnGuess {
  const guesses = new RepeatLog({
    report: (address, count) => log.warning("wrong admin credentials", { address, guesses: count }),
  });
  return (peer) => guesses.note(sourceOf(peer));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, ms)));
}
