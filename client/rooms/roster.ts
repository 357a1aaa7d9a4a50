// The members of a room, as the server reports them.

import type { AnyClientId } from "../base/local_ids.ts";
import type { MemberState } from "../../shared/messages/messages_v2.ts";
import { nameKey } from "../../shared/text/names.ts";

// A server that announces endless names must not fill the memory.
/** Members of one room that a client knows. */
export const MEMBERS_MAX = 10_000;

/** A member of the room. `name` is NOT sanitized. */
export interface RosterEntry {
  /** Which client it is; 0 if the server does not tell. */
  readonly client: AnyClientId;
  readonly name: string;
  readonly state: MemberState;
  /** When the member joined, ms since 1970; 0 if the server does not tell. */
  readonly since: number;
  /** The away text, NOT sanitized; null = not away. */
  readonly status: string | null;
}

const UNKNOWN = { client: 0, state: "here", since: 0, status: null } as const;

/** The members of a room, in the order of joining. */
export class Roster {
  readonly #people = new Map<string, RosterEntry>();

  /** All names. */
  get names(): string[] {
    return this.people.map(({ name }) => name);
  }

  /** All members. */
  get people(): RosterEntry[] {
    return [...this.#people.values()];
  }

  /** The member of this name, or of a name that looks like it. */
  find(name: string): RosterEntry | undefined {
    return this.#people.get(nameKey(name));
  }

  /** Adds or updates a member; fields that are not given keep their value. */
  add(person: Partial<RosterEntry> & Pick<RosterEntry, "name">): void {
    const key = nameKey(person.name);
    if (this.#people.size >= MEMBERS_MAX && !this.#people.has(key)) return;
    this.#people.set(key, { ...UNKNOWN, ...this.#people.get(key), ...person });
  }

  /** Removes a member. */
  remove(name: string): void {
    this.#people.delete(nameKey(name));
  }

  /** Renames a member. */
  rename(previous: string, name: string): void {
    const person = this.find(previous);
    this.remove(previous);
    this.add({ ...person, name });
  }

  /** Replaces all members. */
  replace(people: readonly RosterEntry[]): void {
    this.clear();
    for (const person of people) this.add(person);
  }

  /** Removes all members. */
  clear(): void {
    this.#people.clear();
  }
}
