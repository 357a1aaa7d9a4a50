// What a command of the program gets: where it prints, and its signal to stop.

/** A command's output and stop signal. */
export interface CommandIo {
  readonly write: (text: string) => void;
  readonly warn: (text: string) => void;
  /** The terminal that `write` goes to, if it is one. */
  readonly terminal: CommandTerminal | undefined;
  readonly signal: AbortSignal;
}

/** A terminal that a command draws on. */
export interface CommandTerminal {
  /** Its size in cells, now. */
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Calls `quit` when q is pressed, and echoes nothing, until what it returns is called. */
  readonly listen: (quit: () => void) => () => void;
}

/** The terminal of this process; undefined where standard output is none. */
export function ownTerminal(): CommandTerminal | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  return { size: Deno.consoleSize, listen: listenForQuit };
}

function listenForQuit(quit: () => void): () => void {
  // Windows has no mode in which keys come at once and Ctrl-C is still a signal.
  if (!Deno.stdin.isTerminal() || Deno.build.os === "windows") return () => {};
  Deno.stdin.setRaw(true, { cbreak: true });
  void readKeys((key) => {
    if (key === "q" || key === "Q") quit();
  });
  return () => Deno.stdin.setRaw(false);
}

/** Ends with the input, and with the process. */
async function readKeys(take: (key: string) => void): Promise<void> {
  const bytes = new Uint8Array(64);
  for (;;) {
    const length = await Deno.stdin.read(bytes).catch(() => null);
    if (length === null) return;
    for (const byte of bytes.subarray(0, length)) take(String.fromCharCode(byte));
  }
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
