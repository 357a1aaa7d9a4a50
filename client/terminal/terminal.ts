// The terminal as the console sees it.

/** A terminal as bytes in and text out; `openTty` in tty.ts is the real one. */
export interface Tty {
  /** Width in cells, at least 1; changes before the handler of `onResize` runs. */
  readonly columns: number;
  /** Height in rows, at least 1. */
  readonly rows: number;
  /** Bytes typed by the user; ends when the terminal is gone or closed. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Queues text; what is queued leaves in order. */
  write(text: string): void;
  /** Resolves when all that was queued has been taken by the terminal. */
  flush(): Promise<void>;
  /** Calls the handler after each change of size. */
  onResize(handler: () => void): void;
  /** Looks at the size, and calls the handler now where it has changed and nothing told of it yet. */
  measure(): void;
  /** Leaves the terminal to another program until `resume`; what is queued must have left. */
  suspend(): void;
  /** Takes it back. */
  resume(): void;
  /** Puts the terminal back as it was found; idempotent. */
  close(): Promise<void>;
}

/** Calls the user: rings, and shows a notice on the desktop where one is wanted. */
export interface Alert {
  /** A safe line, and the sequence that the terminal takes it by. */
  readonly notice?: { readonly form: "osc9" | "osc777"; readonly text: string };
}

/** Streams as LineConsole needs them; `openLineIo` in tty.ts has the real ones. */
export interface LineIo {
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes to standard output. */
  write(text: string): Promise<void>;
  /** Writes to standard error, where questions go so that the output stays clean. */
  writeError(text: string): Promise<void>;
  /** Only where the input is a terminal: false hides what is typed and delivers it key by key. */
  setEcho?(on: boolean): void;
  /** Ends the input. */
  close(): Promise<void>;
}
