// The output of a script: only the events that it listens to. Warnings and errors still go to standard error.

import { Output, type OutputOptions } from "../output/output.ts";
import type { ChatLine, ConnectionNote, SystemLine } from "../render/text.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { TransferEvent } from "../transfer_base/transfer_event.ts";

/** The events that a script listens to. */
export interface ScriptListeners {
  /** A message; `line` is NOT sanitized. */
  readonly onChat?: (line: ChatLine) => void;
  /** A message that was said before we came in; `line` is NOT sanitized. */
  readonly onBacklog?: (line: ChatLine) => void;
  /** An event of a transfer, NOT sanitized. */
  readonly onFile?: (event: TransferEvent) => void;
  /** Somebody joined, left, or changed their name. */
  readonly onPeople?: () => void;
}

/** An output that prints nothing of the conversation unasked. */
export class ScriptOutput extends Output {
  readonly #listeners: ScriptListeners;
  #wasLost = false;

  constructor(options: OutputOptions, listeners: ScriptListeners) {
    // A kind of line that is added later must not reach a script's output.
    super({ ...options, print: () => {} });
    this.#listeners = listeners;
  }

  override chat(line: ChatLine): "shown" {
    this.#listeners.onChat?.(line);
    return "shown";
  }

  override earlier(lines: readonly ChatLine[]): void {
    for (const line of lines) this.#listeners.onBacklog?.(line);
  }

  override file(event: TransferEvent): void {
    this.#listeners.onFile?.(event);
  }

  override system(line: SystemLine): void {
    // Why the server refused a request.
    if (line.event === "refused" || line.event === "rate_limited") this.note("warning", line.text);
    this.#listeners.onPeople?.();
  }

  override note(level: NoteLevel, text: string, hint?: string): void {
    if (level !== "info") super.note(level, text, hint);
  }

  override answer(): void {}

  /** The first connection is expected, so it is not printed. */
  override connection(note: Omit<ConnectionNote, "time">): void {
    if (note.state === "lost") this.#wasLost = true;
    if (this.#wasLost) super.connection(note);
  }
}
