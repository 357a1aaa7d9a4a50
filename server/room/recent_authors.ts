// Who wrote the last chats of a room, and a mark of what they say: only their authors may change them, and nobody can
// pin what nobody said.

import { fromHex, toHex } from "#platform/bytes.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { sha256Hex } from "../../shared/crypto/hkdf.ts";
import type { ClientId, SequenceNumber } from "../../shared/messages/ids.ts";
import { AUTHORS_REMEMBERED } from "../config/limits.ts";
import { afterFlush } from "../delivery/flush_turn.ts";

const NOBODY = -1;
const NO_MARK = -1;
const KEY_BYTES = 16;
// 48 bits fit a number. Under a key that no client has, nobody can look for another text with the same mark.
const MARK_DIGITS = 12;

/** What is known of a room's chats, for another process: the key of the marks; sequence, client, mark. */
export interface AuthorsSnapshot {
  readonly key: Uint8Array;
  readonly chats: readonly (readonly [number, number, number])[];
}

/** A chat, as far as it is remembered. */
export interface RememberedChat {
  readonly sequence: SequenceNumber;
  readonly client: ClientId;
  readonly name: string;
  readonly text: string;
}

/** The clients that wrote the last AUTHORS_REMEMBERED chats, by sequence. */
export class RecentAuthors {
  // Rings, since one entry comes and one goes with every chat of a busy room; made with the first chat.
  #clients: number[] | undefined;
  #marks: number[] = [];
  /** In hex: a text is hashed faster than bytes. */
  #key: string | undefined;
  #last = 0;
  /** Chats whose marks are not made yet: to hash a lone line would keep those waiting who get it. */
  #unmarked: RememberedChat[] | undefined;

  /** A chat was said, the next one. */
  add(chat: RememberedChat): void {
    this.#put(chat.sequence, chat.client, NO_MARK);
    if (this.#unmarked === undefined) {
      this.#unmarked = [];
      afterFlush(() => this.#mark());
    }
    this.#unmarked.push(chat);
  }

  /** Who wrote chat `sequence`; undefined where it is too old, was taken back, or does not exist yet. */
  of(sequence: SequenceNumber): number | undefined {
    if (sequence > this.#last || sequence <= this.#last - AUTHORS_REMEMBERED) return undefined;
    const client = this.#clients?.[sequence % AUTHORS_REMEMBERED];
    return client === NOBODY ? undefined : client;
  }

  /** Whether somebody of that name says that text in chat `sequence`, as far as it is remembered. */
  says(chat: Omit<RememberedChat, "client">): boolean {
    this.#mark();
    return this.of(chat.sequence) !== undefined &&
      this.#marks[chat.sequence % AUTHORS_REMEMBERED] === this.#markOf(chat);
  }

  /** Chat `sequence` was changed by who wrote it, whatever their name is now. */
  revise(chat: Omit<RememberedChat, "client">): void {
    if (this.of(chat.sequence) === undefined) return;
    this.#mark();
    this.#marks[chat.sequence % AUTHORS_REMEMBERED] = this.#markOf(chat);
  }

  /** Chat `sequence` was taken back: nobody may change it from now on. */
  forget(sequence: SequenceNumber): void {
    if (this.#clients !== undefined && this.of(sequence) !== undefined) {
      this.#clients[sequence % AUTHORS_REMEMBERED] = NOBODY;
    }
  }

  /** All that is known, oldest first; a chat that was taken back has no author. */
  get snapshot(): AuthorsSnapshot {
    this.#mark();
    const chats: [number, number, number][] = [];
    const first = Math.max(1, this.#last - AUTHORS_REMEMBERED + 1);
    for (let sequence = first; sequence <= this.#last; sequence++) {
      const place = sequence % AUTHORS_REMEMBERED;
      chats.push([sequence, this.#clients?.[place] ?? NOBODY, this.#marks[place] ?? 0]);
    }
    return { key: fromHex(this.#markKey()), chats };
  }

  /** Goes on from what the process before knew. */
  restore({ key, chats }: AuthorsSnapshot): void {
    this.#key = toHex(key);
    for (const [sequence, client, mark] of chats) this.#put(sequence, client, mark);
  }

  #mark(): void {
    const unmarked = this.#unmarked;
    this.#unmarked = undefined;
    for (const chat of unmarked ?? []) {
      this.#marks[chat.sequence % AUTHORS_REMEMBERED] = this.#markOf(chat);
    }
  }

  #put(sequence: SequenceNumber, client: ClientId, mark: number): void {
    this.#clients ??= [];
    this.#clients[sequence % AUTHORS_REMEMBERED] = client;
    this.#marks[sequence % AUTHORS_REMEMBERED] = mark;
    this.#last = sequence;
  }

  #markOf({ name, text }: Pick<RememberedChat, "name" | "text">): number {
    // With its length: a client could otherwise pass off a part of the text as part of the name.
    const digest = sha256Hex(`${this.#markKey()}${name.length} ${name}${text}`);
    return Number.parseInt(digest.slice(0, MARK_DIGITS), 16);
  }

  #markKey(): string {
    return this.#key ??= toHex(randomBytes(KEY_BYTES));
  }
}
