// Who is in the room, as far as the server told us.

import type { MemberState } from "../../shared/messages/messages_v2.ts";
import { nameKey } from "../../shared/text/names.ts";

// A server that announces names without end must not fill the memory.
const MEMBERS_MAX = 10_000;

/** Somebody in the room. `name` is NOT sanitized. */
export interface RosterEntry {
  /** Number of its client; 0 where the server does not tell. */
  readonly client: number;
  readonly name: string;
  readonly state: MemberState;
  /** When it came, ms since 1970; 0 where the server does not tell. */
  readonly since: number;
  /** Why it does not answer, NOT sanitized; null = nothing was said of that. */
  readonly status: string | null;
}

const UNKNOWN = { client: 0, state: "here", since: 0, status: null } as const;

/** Who is in the room, in the order in which they came. */
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

  /** Somebody of this name, or of one that looks like it. */
  find(name: string): RosterEntry | undefined {
    return this.#people.get(nameKey(name));
  }

  /** Somebody is there; what was known of them before is kept unless told. */
  add(person: Partial<RosterEntry> & Pick<RosterEntry, "name">): void {
    if (this.#people.size >= MEMBERS_MAX) return;
    const key = nameKey(person.name);
    this.#people.set(key, { ...UNKNOWN, ...this.#people.get(key), ...person });
  }

  /** Somebody left. */
  remove(name: string): void {
    this.#people.delete(nameKey(name));
  }

  /** Somebody has another name. */
  rename(previous: string, name: string): void {
    const person = this.find(previous);
    this.remove(previous);
    this.add({ ...person, name });
  }

  /** Exactly these are there. */
  replace(people: readonly RosterEntry[]): void {
    this.clear();
    for (const person of people) this.add(person);
  }

  /** Nobody is known. */
  clear(): void {
    this.#people.clear();
  }
}
