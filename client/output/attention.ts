// Decides when the terminal calls the user: by the bell, and by a notice on the desktop if the user asked for it.

import { type ChatLine, safeName } from "../render/text.ts";
import type { ChatSettings } from "../config/chat_settings.ts";
import type { Alert } from "../terminal/terminal.ts";

// A member who writes a name in every line must not make the terminal ring all the time.
const PAUSE_MS = 3_000;

/** What the decision depends on, and the call itself. */
export interface AttentionOptions {
  readonly settings: ChatSettings;
  readonly alert: (alert: Alert) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** Calls the user for messages that concern them. */
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
    // Sender and room, never the text: desktops keep their notices, some of them on the disk.
    const text = `cmdchat: ${safeName(line.sender)} in ${safeName(line.room)}`;
    alert(form === "off" ? {} : { notice: { form, text } });
  }
}
