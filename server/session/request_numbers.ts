// The numbers of one session's requests: which one comes next, and how a repeat is answered. docs/PROTOCOL.md §8.2.

import type { RequestId } from "../../shared/messages/ids.ts";
import type { Event } from "../../shared/messages/messages_v2.ts";
import { DECLINED_REMEMBERED } from "../config/limits.ts";

/** Follows the numbers of one session's requests, so that a repeat has no second effect. */
export class RequestNumbers {
  /** Number of the last request that was handled. */
  last = 0;
  /** The server that had the session is gone, and its last number with it: the next request may have any. */
  acceptsAny = false;
  // Made with the first refusal: most of 10,000 sessions have none.
  #declined: Map<number, string> | undefined;
  #undecided: Set<number> | undefined;

  /** Whether request `id` was handled before. */
  isRepeat(id: RequestId): boolean {
    return id <= this.last;
  }

  /** Whether request `id`, which is no repeat, is the next one; takes its number then. */
  take(id: RequestId): boolean {
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

  /** Request `id` is answered once `decision` is made, and a repeat of it not before. Gives the decision. */
  decideLater<T>(id: RequestId, decision: Promise<T>): Promise<T> {
    const undecided = this.#undecided ??= new Set();
    undecided.add(id);
    return decision.finally(() => undecided.delete(id));
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
