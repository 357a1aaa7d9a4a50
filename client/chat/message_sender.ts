// What we say: to the current room, to one person alone, and about ourselves.

import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { MESSAGE_MAX_BYTES } from "../../shared/base/limits.ts";
import { UNSENT_MAX } from "../base/limits.ts";
import type { RequestLedger, RequestOutcome } from "../session/request_ledger.ts";
import type { Correspondent } from "../rooms/direct_messages.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";

/** How something is said. */
export interface ChatForm {
  /** Said of oneself, as /me. */
  readonly action?: boolean;
  /** The message that it answers; 0 = none. */
  readonly reply?: number;
}

const encoder = new TextEncoder();
/** Our voice. Methods throw LimitError before anything is kept, and resolve with what became of it. */
export class MessageSender {
  /** Bytes of one message, as the server has it. */
  messageMax = MESSAGE_MAX_BYTES;
  /** What we said about being away; null = nothing. */
  status: string | null = null;
  readonly #requests: RequestLedger;
  readonly #room: () => JoinedRoom;
  /** What was said last in a room, while it is on its way. */
  readonly #saying = new Map<JoinedRoom, Promise<RequestOutcome>>();

  /** `room`: the current one; throws UsageError where there is none. */
  constructor(requests: RequestLedger, room: () => JoinedRoom) {
    this.#requests = requests;
    this.#room = room;
  }

  /** Says `text` in the current room, or keeps it until there is a connection. */
  say(text: string, { action = false, reply = 0 }: ChatForm = {}): Promise<RequestOutcome> {
    this.#check(text);
    const chat = { kind: "chat", text: text.toWellFormed(), action, reply } as const;
    const room = this.#room();
    const saying = this.#requests.add(chat, room).finally(() => {
      if (this.#saying.get(room) === saying) this.#saying.delete(room);
    });
    this.#saying.set(room, saying);
    return saying;
  }

  /**
   * Gives our last message in the current room another text, or takes it back. Where that one is still on its way, it
   * is waited for: the one before it is not meant.
   */
  revise(text: string | null): Promise<RequestOutcome> {
    const room = this.#room();
    if (text !== null) this.#check(text);
    const saying = this.#saying.get(room);
    if (saying === undefined) return this.#reviseLast(room, text);
    return saying.then((outcome) => {
      if (outcome === "confirmed") return this.#reviseLast(room, text);
      throw new UsageError("Cannot change your last message: it was not delivered");
    });
  }

  /** Says `text` to one person alone. */
  direct({ client }: Correspondent, text: string): Promise<RequestOutcome> {
    this.#check(text);
    return this.#requests.add({ kind: "direct", to: client, text: text.toWellFormed() });
  }

  /** Says what the current room is about; nothing where `text` is empty. */
  setTopic(text: string): Promise<RequestOutcome> {
    return this.#requests.add({ kind: "topic", text: text.toWellFormed() }, this.#room());
  }

  /** Says in all our rooms why we do not answer, or with null that we do again. */
  async setStatus(text: string | null): Promise<RequestOutcome> {
    const status = text?.toWellFormed() ?? null;
    const outcome = await this.#requests.add({ kind: "status", text: status });
    if (outcome === "confirmed") this.status = status;
    return outcome;
  }

  /** Another session: says again what we said about ourselves. */
  sayStatusAgain(): void {
    if (this.status !== null) void this.setStatus(this.status);
  }

  #reviseLast(room: JoinedRoom, text: string | null): Promise<RequestOutcome> {
    const last = room.said.lastOwn;
    if (last === undefined) {
      throw new UsageError("Cannot change a message: you said none here that could be changed");
    }
    const { sequence } = last;
    return this.#requests.add(
      { kind: "revise", sequence, text: text?.toWellFormed() ?? null },
      room,
    );
  }

  #check(text: string): void {
    const bytes = encoder.encode(text).length;
    if (bytes > this.messageMax) {
      throw new LimitError(
        `Cannot send the message: it has ${bytes} bytes, at most ${this.messageMax} are allowed`,
      );
    }
    if (this.#requests.unsent < UNSENT_MAX) return;
    throw new LimitError(
      `Cannot take the message: ${UNSENT_MAX} are waiting to be sent, which is the most`,
    );
  }
}
