// Whose link was lost while a file was sent has the rest of it from us: a program that ends with its last byte would
// take that along.

import { FILE_SERVED_MS } from "../base/limits.ts";
import { HOLD_S } from "../../shared/base/limits.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../base/clock.ts";
import type { RosterEntry } from "../rooms/roster.ts";

/** Who is back asks for what it missed within this. */
const ASK_MS = 3_000;
const LOOK_MS = 100;

/** Those in the room who may still miss something of a file. */
export class LateReceivers {
  readonly #chat: Chat;
  readonly #clock: Clock;
  /** Who was told of the file. */
  #told = new Set<number>();
  /** When one of them was without a link last, or was sent a part. */
  #troubleAt = -Infinity;
  #connectedAt: number;

  constructor(chat: Chat, clock: Clock) {
    this.#chat = chat;
    this.#clock = clock;
    this.#connectedAt = clock.now();
  }

  /** A file is offered to those who are here. */
  begin(): void {
    const here = this.#people.filter(({ state }) => state === "here");
    this.#told = new Set(here.map(({ client }) => client));
    this.#troubleAt = -Infinity;
  }

  /** To be called whenever somebody came, went, or lost the link. */
  look(): void {
    const { connected, transfers } = this.#chat;
    if (connected) this.#connectedAt = this.#clock.now();
    const isTrouble = !connected || transfers.isServing ||
      this.#people.some(({ state, client }) => state === "away" && this.#told.has(client));
    if (isTrouble) this.#troubleAt = this.#clock.now();
  }

  /** Resolves when nobody is away any more, and nobody who was asks for anything; at once where nobody was. */
  async served(): Promise<void> {
    const end = this.#clock.now() + FILE_SERVED_MS;
    // In a sealed room a file counts as sent only when they have it.
    if (this.#chat.rooms.current?.isSealed) return;
    for (this.look(); this.#clock.now() < end; this.look()) {
      const now = this.#clock.now();
      const isOver = now - this.#troubleAt >= ASK_MS || now - this.#connectedAt >= HOLD_S * 1_000;
      if (isOver || this.#chat.ending.aborted) return;
      await this.#clock.wait(LOOK_MS, this.#chat.ending);
    }
  }

  get #people(): readonly RosterEntry[] {
    return this.#chat.rooms.current?.roster.people ?? [];
  }
}
