// Decides when the terminal calls the user: by the bell, and by a notice on the desktop if the user asked for it.

import { type ChatLine, foldCase, safeName } from "../render/text.ts";
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

// A whole word ends where no letter, mark or digit follows, and begins where no letter or digit is before it.
const LETTER_BEFORE = /[\p{L}\p{N}]$/u;
const LETTER_AFTER = /^[\p{L}\p{M}\p{N}]/u;

/** Whether `text` contains `name` as a whole word, in any case. */
export function mentions(text: string, name: string): boolean {
  const needle = foldCase(name);
  if (needle === "") return false;
  const haystack = foldCase(text);
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) {
    const end = at + needle.length;
    // Two units hold a whole character: more would make the scan quadratic.
    const [before, after] = [haystack.slice(Math.max(0, at - 2), at), haystack.slice(end, end + 2)];
    if (!LETTER_BEFORE.test(before) && !LETTER_AFTER.test(after)) return true;
  }
  return false;
}
