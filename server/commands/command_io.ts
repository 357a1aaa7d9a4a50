// What a command of the executable gets: where it prints and how it is interrupted.

/** Where a command writes, and when it ends. */
export interface CommandIo {
  readonly write: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Whether `write` goes to a terminal. */
  readonly terminal: boolean;
  readonly signal: AbortSignal;
}
