// What a script hears of a chat: only what it asked for. Warnings and errors still reach standard error.

import { Output, type OutputOptions } from "../output/output.ts";
import type { ChatLine, LinkNote, SystemLine } from "../render/text.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { TransferEvent } from "../transfers/transfer_event.ts";

/** What a script listens to. */
export interface ScriptEars {
  /** A message; `line` is NOT sanitized. */
  readonly onChat?: (line: ChatLine) => void;
  /** A turn of a transfer; NOT sanitized. */
  readonly onFile?: (event: TransferEvent) => void;
  /** Somebody came, went, or took another name. */
  readonly onPeople?: () => void;
}

/** An output that shows nothing of the conversation by itself. */
export class ScriptOutput extends Output {
  readonly #ears: ScriptEars;
  #wasLost = false;

  constructor(options: OutputOptions, ears: ScriptEars) {
    // What a newer kind of line would print belongs to nobody's script.
    super({ ...options, print: () => {} });
    this.#ears = ears;
  }

  override chat(line: ChatLine): "shown" {
    this.#ears.onChat?.(line);
    return "shown";
  }

  override file(event: TransferEvent): void {
    this.#ears.onFile?.(event);
  }

  override system(line: SystemLine): void {
    // Why the server did not do what was asked.
    if (line.event === "refused" || line.event === "rate_limited") this.note("warning", line.text);
    this.#ears.onPeople?.();
  }

  override note(level: NoteLevel, text: string, hint?: string): void {
    if (level !== "info") super.note(level, text, hint);
  }

  override answer(): void {}

  /** The first connection is what was asked for, and no news. */
  override link(note: Omit<LinkNote, "time">): void {
    if (note.state === "lost") this.#wasLost = true;
    if (this.#wasLost) super.link(note);
  }
}
