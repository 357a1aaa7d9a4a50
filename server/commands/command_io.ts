// What a command of the program gets: where it prints, and its signal to stop.

/** A command's output and stop signal. */
export interface CommandIo {
  readonly write: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Whether `write` goes to a terminal. */
  readonly terminal: boolean;
  readonly signal: AbortSignal;
}

/** Signals that stop a command. */
export const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];
