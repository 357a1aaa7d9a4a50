// A receiver who lost the connection during a file fetches the missing part from the sender. So a program that sends a
// file must not end with its last byte.

import { FILE_SERVED_MS } from "../base/limits.ts";
import { HOLD_S } from "../../shared/base/limits.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../base/clock.ts";
import type { AnyClientId } from "../base/local_ids.ts";
import type { RosterEntry } from "../rooms/roster.ts";

/** A receiver that is back asks for the missing part within this time. */
const ASK_MS = 3_000;
const LOOK_MS = 100;

/** Members of the room who may still miss a part of a file. */
export class LateReceivers {
  readonly #chat: Chat;
  readonly #clock: Clock;
  /** Clients that were offered the file. */
  #offeredTo = new Set<AnyClientId>();
  /** When one of them was last without a connection, or was sent a part. */
  #troubleAt = -Infinity;
  #connectedAt: number;

  constructor(chat: Chat, clock: Clock) {
    this.#chat = chat;
    this.#clock = clock;
    this.#connectedAt = clock.now();
  }

  /** A file is offered to the members who are here. */
  begin(): void {
    const here = this.#people.filter(({ state }) => state === "here");
    this.#offeredTo = new Set(here.map(({ client }) => client));
    this.#troubleAt = -Infinity;
  }

  /** Call it whenever somebody joins, leaves, or loses the connection. */
  look(): void {
    const { connected, transfers } = this.#chat;
    if (connected) this.#connectedAt = this.#clock.now();
    const isTrouble = !connected || transfers.isServing ||
      this.#people.some(({ state, client }) => state === "away" && this.#offeredTo.has(client));
    if (isTrouble) this.#troubleAt = this.#clock.now();
  }

  /** Resolves once no receiver is away and none asks for a part; at once if none was away. */
  async served(): Promise<void> {
    const end = this.#clock.now() + FILE_SERVED_MS;
    // In a sealed room a file counts as sent only once the receivers have it.
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
