// Whose words are not shown; known to this client alone.

import { nameKey } from "../../shared/text/names.ts";

/** Names that are ignored, whatever their case. */
export class IgnoredNames {
  readonly #names = new Map<string, string>();

  /** All names, as they were typed. */
  get names(): string[] {
    return [...this.#names.values()];
  }

  has(name: string): boolean {
    return this.#names.has(nameKey(name));
  }

  add(name: string): void {
    this.#names.set(nameKey(name), name);
  }

  /** Whether it was there. */
  remove(name: string): boolean {
    return this.#names.delete(nameKey(name));
  }

  /** Somebody has another name, and does not come back by it. */
  rename(previous: string, name: string): void {
    if (this.remove(previous)) this.add(name);
  }
}
