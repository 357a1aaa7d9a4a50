// How fast the server handles the requests of one client. The rate limit decides which of them take effect; this budget
// decides how much of the server's time a client that ignores the limit can take, by requests and by bytes. Such a
// client is slowed down first: what it sends waits in its own socket.

import { LimitError } from "../../shared/base/errors.ts";
import {
  PACE_BURST,
  PACE_BYTES,
  PACE_PARTS,
  PACE_PATIENCE_MS,
  PACE_PAUSE_MAX_MS,
  PACE_PER_SECOND,
} from "../config/limits.ts";

/** A budget of requests that refills with time. */
export class RequestBudget {
  #left = PACE_BURST;
  #bytes = 0;
  #at: number;
  #overSince: number | undefined;

  /** `now`: monotonic, ms. */
  constructor(now: number) {
    this.#at = now;
  }

  /** Charges a request of `bytes` that is handled now. */
  begin(bytes: number): void {
    this.#bytes = bytes;
  }

  /** Takes one request from the budget, even where none is left. */
  spend(): void {
    this.#left -= 1 + this.#bytes / PACE_BYTES;
  }

  /** A part of a file goes to the client: a receiver may ask as fast as it is answered. */
  earnPart(): void {
    this.#left = Math.min(PACE_BURST, this.#left + 1 / PACE_PARTS);
  }

  /** The ms to wait at `now` before the next request. Throws LimitError when a client goes too fast for too long. */
  wait(now: number): number {
    this.#left = Math.min(PACE_BURST, this.#left + (now - this.#at) * PACE_PER_SECOND / 1_000);
    this.#at = now;
    if (this.#left < 0) this.#overSince ??= now;
    else if (this.#left > PACE_BURST / 2) this.#overSince = undefined;
    if (now - (this.#overSince ?? now) > PACE_PATIENCE_MS) {
      throw new LimitError(
        `Cannot keep up: more than ${PACE_PER_SECOND} requests a second, or too many bytes, for ${
          PACE_PATIENCE_MS / 1_000
        } seconds`,
      );
    }
    return this.#left >= 0 ? 0 : Math.min(PACE_PAUSE_MAX_MS, -this.#left * 1_000 / PACE_PER_SECOND);
  }
}
