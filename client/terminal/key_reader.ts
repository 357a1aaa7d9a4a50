// Turns bytes of the terminal into key events. Time decides where bytes alone cannot: a lone Escape, and an answer
// of the terminal that does not come.

import type { Tty } from "./terminal.ts";
import { parseReportedColor, type Rgb } from "./contrast.ts";
import { type KeyEvent, KeyParser } from "./keys.ts";
import { DISPUTED_CLUSTERS, type DisputedKind, learnWidths } from "./width.ts";
import type { Timers } from "./paint_scheduler.ts";
import {
  BACKGROUND_QUERY,
  BACKGROUND_REPORT,
  CURSOR_REPORT,
  DEVICE_REPORT,
  widthQuery,
} from "./terminal_modes.ts";

/** What the user did, without the answers of the terminal. */
export type UserKey = Exclude<KeyEvent, { kind: "report" }>;

// A sequence: longer than it takes over a slow line, shorter than a person notices after Escape.
// A report: a terminal answers within milliseconds, over a slow line within a second; after that it will not.
const WAITS = { sequence: 50, report: 1_000, paste: 1_000 } as const;

/** What a key reader needs besides its terminal. */
export interface KeyReaderOptions {
  readonly timers: Timers;
  /** Receives what the user did. */
  readonly take: (keys: readonly UserKey[]) => void;
  /** While this promise is pending nothing is read: another program has the terminal, and the keys are its own. */
  readonly busy: () => Promise<void> | undefined;
}

/** Reads one terminal to its end. */
export class KeyReader {
  readonly #tty: Tty;
  readonly #options: KeyReaderOptions;
  readonly #parser = new KeyParser();
  #cancelTimer: (() => void) | undefined;
  /** Resolves when no question is waited for. */
  #asking: Promise<void> | undefined;
  #isStopped = false;
  #reported: ((text: string) => void) | undefined;
  /** Resolves when the terminal has answered all questions; undefined while none is open. */
  #open: PromiseWithResolvers<void> | undefined;

  constructor(tty: Tty, options: KeyReaderOptions) {
    this.#tty = tty;
    this.#options = options;
  }

  /** Resolves at the end of the input. */
  async run(): Promise<void> {
    try {
      for await (const bytes of this.#tty.input) {
        this.#cancelTimer?.();
        this.#take(this.#parser.feed(bytes));
        this.#armTimer();
        await this.#options.busy();
      }
    } catch {
      // A terminal that can no longer be read ends the input, like one that was closed.
    }
  }

  /** Waits for the answers to open questions, a second at most: later ones would land in the shell. */
  async answered(): Promise<void> {
    this.#isStopped = true;
    if (this.#open === undefined) return;
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.timers.after(WAITS.report, late.resolve);
    await Promise.race([this.#open.promise, late.promise]);
    cancel();
  }

  /** Stops the timer, and asks nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  /** The color of the terminal's background; undefined if the terminal does not answer in time. */
  background(): Promise<Rgb | undefined> {
    return this.#ask(BACKGROUND_QUERY, (answers) => {
      const color = answers.find((text) => text.startsWith(BACKGROUND_REPORT));
      return color && { value: parseReportedColor(color.slice(BACKGROUND_REPORT.length)) };
    });
  }

  /** Asks how wide the terminal draws what terminals disagree about; false if it does not say so in time. */
  async learnWidths(): Promise<boolean> {
    const kinds = Object.keys(DISPUTED_CLUSTERS) as DisputedKind[];
    const cells = await this.#ask(
      widthQuery(Object.values(DISPUTED_CLUSTERS)),
      (answers, isOver) => {
        const columns = answers.flatMap((text) => CURSOR_REPORT.exec(text)?.[1] ?? []);
        const isWhole = isOver && columns.length === kinds.length;
        return isWhole ? { value: columns.map((column) => Number(column) - 1) } : undefined;
      },
    );
    if (cells === undefined) return false;
    learnWidths(Object.fromEntries(kinds.map((kind, index) => [kind, cells[index]])));
    return true;
  }

  /**
   * Asks the terminal once the question before is over. `read` gives the value as soon as the answers hold it; without
   * one by the last answer, and after the deadline, the value is undefined.
   */
  #ask<T>(
    query: string,
    read: (answers: readonly string[], isOver: boolean) => { readonly value: T } | "" | undefined,
  ): Promise<T | undefined> {
    if (this.#isStopped) return Promise.resolve(undefined);
    const result = this.#asking === undefined
      ? this.#askNow(query, read)
      : this.#asking.then(() => this.#isStopped ? undefined : this.#askNow(query, read));
    const asking = result.then(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
    return result;
  }

  #askNow<T>(
    query: string,
    read: (answers: readonly string[], isOver: boolean) => { readonly value: T } | "" | undefined,
  ): Promise<T | undefined> {
    return new Promise((resolve) => {
      const answers: string[] = [];
      const done = (value: T | undefined) => {
        cancel();
        this.#parser.expectsReport = false;
        this.#reported = undefined;
        resolve(value);
      };
      const cancel = this.#options.timers.after(WAITS.report, () => done(undefined));
      this.#reported = (text) => {
        const isOver = DEVICE_REPORT.test(text);
        answers.push(text);
        const found = read(answers, isOver);
        if (found || isOver) done(found ? found.value : undefined);
      };
      this.#open ??= Promise.withResolvers();
      this.#parser.expectsReport = true;
      this.#tty.write(query);
    });
  }

  #armTimer(): void {
    const { pending } = this.#parser;
    if (pending === "nothing") return;
    this.#cancelTimer = this.#options.timers.after(
      WAITS[pending],
      () => this.#take(this.#parser.timeOut()),
    );
  }

  #take(events: readonly KeyEvent[]): void {
    for (const event of events) if (event.kind === "report") this.#report(event.text);
    this.#options.take(events.filter((event) => event.kind !== "report"));
  }

  #report(text: string): void {
    this.#reported?.(text);
    if (!DEVICE_REPORT.test(text)) return;
    this.#open?.resolve();
    this.#open = undefined;
  }
}
