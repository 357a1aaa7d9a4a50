// Who is in the room, as far as the server told us.

import type { MemberState } from "../shared/messages_v2.ts";
import { nameKey } from "../shared/names.ts";

// A server that announces names without end must not fill the memory.
const MEMBERS_MAX = 10_000;

/** Somebody in the room. `name` is NOT sanitized. */
export interface Person {
  readonly name: string;
  readonly state: MemberState;
}

/** Who is in the room, in the order in which they came. */
export class Roster {
  readonly #people = new Map<string, Person>();

  /** All names. */
  get names(): string[] {
    return this.people.map(({ name }) => name);
  }

  /** All members. */
  get people(): Person[] {
    return [...this.#people.values()];
  }

  /** Somebody is there; what was known of them before is kept unless told. */
  add(name: string, state?: MemberState): void {
    if (this.#people.size >= MEMBERS_MAX) return;
    const key = nameKey(name);
    this.#people.set(key, { name, state: state ?? this.#people.get(key)?.state ?? "here" });
  }

  /** Somebody left. */
  remove(name: string): void {
    this.#people.delete(nameKey(name));
  }

  /** Somebody has another name. */
  rename(previous: string, name: string): void {
    const state = this.#people.get(nameKey(previous))?.state;
    this.remove(previous);
    this.add(name, state);
  }

  /** Exactly these are there. */
  replace(people: readonly Person[]): void {
    this.clear();
    for (const { name, state } of people) this.add(name, state);
  }

  /** Nobody is known. */
  clear(): void {
    this.#people.clear();
  }
}
