// When the terminal calls the user: the bell, and a notice on the desktop where they asked for it.

import { type ChatLine, safeName } from "../render/text.ts";
import type { ChatSettings } from "../config/chat_settings.ts";
import type { Alert } from "../terminal/terminal.ts";

// A member who says a name in every line must not make the terminal ring without end.
const PAUSE_MS = 3_000;

/** What decides. */
export interface AttentionOptions {
  readonly settings: ChatSettings;
  readonly alert: (alert: Alert) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Calls the user for lines that are theirs to see. */
export class Attention {
  readonly #options: AttentionOptions;
  #last = -Infinity;

  constructor(options: AttentionOptions) {
    this.#options = options;
  }

  /** A line was shown. */
  chat(line: ChatLine): void {
    const { settings, alert, now } = this.#options;
    const isForUs = line.mention || line.to !== undefined;
    const bell = settings.get("bell");
    if (line.own || bell === "off" || (bell === "mention" && !isForUs)) return;
    if (now() - this.#last < PAUSE_MS) return;
    this.#last = now();
    const form = settings.get("notice");
    // Who and where, never what: a desktop keeps its notices, and some on the disk.
    const text = `cmdchat: ${safeName(line.sender)} in ${safeName(line.room)}`;
    alert(form === "off" ? {} : { notice: { form, text } });
  }
}
