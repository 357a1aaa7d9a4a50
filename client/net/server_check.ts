// Who answered: compared with what the user expects, with what is known, and with who answered before.

import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { IdentityError } from "../../shared/channel/handshake_error.ts";
import type { KnownServers } from "./known_servers.ts";
import type { NoteLevel } from "../base/note_level.ts";

/** What a check needs. */
export interface ServerCheckOptions {
  /** `host:port` as the user knows it. */
  readonly address: string;
  readonly known: KnownServers | undefined;
  /** Whether a link or --fingerprint says who it must be; the handshake sees to that. */
  readonly pinned: boolean;
  /** Whether the next message to the server holds a token. */
  readonly hasToken: () => boolean;
  /** The server is another than before, and the user was told: what waits must not go to it by itself. */
  readonly onChanged: () => void;
  readonly tell: (level: NoteLevel, text: string, hint?: string) => void;
}

/** Looks at each server that answers, before anything about us is sent. */
export class ServerCheck {
  readonly #options: ServerCheckOptions;
  #before: Fingerprint | undefined;

  constructor(options: ServerCheckOptions) {
    this.#options = options;
  }

  /** Throws IdentityError where the server is not the one that is known. */
  async check(fingerprint: Fingerprint): Promise<void> {
    const { address, known, pinned, tell, hasToken, onChanged } = this.#options;
    const before = this.#before;
    const state = await known?.check(address, fingerprint);
    this.#before = fingerprint;
    if (state === "new") tell("info", `${address} is remembered as ${fingerprint}`);
    if (state !== undefined || pinned) return;
    if (before === undefined) {
      return tell(
        "info",
        `The server is ${fingerprint}`,
        "compare it with the line that the server printed; an invite link does that by itself",
      );
    }
    if (before === fingerprint) return;
    const text = `The server is another than before: ${fingerprint}, it was ${before}`;
    const hint =
      "it was started anew without --identity-file, or someone stands in between: ask its operator";
    // A token is not handed to whoever turns up at the same address.
    if (hasToken()) throw new IdentityError(text, { hint: `${hint}, then join again` });
    tell("danger", text, hint);
    onChanged();
  }
}
