// Whose device keys the user has compared: in memory, and in a file where there is one (known_people_file.ts).

import { LimitError } from "../../shared/base/errors.ts";
import { nameKey } from "../../shared/text/names.ts";
import { KNOWN_PEOPLE_MAX } from "../base/limits.ts";

/** Somebody whose device key the user has compared. */
export interface KnownPerson {
  readonly name: string;
  /** The device key in hexadecimal. */
  readonly key: string;
  /** When it was compared: `2026-11-29`. */
  readonly date: string;
}

/** People by the key of their names. */
export type PeopleByName = Map<string, KnownPerson>;

/** Where known people are kept for the next start. */
export interface PeopleStore {
  readonly path: string;
  /** Changes what is kept now, which another client may have changed; gives all of it. Throws ConfigError. */
  readonly change: (change: (people: PeopleByName) => void) => Promise<PeopleByName>;
}

/** The people that the user knows. */
export class KnownPeople {
  readonly #people: PeopleByName;
  readonly #store: PeopleStore | undefined;
  /** Told after each change. */
  onChange: () => void = () => {};

  /** Without a store they are known until the program ends. */
  constructor(people: PeopleByName = new Map(), store?: PeopleStore) {
    this.#people = new Map(people);
    this.#store = store;
  }

  /** The file; undefined where nothing is written. */
  get path(): string | undefined {
    return this.#store?.path;
  }

  /** All of them, in the order in which they became known. */
  get all(): KnownPerson[] {
    return [...this.#people.values()];
  }

  /** Who has this name, or one that looks like it. */
  byName(name: string): KnownPerson | undefined {
    return this.#people.get(nameKey(name));
  }

  /** Whose key this is. */
  byKey(key: string | undefined): KnownPerson | undefined {
    return key === undefined ? undefined : this.all.find((person) => person.key === key);
  }

  /** From now on this key is this name's, and no other one. Throws ConfigError or LimitError. */
  async remember(person: KnownPerson): Promise<void> {
    await this.#change((people) => {
      const name = nameKey(person.name);
      if (!people.has(name) && people.size >= KNOWN_PEOPLE_MAX) {
        throw new LimitError(
          `Cannot remember ${KNOWN_PEOPLE_MAX + 1} people: ${KNOWN_PEOPLE_MAX} is the maximum`,
          { hint: "/people lists them; /forget NAME forgets one" },
        );
      }
      people.set(name, person);
    });
  }

  /** Forgets somebody; false where nobody of this name is known. Throws ConfigError. */
  async forget(name: string): Promise<boolean> {
    if (this.byName(name) === undefined) return false;
    await this.#change((people) => void people.delete(nameKey(name)));
    return true;
  }

  async #change(change: (people: PeopleByName) => void): Promise<void> {
    if (this.#store === undefined) change(this.#people);
    else {
      const people = await this.#store.change(change);
      this.#people.clear();
      for (const [name, person] of people) this.#people.set(name, person);
    }
    this.onChange();
  }
}
