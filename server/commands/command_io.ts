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

/** A terminal emulator may send SIGHUP a moment before it closes the terminal. */
const TERMINAL_CLOSES_MS = 300;

/** What a server does at SIGHUP. */
export interface HangUpReceiver {
  /** The files may have changed. */
  readonly reload: () => void;
  /** The terminal that the server was started in is gone. */
  readonly stop: () => void;
}

/**
 * SIGHUP of a server from its first moment on: it never ends the process by itself. One that comes before the server
 * runs is kept until then. SIGUSR1 and SIGUSR2, which a server has no use for, do nothing.
 */
export class HangUps {
  readonly #hasLostTerminal = watchTerminal();
  #receiver: HangUpReceiver | undefined;
  #isKept = false;

  constructor() {
    if (Deno.build.os === "windows") return;
    Deno.addSignalListener("SIGHUP", () => this.#onHangUp());
    for (const signal of ["SIGUSR1", "SIGUSR2"] as const) Deno.addSignalListener(signal, () => {});
  }

  /** Tells `receiver` of each SIGHUP, at once of one that is kept. */
  deliverTo(receiver: HangUpReceiver): void {
    this.#receiver = receiver;
    if (this.#isKept) this.#onHangUp();
  }

  #onHangUp(): void {
    const receiver = this.#receiver;
    if (receiver === undefined) {
      this.#isKept = true;
      return;
    }
    if (this.#hasLostTerminal()) return receiver.stop();
    receiver.reload();
    setTimeout(() => {
      if (this.#hasLostTerminal()) receiver.stop();
    }, TERMINAL_CLOSES_MS);
  }
}

/** Whether this process has lost its terminal: a standard stream was one when this was called, and none is one now. */
function watchTerminal(): () => boolean {
  const terminals = [Deno.stdin, Deno.stdout, Deno.stderr].filter((stream) => stream.isTerminal());
  return () => terminals.length > 0 && terminals.every((stream) => !stream.isTerminal());
}
