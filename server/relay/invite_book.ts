// The invites of this server, or of all servers of a cluster: every step is taken in an order, and answers once it is.

import { LimitError } from "../../shared/base/errors.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { INVITE_WAIT_MS } from "../config/limits.ts";
import {
  type Invite,
  type InviteOutcome,
  Invites,
  type InviteStep,
  type InviteWish,
  newInviteToken,
} from "../limits/invites.ts";
import { InviteLog } from "./invite_log.ts";

/** A use of an invite by a session that is about to come in. */
export interface InviteUse {
  readonly invite: Invite;
  /** The session does not come in after all. Resolves once the use is there again, or the other servers take long. */
  readonly giveBack: () => Promise<void>;
}

/** The servers cannot be asked now, or do not answer; the end of a sentence. */
const OUT_OF_REACH = "the other servers cannot be reached; try again later";

const LATE = Symbol("late");

/** Invites, by the steps that are taken. */
export class InviteBook {
  /** All that is known here; only steps change it. */
  readonly known = new Invites();
  readonly #cluster: Cluster | undefined;
  readonly #log: InviteLog | undefined;
  readonly #waitMs: number;

  /** `onLost`: the other servers have lost them all, which ended them. `waitMs`: how long they may take to agree. */
  constructor(
    cluster: Cluster | undefined,
    { onLost, waitMs = INVITE_WAIT_MS }: {
      readonly onLost: () => void;
      readonly waitMs?: number;
    },
  ) {
    this.#cluster = cluster;
    this.#waitMs = waitMs;
    if (cluster !== undefined) this.#log = new InviteLog(this.known, cluster, onLost);
  }

  /** Whether what is known here may lack what other servers know. */
  get isBehind(): boolean {
    return this.#cluster?.isUp === false || this.#log?.isReady === false;
  }

  /** Resolves once it is known what the other servers knew at the start, or after INVITE_WAIT_MS. */
  async whenKnown(): Promise<void> {
    if (this.#log !== undefined) await this.#soon(this.#log.ready);
  }

  /** Makes one. Throws LimitError where its maker, or the server, has too many that are open. */
  async mint(wish: InviteWish, now: number): Promise<{ invite: Invite; token: string }> {
    const { token, digest } = newInviteToken();
    const made = await this.#inTime(
      { kind: "mint", digest, wish, now },
      // Nobody was told its token.
      ({ number, maker }) => this.#take({ kind: "revoke", number, token: maker.token }),
    );
    if (typeof made === "object") return { invite: made, token };
    throw new LimitError(`Cannot make an invite: ${made}`);
  }

  /**
   * Lets one session in by it. Gives a sentence's end where the other servers cannot say whether it may; undefined where
   * the invite has ended meanwhile.
   */
  async use(digest: Uint8Array, now: number): Promise<InviteUse | string | undefined> {
    const step = { kind: "return", digest } as const;
    const invite = await this.#inTime({ kind: "use", digest, now }, () => this.#take(step));
    if (typeof invite !== "object") return invite;
    return { invite, giveBack: () => this.#soon(this.#ordered(step)).then(() => {}) };
  }

  /** Those that are open whose maker came with the same token, the oldest first. Throws LimitError. */
  of(token: Uint8Array, now: number): readonly Invite[] {
    if (this.isBehind) throw new LimitError(`Cannot list invites: ${OUT_OF_REACH}`);
    return this.known.of(token, now);
  }

  /** Ends one of those. Throws LimitError where there is none of that number. */
  async revoke(number: number, token: Uint8Array): Promise<void> {
    const ended = await this.#inTime({ kind: "revoke", number, token }, () => {});
    if (typeof ended === "object") return;
    const why = ended ?? "you have no open invite with that number";
    throw new LimitError(`Cannot end invite ${number}: ${why}`);
  }

  /** Ends all whose maker came with this token, as soon as the other servers can be told. */
  end(token: Uint8Array): void {
    this.#take({ kind: "end", token });
  }

  /** Follows the other servers no longer. */
  close(): void {
    this.#log?.close();
  }

  #take(step: InviteStep): void {
    void this.#ordered(step);
  }

  // Alone, a step is taken in the call itself.
  #ordered(step: InviteStep): Promise<InviteOutcome> {
    return this.#log?.take(step).outcome ?? Promise.resolve(this.known.take(step));
  }

  /** Takes a step, or gives why not; `undo` is for one that is taken after nobody waits for it any more. */
  async #inTime(step: InviteStep, undo: (done: Invite) => void): Promise<InviteOutcome> {
    if (this.#log === undefined) return this.known.take(step);
    if (this.#cluster?.isUp === false) return OUT_OF_REACH;
    const { outcome, withdraw } = this.#log.take(step);
    const first = await this.#soon(outcome);
    if (first !== LATE) return first;
    // What waits on would be as much as was ever asked for while NATS does not answer.
    if (!withdraw()) {
      void outcome.then((done) => {
        if (typeof done === "object") undo(done);
      });
    }
    return OUT_OF_REACH;
  }

  async #soon<T>(outcome: Promise<T>): Promise<T | typeof LATE> {
    const late = Promise.withResolvers<typeof LATE>();
    const timer = setTimeout(() => late.resolve(LATE), this.#waitMs);
    try {
      return await Promise.race([outcome, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
