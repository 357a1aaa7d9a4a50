// How much a shared log keeps: which entries could be trimmed so that a server that joins late still finds a whole state.

/** An entry of the log, as far as its size matters. */
export interface KeptEntry {
  readonly position: number;
  readonly bytes: number;
  /** Whether it is valid and holds the whole state. */
  whole: boolean;
}

// A log keeps 512 entries; what is above has been dropped by the backplane.
const ENTRIES_MAX = 512;

/** The entries that a log keeps, as its reader knows them. */
export class LogSize {
  #kept: KeptEntry[] = [];
  #bytes = 0;
  #wholeAt = 0;

  /** Position of the last valid entry that holds the whole state; 0 = none is known. */
  get wholeAt(): number {
    return this.#wholeAt;
  }

  /** Bytes of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes an entry that was read. */
  add(entry: KeptEntry): void {
    this.#kept.push(entry);
    this.#bytes += entry.bytes;
    if (this.#kept.length > ENTRIES_MAX) this.#drop(this.#kept.length - ENTRIES_MAX);
  }

  /** The entry at `position`, which was read, is valid and holds the whole state. */
  markWhole(position: number): void {
    const entry = this.#kept.findLast((kept) => kept.position === position);
    if (entry !== undefined) entry.whole = true;
    this.#wholeAt = position;
  }

  /**
   * The position up to which the log can be trimmed so that at least half of `most` bytes, from a whole state on, stay
   * for servers that are slow; undefined if no entry makes that possible. Notes the trimming.
   */
  trimTo(most: number): number | undefined {
    let kept = 0;
    for (let n = this.#kept.length - 1; n > 0; n--) {
      const entry = this.#kept[n] as KeptEntry;
      kept += entry.bytes;
      if (!entry.whole || kept < most / 2) continue;
      const upTo = this.#kept[n - 1]?.position;
      this.#drop(n);
      return upTo;
    }
    return undefined;
  }

  /** Forgets all: the log is another. */
  clear(): void {
    this.#drop(this.#kept.length);
    this.#wholeAt = 0;
  }

  #drop(count: number): void {
    for (const { bytes } of this.#kept.slice(0, count)) this.#bytes -= bytes;
    this.#kept = this.#kept.slice(count);
  }
}
