// The members of a room, as the server reports them.

import type { AnyClientId } from "../base/local_ids.ts";
import type { MemberState } from "../../shared/messages/messages_v2.ts";
import { nameKey } from "../../shared/text/names.ts";

// A server that announces endless names must not fill the memory.
/** Members of one room that a client knows. */
export const MEMBERS_MAX = 10_000;

/** What this user knows of somebody's key: it was compared, or it is another one than the name had before. */
export type KeyTrust = "unknown" | "verified" | "questioned";

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
  /** Absent: nothing is known of it. */
  readonly key?: KeyTrust;
  /** The device key that they have proven, in hexadecimal; absent: none. */
  readonly device?: string;
  /** The name under which the user remembers that key; absent: they do not. */
  readonly known?: string;
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

  /** What is known of the key of a client that has this name here. */
  keyOf(name: string, client: AnyClientId): KeyTrust {
    return this.#clientOf(name, client)?.key ?? "unknown";
  }

  /** As whom the user remembers a client that has this name here; undefined: as nobody. */
  knownAs(name: string, client: AnyClientId): string | undefined {
    return this.#clientOf(name, client)?.known;
  }

  #clientOf(name: string, client: AnyClientId): RosterEntry | undefined {
    const person = this.find(name);
    return person?.client === client ? person : undefined;
  }

  /** Says what is known of a client's key now; nothing where it has another name, or is gone. */
  setKey(
    { name, client }: Pick<RosterEntry, "name" | "client">,
    about: Pick<RosterEntry, "key" | "device" | "known">,
  ): void {
    const person = this.#clientOf(name, client);
    if (person === undefined) return;
    this.#people.set(nameKey(name), { ...withoutKey(person), ...about });
  }

  /** Adds or updates a member; fields that are not given keep their value, but for the key of another client. */
  add(person: Partial<RosterEntry> & Pick<RosterEntry, "name">): void {
    const name = nameKey(person.name);
    const known = this.#people.get(name);
    if (this.#people.size >= MEMBERS_MAX && known === undefined) return;
    const isSame = person.client === undefined || person.client === known?.client;
    const former = known === undefined || isSame ? known : withoutKey(known);
    this.#people.set(name, { ...UNKNOWN, key: "unknown", ...former, ...person });
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

function withoutKey(
  { key: _key, device: _device, known: _known, ...rest }: RosterEntry,
): RosterEntry {
  return rest;
}
