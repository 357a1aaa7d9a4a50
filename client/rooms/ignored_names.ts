// Names whose messages are not shown; only this client knows them.

import { nameKey } from "../../shared/text/names.ts";

/** Ignored names, in any case. */
export class IgnoredNames {
  readonly #names = new Map<string, string>();

  /** All names as typed. */
  get names(): string[] {
    return [...this.#names.values()];
  }

  /** Whether `name` is ignored. */
  has(name: string): boolean {
    return this.#names.has(nameKey(name));
  }

  /** Ignores `name`. */
  add(name: string): void {
    this.#names.set(nameKey(name), name);
  }

  /** Stops ignoring `name`; false if it was not ignored. */
  remove(name: string): boolean {
    return this.#names.delete(nameKey(name));
  }

  /** Follows a rename: a new name does not end an ignore. */
  rename(previous: string, name: string): void {
    if (this.remove(previous)) this.add(name);
  }
}
