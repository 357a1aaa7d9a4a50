// Signals of the system that end the program.

import { type EndSignal, signalExitCode } from "../base/exit.ts";

/** Signals that end the program in order. */
export class EndSignals {
  /** The signal that came, if one did. */
  signal: EndSignal | undefined;
  readonly #end: () => boolean;
  #removers: (() => void)[] = [];

  /** `end` ends the chat; false where there is none yet. */
  constructor(end: () => boolean) {
    this.#end = end;
  }

  /** Ends the chat because of a signal. A second one, or one before there is a chat, ends the process at once. */
  request(signal: EndSignal): void {
    if (this.signal !== undefined || !this.#end()) Deno.exit(signalExitCode(signal));
    this.signal = signal;
  }

  /** Takes the signals itself; a terminal in raw mode brings its own. */
  listen(): void {
    const signals: EndSignal[] = Deno.build.os === "windows"
      ? ["SIGINT"]
      : ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) {
      const handler = () => this.request(signal);
      Deno.addSignalListener(signal, handler);
      this.#removers.push(() => Deno.removeSignalListener(signal, handler));
    }
  }

  /** Gives the signals back. */
  release(): void {
    for (const remove of this.#removers.splice(0)) remove();
  }
}
