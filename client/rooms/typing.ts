// Who is typing; sent and shown only with `/set typing on`.

import type { AnyRoomId } from "../base/local_ids.ts";
import { TYPING_QUIET_MS } from "../../shared/base/limits.ts";
import type { Clock } from "../base/clock.ts";

// More at once are not shown: each costs a timer.
const WRITERS_MAX = 32;
const SHOWN_MS = 2 * TYPING_QUIET_MS;

/** What it needs of the chat. */
export interface TypingOptions {
  readonly clock: Clock;
  readonly isWanted: () => boolean;
  /** Tells the current room, if there is one, that the user is typing. */
  readonly tell: () => void;
  /** Called when somebody begins or stops typing. */
  readonly onChange: () => void;
}

interface Writer {
  readonly room: AnyRoomId;
  readonly name: string;
}

/** Who is typing in which room. */
export class Typing {
  readonly #options: TypingOptions;
  #shown: readonly Writer[] = [];
  #toldAt = -Infinity;

  constructor(options: TypingOptions) {
    this.#options = options;
  }

  /** The input line has this text now. A command is not reported. */
  entered(text: string): void {
    const { clock, isWanted, tell } = this.#options;
    const isMessage = text !== "" && (!text.startsWith("/") || /^\/(?:me|\/)/.test(text));
    if (!isMessage || !isWanted() || clock.now() - this.#toldAt < TYPING_QUIET_MS) return;
    this.#toldAt = clock.now();
    tell();
  }

  /** The message was sent: the next one is reported at once. */
  said(): void {
    this.#toldAt = -Infinity;
  }

  /** `name` is typing in room `room`. */
  begins(room: AnyRoomId, name: string): void {
    const { clock, isWanted, onChange } = this.#options;
    if (!isWanted()) return;
    const others = this.#shown.filter((other) => !isSame(other, { room, name }));
    if (others.length >= WRITERS_MAX) return;
    const shown = { room, name };
    this.#shown = [...others, shown];
    onChange();
    void clock.wait(SHOWN_MS).then(() => this.#drop((other) => other === shown));
  }

  /** `name` sent the message, or left. */
  ends(room: AnyRoomId, name: string): void {
    this.#drop((other) => isSame(other, { room, name }));
  }

  /** Names of those who are typing in room `room`, NOT sanitized. */
  in(room: AnyRoomId | undefined): string[] {
    return this.#shown.filter((shown) => shown.room === room).map(({ name }) => name);
  }

  #drop(isOver: (shown: Writer) => boolean): void {
    const left = this.#shown.filter((shown) => !isOver(shown));
    if (left.length === this.#shown.length) return;
    this.#shown = left;
    this.#options.onChange();
  }
}

function isSame(one: Writer, other: Writer): boolean {
  return one.room === other.room && one.name === other.name;
}
