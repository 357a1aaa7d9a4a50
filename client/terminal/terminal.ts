// The interfaces of a terminal and of plain streams: all that the console knows of either.

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
  /** Sets the handler that is called after each change of size. */
  onResize(handler: () => void): void;
  /** Reads the size, and calls the handler if it has changed without a signal. */
  measure(): void;
  /** Leaves the terminal to another program until `resume`; call `flush` first. */
  suspend(): void;
  /** Takes the terminal back from the other program. */
  resume(): void;
  readonly stopping: Stopping;
  /**
   * Gives the terminal back and stops what `stopping` says, as Ctrl-Z does elsewhere, until `fg`. What is queued must
   * have left. After "keyboard" the user stops the program, or `resume` takes the terminal back.
   */
  stop(): void;
  /** Sets the handlers for a stop that was asked for from outside, and for going on after any stop. */
  onStop(handlers: { readonly stop: () => void; readonly goOn: () => void }): void;
  /** Writes this as well when the terminal is given back at any end. */
  atEnd?(text: string): void;
  /** Puts the terminal back as it was found; idempotent. */
  close(): Promise<void>;
}

/** What a program may stop: all that the shell started with it, itself alone, or nothing: then a key has to. */
export type Stopping = "job" | "self" | "keyboard";

/** A call for the user's attention: the bell, and perhaps a notice on the desktop. */
export interface Alert {
  /** A sanitized line, and the OSC sequence in which the terminal takes it. */
  readonly notice?: { readonly form: "osc9" | "osc777"; readonly text: string };
}

/** Standard streams as LineConsole needs them; `openLineIo` in tty.ts opens the real ones. */
export interface LineIo {
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes to standard output. */
  write(text: string): Promise<void>;
  /** Writes to standard error: questions go there, so that the output stays clean. */
  writeError(text: string): Promise<void>;
  /** Present only if the input is a terminal: false hides typed text and delivers it key by key. */
  setEcho?(on: boolean): void;
  /** Ends the input. */
  close(): Promise<void>;
}
