// Who put which emoji under which message of a room, as far as this client saw it; in memory only, and bounded: a server
// may announce reactions without end.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
import { reactionKey } from "../../shared/text/reaction.ts";
import type { AnyClientId } from "../base/local_ids.ts";
import { REACTIONS_MAX } from "../base/limits.ts";

/** One emoji under or from under a message. `name` is NOT sanitized. */
export interface Reaction {
  readonly sequence: SequenceNumber;
  readonly emoji: string;
  readonly client: AnyClientId;
  readonly name: string;
  /** Whether it is the user's own. */
  readonly own: boolean;
  /** False: it is taken back. */
  readonly on: boolean;
}

/** All that reacted with one emoji. `names` are NOT sanitized. */
export interface CountedReaction {
  readonly emoji: string;
  /** In the order in which they came. */
  readonly names: readonly string[];
  /** Whether the user is one of them. */
  readonly own: boolean;
}

interface Kind {
  readonly emoji: string;
  /** By client; our own by OWN: a new session has another number. */
  readonly names: Map<AnyClientId | typeof OWN, string>;
}

const OWN = "own";

/** The reactions of one room. */
export class Reactions {
  readonly #kinds = new Map<number, Map<string, Kind>>();
  #size = 0;

  /** Counts one. False where it changes nothing: it is there already, or too many are. */
  take({ sequence, emoji, client, name, own, on }: Reaction): boolean {
    const kinds = this.#kinds.get(sequence) ?? new Map<string, Kind>();
    const key = reactionKey(emoji);
    const kind = kinds.get(key);
    const who = own ? OWN : client;
    if (!on) return kind?.names.has(who) === true && this.#remove(sequence, key, who);
    if (kind?.names.has(who)) return false;
    const mine = kinds.values().reduce((sum, { names }) => sum + Number(names.has(who)), 0);
    if (mine >= REACTIONS_MAX.member || (!kind && kinds.size >= REACTIONS_MAX.kinds)) return false;
    // Set again, so that the message that was reacted to last is the last to be forgotten.
    this.#kinds.delete(sequence);
    this.#kinds.set(sequence, kinds);
    if (kind === undefined) kinds.set(key, { emoji, names: new Map([[who, name]]) });
    else kind.names.set(who, name);
    this.#size++;
    while (this.#size > REACTIONS_MAX.room) {
      this.delete(this.#kinds.keys().next().value as SequenceNumber);
    }
    return true;
  }

  /** What is under a message, in the order in which it came. */
  of(sequence: SequenceNumber): CountedReaction[] {
    return [...this.#kinds.get(sequence)?.values() ?? []].map(({ emoji, names }) => ({
      emoji,
      names: [...names.values()],
      own: names.has(OWN),
    }));
  }

  /** The message that has one of the user's and was reacted to last; undefined where there is none. */
  get lastOwn(): SequenceNumber | undefined {
    return [...this.#kinds].findLast(([, kinds]) =>
      kinds.values().some(({ names }) => names.has(OWN))
    )?.[0];
  }

  /** Forgets those of one message. */
  delete(sequence: SequenceNumber): void {
    for (const { names } of this.#kinds.get(sequence)?.values() ?? []) this.#size -= names.size;
    this.#kinds.delete(sequence);
  }

  /** Forgets all. */
  clear(): void {
    this.#kinds.clear();
    this.#size = 0;
  }

  #remove(sequence: number, key: string, who: AnyClientId | typeof OWN): true {
    const kinds = this.#kinds.get(sequence);
    const kind = kinds?.get(key);
    kind?.names.delete(who);
    this.#size--;
    if (kind?.names.size === 0) kinds?.delete(key);
    if (kinds?.size === 0) this.#kinds.delete(sequence);
    return true;
  }
}
