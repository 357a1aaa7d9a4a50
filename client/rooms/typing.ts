// Who is typing; sent and shown only with `/set typing on`.

import type { AnyRoomId } from "../base/local_ids.ts";
import { TYPING_QUIET_MS } from "../../shared/base/limits.ts";
import type { Clock } from "../base/clock.ts";

// More at once are not shown.
const WRITERS_MAX = 32;
const SHOWN_MS = 2 * TYPING_QUIET_MS;

/** What it needs from the chat. */
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
  /** Until when it is shown; monotonic ms. */
  until: number;
}

/** Who is typing in which room. */
export class Typing {
  readonly #options: TypingOptions;
  #shown: readonly Writer[] = [];
  #toldAt = -Infinity;
  #isWatching = false;

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
    const until = clock.now() + SHOWN_MS;
    const known = this.#shown.find((other) => isSame(other, { room, name }));
    if (known !== undefined) known.until = until;
    else if (this.#shown.length < WRITERS_MAX) {
      this.#shown = [...this.#shown, { room, name, until }];
      onChange();
      void this.#watch();
    }
  }

  /** `name` sent the message, or left. */
  ends(room: AnyRoomId, name: string): void {
    this.#drop((other) => isSame(other, { room, name }));
  }

  /** Names of those who are typing in room `room`, NOT sanitized. */
  in(room: AnyRoomId | undefined): string[] {
    return this.#shown.filter((shown) => shown.room === room).map(({ name }) => name);
  }

  // One timer for all: a server can say without end that somebody is typing.
  async #watch(): Promise<void> {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { clock } = this.#options;
    while (this.#shown.length > 0) {
      const next = Math.min(...this.#shown.map(({ until }) => until));
      await clock.wait(next - clock.now());
      this.#drop(({ until }) => until <= clock.now());
    }
    this.#isWatching = false;
  }

  #drop(isOver: (shown: Writer) => boolean): void {
    const left = this.#shown.filter((shown) => !isOver(shown));
    if (left.length === this.#shown.length) return;
    this.#shown = left;
    this.#options.onChange();
  }
}

type Place = Pick<Writer, "room" | "name">;

function isSame(one: Place, other: Place): boolean {
  return one.room === other.room && one.name === other.name;
}
