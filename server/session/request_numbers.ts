// The numbers of one session's requests: which one comes next, and how a repeat is answered. docs/PROTOCOL.md §8.2.

import type { RemoteSession } from "../cluster/cluster_contract.ts";
import { OPEN_MAX } from "../cluster/cluster_messages.ts";
import type { RequestId } from "../../shared/messages/ids.ts";
import type { Event } from "../../shared/messages/messages_v2.ts";
import { LimitError } from "../../shared/base/errors.ts";
import { DECLINED_REMEMBERED } from "../config/limits.ts";

const UNKNOWN =
  "Cannot tell whether that was done: it was on its way when you moved to another server";

interface Undecided {
  readonly again: boolean;
  readonly settled: Promise<void>;
}

/** Follows the numbers of one session's requests, so that a repeat has no second effect. */
export class RequestNumbers {
  /** Number of the last request that was handled. */
  last = 0;
  /** The server that had the session is gone, and its last number with it: the next request may have any. */
  acceptsAny = false;
  // Made with the first refusal: most of 10,000 sessions have none.
  #declined: Map<number, string> | undefined;
  #undecided: Map<number, Undecided> | undefined;
  /** Requests that the previous server took and may not have done: a repetition counts as the first. */
  #open: Set<number> | undefined;

  /** Whether request `id` was handled before. */
  isRepeat(id: RequestId): boolean {
    return id <= this.last && this.#open?.has(id) !== true;
  }

  /** Whether request `id`, which is no repeat, is the next one; takes its number then. */
  take(id: RequestId): boolean {
    if (this.#open?.delete(id)) return true;
    if (id !== this.last + 1 && !this.acceptsAny) return false;
    this.acceptsAny = false;
    this.last = id;
    return true;
  }

  /** Remembers that request `id` was declined; the oldest of DECLINED_REMEMBERED is forgotten. */
  decline(id: RequestId, why: string): void {
    const declined = this.#declined ??= new Map();
    declined.set(id, why);
    if (declined.size > DECLINED_REMEMBERED) {
      declined.delete(declined.keys().next().value as number);
    }
  }

  /**
   * Request `id` is answered once `decision` is made, and a repeat of it not before. Gives the decision. `again`: another
   * server may do it once more, and only one of the two has an effect.
   */
  decideLater<T>(
    id: RequestId,
    decision: Promise<T>,
    { again = false }: { readonly again?: boolean } = {},
  ): Promise<T> {
    const undecided = this.#undecided ??= new Map();
    const settled = decision.finally(() => undecided.delete(id));
    undecided.set(id, { again, settled: settled.then(() => {}, () => {}) });
    return settled;
  }

  /** Throws LimitError where so many requests are undecided that one more could not be told to another server. */
  checkUndecided(): void {
    const undecided = (this.#undecided?.size ?? 0) + (this.#open?.size ?? 0);
    if (undecided < OPEN_MAX) return;
    throw new LimitError(
      `Not delivered: ${OPEN_MAX} requests wait for the other servers. Try again later.`,
    );
  }

  /** Resolves when request `id` is decided; undefined where it is, or needs no decision. */
  decisionOn(id: RequestId): Promise<void> | undefined {
    return this.#undecided?.get(id)?.settled;
  }

  /** Whether something is undecided that no other server may do once more. */
  get isDeciding(): boolean {
    return this.#deciding.length > 0;
  }

  /** Resolves when all of that is decided. */
  async decided(): Promise<void> {
    await Promise.all(this.#deciding.map(({ settled }) => settled));
  }

  get #deciding(): Undecided[] {
    return [...this.#undecided?.values() ?? []].filter(({ again }) => !again);
  }

  /** What the next server of the session must know besides the last number. */
  get unsettled(): RemoteSession["unsettled"] {
    const open: number[] = [...this.#open ?? []];
    const declined = this.declined;
    for (const [id, { again }] of this.#undecided ?? []) {
      if (again) open.push(id);
      else declined.push([id, UNKNOWN]);
    }
    return { open, declined };
  }

  /** Goes on from what the server before this one knew; `request`: see RemoteSession. */
  follow(
    { request, unsettled: { open, declined } }: Pick<RemoteSession, "request" | "unsettled">,
  ): void {
    this.last = request ?? 0;
    this.acceptsAny = request === undefined;
    if (open.length > 0) this.#open = new Set(open);
    if (declined.length > 0) this.#declined = new Map(declined);
  }

  /** The answer to a repeat of request `id`; undefined where it is answered later. */
  answerTo(id: RequestId): Event | undefined {
    if (this.#undecided?.has(id)) return undefined;
    const why = this.#declined?.get(id);
    return why === undefined ? { kind: "done", id } : { kind: "declined", id, why };
  }

  /** Declined requests for the next process: number and reason. */
  get declined(): [number, string][] {
    return [...this.#declined ?? []];
  }

  /** Goes on from what the process before this one knew. */
  restore(last: number, declined: readonly (readonly [number, string])[]): void {
    this.last = last;
    if (declined.length > 0) this.#declined = new Map(declined);
  }
}
