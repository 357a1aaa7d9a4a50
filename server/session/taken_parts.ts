// Tells a sender which of its parts of files have come. One answer stands for all parts before it: one for each would be
// half of the server's writes while a file passes.

import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { TAKEN_PARTS } from "../config/limits.ts";

const { parts: PARTS, waitMs: WAIT_MS } = TAKEN_PARTS;

type Taken = EventOf<"taken">;

/** A sender of files. */
export interface ToldSender {
  tell(taken: Taken): void;
}

/** The parts of one sender that were not confirmed yet. */
export class TakenParts {
  readonly #sender: ToldSender;
  #last: Taken | undefined;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sender: ToldSender) {
    this.#sender = sender;
  }

  /** A part came. */
  add({ file, index }: Pick<Taken, "file" | "index">): void {
    this.#last = { kind: "taken", file, index };
    if (++this.#count >= PARTS) return this.#flush();
    this.#timer ??= setTimeout(() => this.#flush(), WAIT_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const last = this.#last;
    this.#last = undefined;
    this.#count = 0;
    if (last !== undefined) this.#sender.tell(last);
  }
}
