// The link of a sealed room is its secret. Sent as text to a server that can read, it would give the room away, so the
// user is asked first, whatever command the text is part of.

import { UsageError } from "../../shared/base/errors.ts";

// Enter pressed twice is no answer to a question that nobody can have read.
const READING_MS = 1_000;

/** Checks texts that are about to leave for a server that can read them. */
export class SealedLinkGuard {
  /** Whether a person can enter the same text again to send it; a program is always refused. */
  canConfirm = false;
  #refused: { readonly text: string; readonly at: number } | undefined;

  /** Throws UsageError for a text with the link of a sealed room, unless a person entered it again; `now`: monotonic ms. */
  check(text: string, now: number): void {
    if (!hasSealedLink(text)) return;
    const asked = this.#refused?.text === text ? this.#refused : undefined;
    if (this.canConfirm && asked !== undefined && now - asked.at >= READING_MS) {
      this.#refused = undefined;
      return;
    }
    this.#refused = asked ?? { text, at: now };
    throw new UsageError(
      "Not sent: the text has the link of a sealed room, and the server can read what is sent here",
      {
        hint: this.canConfirm
          ? "anybody who has the link can join that room; enter the same again to send it anyway"
          : "send the link in a sealed room, or another way",
      },
    );
  }
}

/** Whether a text holds a link with a secret, whole or only its end: the server knows the rest. */
function hasSealedLink(text: string): boolean {
  return /cmdchat:/i.test(text) && /[#&]secret=/i.test(text) ||
    /secret(?:=|%3d)[\w-]{20}/i.test(text);
}
