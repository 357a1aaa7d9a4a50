// What the local history gets of the conversation.

import type { Clock } from "../base/clock.ts";
import type { History, HistoryEntry } from "../history/history.ts";
import type { ChatLine } from "../render/text.ts";

/** Where lines are kept. */
export interface HistoryLogOptions {
  /** undefined: nowhere. */
  readonly history: Pick<History, "append"> | undefined;
  readonly clock: Clock;
  /** Told once that it failed, and why. */
  readonly fault: (why: string) => void;
}

/** Stores lines in the history, where there is one. */
export class HistoryLog {
  readonly #options: HistoryLogOptions;
  #hasFailed = false;

  constructor(options: HistoryLogOptions) {
    this.#options = options;
  }

  /** Stores a line; one without a time gets that of now. */
  store(entry: HistoryEntry): void {
    const { history, clock } = this.#options;
    if (history === undefined) return;
    const time = isUtcTime(entry.time) ? entry.time : clock.utc();
    history.append({ ...entry, time }).catch((error) => this.#failed(error));
  }

  /** Reported once: a full disk would otherwise answer every line with an error. */
  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.fault(error instanceof Error ? error.message : "the system refused");
  }
}

/** The history records of each line whether the server could read it. */
export function markOf({ sealed = false }: Pick<ChatLine, "sealed">): Pick<HistoryEntry, "sealed"> {
  return sealed ? { sealed } : {};
}

function isUtcTime(time: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(time) &&
    !Number.isNaN(Date.parse(time));
}
