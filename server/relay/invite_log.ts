// The invites of a cluster: one log that all its servers write and read. A step counts where it stands in the log, so
// of two servers that let somebody in by the last use of an invite at once, one is told that it has ended.

import { decode, encode } from "cborg";
import type { EntryRefusal } from "../cluster/backplane.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { LogMachine, SharedLog } from "../cluster/shared_log.ts";
import type { InviteOutcome, Invites, InvitesState, InviteStep } from "../limits/invites.ts";

/** Steps that share an entry at most. */
const STEPS_PER_ENTRY = 64;

/** A step that waits for its place in the log. */
interface Waiting {
  readonly step: InviteStep;
  readonly settle: (outcome: InviteOutcome) => void;
}

/** A step that was taken, or waits for that. */
export interface TakenStep {
  readonly outcome: Promise<InviteOutcome>;
  /** Takes it back; false where it is on its way, or taken. */
  readonly withdraw: () => boolean;
}

const REFUSALS: Readonly<Record<EntryRefusal, string>> = {
  too_large: "the servers cannot pass it on",
  full: "the servers have no room for it now; try again later",
  forbidden: "the servers cannot store it now; try again later",
};

/** Steps that must not be given up: an invite that should have ended would let somebody in. */
const LASTING: ReadonlySet<InviteStep["kind"]> = new Set(["end", "return"]);

/** The log behind `invites`. */
export class InviteLog implements LogMachine<Waiting> {
  readonly #invites: Invites;
  readonly #onLost: () => void;
  readonly #log: SharedLog<Waiting>;
  #isReady = false;
  /** Resolves when it is known what was in the log at the start. */
  readonly ready: Promise<void>;

  /** `onLost`: NATS has lost the log, and all open invites ended with it. */
  constructor(invites: Invites, cluster: Cluster, onLost: () => void) {
    this.#invites = invites;
    this.#onLost = onLost;
    this.#log = cluster.openLog("invites", this);
    this.ready = this.#log.caughtUp().then(() => void (this.#isReady = true));
  }

  /** Whether it is known what was in the log at the start. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get empty(): boolean {
    return this.#invites.isUntouched;
  }

  /** Takes a step once it has its place, however long that lasts. */
  take(step: InviteStep): TakenStep {
    const { promise: outcome, resolve: settle } = Promise.withResolvers<InviteOutcome>();
    const waiting = { step, settle };
    this.#log.propose(waiting);
    return { outcome, withdraw: () => this.#log.withdraw(waiting) };
  }

  close(): void {
    this.#log.close();
  }

  write(waiting: readonly Waiting[], whole: boolean): { taken: number; body: Uint8Array } {
    const steps = waiting.slice(0, STEPS_PER_ENTRY).map(({ step }) => step);
    const state = whole ? this.#invites.state : null;
    return { taken: steps.length, body: encode([state, steps]) };
  }

  apply({ body }: { readonly body: Uint8Array }, own: readonly Waiting[]): void {
    const [state, steps] = decode(body) as [InvitesState | null, InviteStep[]];
    if (state !== null) this.#invites.adopt(state);
    steps.forEach((step, n) => {
      const outcome = this.#invites.take(step);
      own[n]?.settle(outcome);
    });
  }

  refuse(own: readonly Waiting[], refusal: EntryRefusal): readonly Waiting[] {
    for (const { step, settle } of own) if (!LASTING.has(step.kind)) settle(REFUSALS[refusal]);
    return own.filter(({ step }) => LASTING.has(step.kind));
  }

  // What is trimmed is behind a whole state, which comes next.
  skipped(): void {}

  lost(): void {
    if (this.#invites.count(Date.now()) > 0) this.#onLost();
    this.#invites.endAll();
  }
}
