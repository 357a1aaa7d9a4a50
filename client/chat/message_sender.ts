// What we say: to the current room, to one person alone, and about ourselves.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import {
  AWAY_TEXT_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  TOPIC_MAX_BYTES,
} from "../../shared/base/limits.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { checkBytes } from "../../shared/base/text_bytes.ts";
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

// Characters of a message that name it to whoever wrote it.
const SHOWN_MAX = 60;

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
  /** The deletion that was asked for last in a room, while it is on its way. */
  readonly #deleting = new Map<JoinedRoom, Promise<RequestOutcome>>();

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
    return track(this.#saying, room, this.#requests.add(chat, room));
  }

  /**
   * Gives one of our messages in the current room another text, or deletes it: message `sequence`, or the last one that
   * we said. Where that one, or a deletion before, is still on its way, it is waited for: no older one is meant.
   */
  async revise(text: string | null, sequence?: SequenceNumber): Promise<RequestOutcome> {
    const room = this.#room();
    if (text !== null) this.#check(text);
    const said = sequence === undefined ? this.#saying.get(room) : undefined;
    if (said !== undefined && await said !== "confirmed") {
      throw new UsageError("Cannot change your last message: it was not delivered");
    }
    const deleted = this.#deleting.get(room);
    if (deleted !== undefined) await deleted;
    const target = sequence ?? lastOwnOf(room);
    checkOwn(room, target, text === null ? "delete" : "change");
    const draft = { kind: "revise", sequence: target, text: text?.toWellFormed() ?? null } as const;
    const revising = this.#requests.add(draft, room);
    return text === null ? track(this.#deleting, room, revising) : revising;
  }

  /** Puts an emoji under message `sequence` of the current room, or takes it back. */
  react(sequence: SequenceNumber, emoji: string, on: boolean): Promise<RequestOutcome> {
    return this.#requests.add({ kind: "react", sequence, emoji, on }, this.#room());
  }

  /** Says `text` to one person alone. */
  direct({ client }: Correspondent, text: string): Promise<RequestOutcome> {
    this.#check(text);
    return this.#requests.add({ kind: "direct", to: client, text: text.toWellFormed() });
  }

  /** Says what the current room is about; nothing where `text` is empty. */
  setTopic(text: string): Promise<RequestOutcome> {
    checkBytes(text, TOPIC_MAX_BYTES, "set the topic");
    return this.#requests.add({ kind: "topic", text: text.toWellFormed() }, this.#room());
  }

  /** Says in all our rooms why we do not answer, or with null that we do again. */
  async setStatus(text: string | null): Promise<RequestOutcome> {
    const status = text?.toWellFormed() ?? null;
    if (status !== null) checkBytes(status, AWAY_TEXT_MAX_BYTES, "set the away message");
    const outcome = await this.#requests.add({ kind: "status", text: status });
    if (outcome === "confirmed") this.status = status;
    return outcome;
  }

  /** Another session: says again what we said about ourselves. */
  sayStatusAgain(): void {
    if (this.status !== null) void this.setStatus(this.status);
  }

  #check(text: string): void {
    checkBytes(text, this.messageMax, "send the message");
    if (this.#requests.unsent < UNSENT_MAX) return;
    throw new LimitError(
      `Cannot take the message: ${UNSENT_MAX} are waiting to be sent, the maximum`,
    );
  }
}

/** Keeps a request in `pending` until it has its answer. */
function track(
  pending: Map<JoinedRoom, Promise<RequestOutcome>>,
  room: JoinedRoom,
  request: Promise<RequestOutcome>,
): Promise<RequestOutcome> {
  const tracked = request.finally(() => {
    if (pending.get(room) === tracked) pending.delete(room);
  });
  pending.set(room, tracked);
  return tracked;
}

function lastOwnOf({ said }: JoinedRoom): SequenceNumber {
  const { lastOwn } = said;
  if (lastOwn === undefined) {
    throw new UsageError("Cannot change a message: you have sent none here that can be changed");
  }
  if (said.find(lastOwn) !== undefined) return lastOwn;
  const before = said.own.at(-1);
  throw new UsageError(`Cannot change your last message here: #${lastOwn} is deleted already`, {
    ...(before === undefined ? {} : {
      hint: `the one before that is #${before.sequence}: ${quote(before.text, SHOWN_MAX)}; ` +
        "name its number to change it",
    }),
  });
}

function checkOwn({ said }: JoinedRoom, sequence: SequenceNumber, verb: string): void {
  const message = said.find(sequence);
  if (message === undefined) {
    throw new UsageError(
      `Cannot ${verb} #${sequence}: this client has no such message of this room`,
      { hint: "a message has its number before it; /last shows it" },
    );
  }
  if (message.own) return;
  throw new UsageError(`Cannot ${verb} #${sequence}: ${quote(message.sender)} wrote it`);
}
