// Who wrote the last chats of a room: only they may change them.

import type { ClientId, SequenceNumber } from "../../shared/messages/ids.ts";
import { AUTHORS_REMEMBERED } from "../config/limits.ts";

const NOBODY = -1;

/** The clients that wrote the last AUTHORS_REMEMBERED chats, by sequence. */
export class RecentAuthors {
  // A ring, since one entry comes and one goes with every chat of a busy room; made with the first chat.
  #clients: number[] | undefined;
  #last = 0;

  /** `client` wrote chat `sequence`, the next one. */
  add(sequence: SequenceNumber, client: ClientId): void {
    this.#clients ??= [];
    this.#clients[sequence % AUTHORS_REMEMBERED] = client;
    this.#last = sequence;
  }

  /** Who wrote chat `sequence`; undefined where it is too old, was taken back, or does not exist yet. */
  of(sequence: SequenceNumber): number | undefined {
    if (sequence > this.#last || sequence <= this.#last - AUTHORS_REMEMBERED) return undefined;
    const client = this.#clients?.[sequence % AUTHORS_REMEMBERED];
    return client === NOBODY ? undefined : client;
  }

  /** All that is known, oldest first; a chat that was taken back has no author. */
  get all(): [number, number][] {
    const known: [number, number][] = [];
    const first = Math.max(1, this.#last - AUTHORS_REMEMBERED + 1);
    for (let sequence = first; sequence <= this.#last; sequence++) {
      known.push([sequence, this.#clients?.[sequence % AUTHORS_REMEMBERED] ?? NOBODY]);
    }
    return known;
  }

  /** Chat `sequence` was taken back: nobody may change it from now on. */
  forget(sequence: SequenceNumber): void {
    if (this.#clients !== undefined && this.of(sequence) !== undefined) {
      this.#clients[sequence % AUTHORS_REMEMBERED] = NOBODY;
    }
  }
}
