// The link of a sealed room is its secret. Sent as text to a server that can read, it would give the room away, so the
// user is asked first, whatever command the text is part of.

import { UsageError } from "../../shared/base/errors.ts";

/** Checks texts that are about to leave for a server that can read them. */
export class SealedLinkGuard {
  /** Whether a person can enter the same text again to send it; a program is always refused. */
  canConfirm = false;
  #refused: string | undefined;

  /** Throws UsageError for a text with the link of a sealed room, unless a person entered it twice. */
  check(text: string): void {
    if (!hasSealedLink(text)) return;
    const isConfirmed = this.canConfirm && this.#refused === text;
    this.#refused = isConfirmed ? undefined : text;
    if (isConfirmed) return;
    throw new UsageError(
      "Not sent: the text has the link of a sealed room, and the server can read what is sent here",
      {
        hint: this.canConfirm
          ? "whoever has the link can join that room; enter the same again to send it anyway"
          : "send the link in a sealed room, or on another way",
      },
    );
  }
}

/** Whether a text holds a link with a secret, whole or in parts. */
function hasSealedLink(text: string): boolean {
  return /cmdchat:/i.test(text) && /[#&]secret=/i.test(text);
}
