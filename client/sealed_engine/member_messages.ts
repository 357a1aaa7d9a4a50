// What members say to people: texts, and what becomes of them later, topics, direct messages. The sender is always
// whom MLS names, so that nobody speaks for another.

import { equalBytes, toHex } from "#platform/bytes.ts";
import { pinText } from "../../shared/text/pin_text.ts";
import type { SequenceNumber } from "../../shared/messages/ids.ts";
import { type GroupMember, moderates, opsOf } from "../mls/commit_rules.ts";
import type { OwnMessage } from "./own_messages.ts";
import { decodeText, type Payload, type PayloadPin } from "../mls/payload.ts";
import type { RelayEvent, SealedRoomRequest } from "./engine_protocol.ts";
import { type MemberState } from "./member_state.ts";
import { whoMay } from "./pending_changes.ts";
import { RecentTexts } from "./recent_texts.ts";

/** Payloads that are for people. */
export type MemberMessage = Extract<
  Payload,
  { kind: "text" | "revise" | "react" | "topic" | "pin" | "typing" | "move" | "direct" }
>;

type Position = Pick<RelayEvent<"sealed_frame">, "seq" | "time">;

/** What is said to people in one room. */
export class MemberMessages {
  readonly #state: MemberState;
  readonly #texts = new RecentTexts();
  /** What the room is about; empty where nobody has said. */
  #topic = "";
  /** Whether we were here when the topic was set, or were told of it. */
  #knowsTopic = true;
  #pin: PayloadPin | null = null;
  #knowsPin = true;

  constructor(state: MemberState) {
    this.#state = state;
  }

  /** What the room is about. */
  get topic(): string {
    return this.#topic;
  }

  /** What is pinned. */
  get pin(): PayloadPin | null {
    return this.#pin;
  }

  /** We have come in: others have to tell what we have missed. */
  cameIn(): void {
    this.#knowsTopic = false;
    this.#knowsPin = false;
  }

  /** The id of an own text that is shown under that sequence. */
  ownId(sequence: SequenceNumber): Uint8Array | undefined {
    return this.#texts.idOf(this.#state.identity.signature.publicKey, sequence);
  }

  /** The id of the text that is shown under that sequence, whoever said it. */
  idAt(sequence: SequenceNumber): Uint8Array | undefined {
    return this.#texts.idAt(sequence);
  }

  /** What is to be said to pin the text that is shown under a sequence, or why it cannot be; 0: removes the pin. */
  pinOf(
    { sequence, authorName, text }: Extract<SealedRoomRequest, { kind: "pin" }>,
  ): PayloadPin | null | string {
    const { group, identity } = this.#state;
    if (group === undefined || !moderates(group.rights, identity.signature.publicKey)) {
      return `Not done: ${whoMay(group?.maker, opsOf(group))}.`;
    }
    if (sequence === 0) return null;
    const said = this.#texts.at(sequence);
    return said === undefined
      ? "Not done: this client does not know that message any more."
      : [said.key, said.id, authorName, pinText(text)];
  }

  /** Where the text of that id is shown; 0: here is none. */
  #placeOf(id: Uint8Array | null): number {
    return id === null ? 0 : this.#texts.sequenceOfId(id) ?? 0;
  }

  /** Words of another member; `again` where they were heard before. */
  async heard(
    from: GroupMember,
    message: MemberMessage,
    position: Position,
    again: boolean,
  ): Promise<void> {
    // A message that is sent again comes behind those of others: of topics the last in the order counts.
    if (message.kind === "topic") return this.#setTopic(from, message.text, position, 0);
    if (message.kind === "pin") return this.#setPin(from, message.pin, position, 0);
    if (again) return;
    const { options, people } = this.#state;
    const { name } = from;
    const client = people.numberOf(from.handle);
    const { seq: sequence, time } = position;
    switch (message.kind) {
      case "text": {
        const { id, text, action } = message;
        const reply = this.#placeOf(message.reply);
        this.#texts.add(from.signatureKey, { id, sequence });
        const said = { client, name, text, action, reply, time, sequence, request: 0 };
        return options.tell({ kind: "text", ...said });
      }
      case "revise":
        return this.#revise(from, message, time, 0);
      case "react":
        return this.#react(from, message, time, 0);
      case "typing":
        return options.tell({ kind: "typing", client, name });
      case "move":
        return options.tell({ kind: "moved", client, name, secret: message.secret });
      case "direct":
        return await this.#whispered(from, message, time);
    }
  }

  /** Own message have come back; request 0: they were answered before, or are of no request. */
  echoed({ payload, request }: OwnMessage, position: Position): void {
    const { options, people, identity: { me, signature } } = this.#state;
    const { seq: sequence, time } = position;
    const self = { ...me, leaf: 0, signatureKey: signature.publicKey };
    if (payload.kind === "text") {
      this.#texts.add(signature.publicKey, { id: payload.id, sequence });
    }
    if (payload.kind === "topic") return this.#setTopic(self, payload.text, position, request);
    if (payload.kind === "pin") return this.#setPin(self, payload.pin, position, request);
    if (request === 0) return;
    const common = { client: people.numberOf(me.handle), name: me.name, time, request };
    switch (payload.kind) {
      case "text": {
        const { text, action } = payload;
        const reply = this.#placeOf(payload.reply);
        return options.tell({ kind: "text", ...common, text, action, reply, sequence });
      }
      case "whisper": {
        const to = people.numberOf(payload.to);
        const toName = people.nameOf(payload.to);
        return options.tell({ kind: "direct", ...common, to, toName, text: payload.text });
      }
      case "revise":
        return this.#revise(self, payload, time, request);
      case "react":
        return this.#react(self, payload, time, request);
      default:
        return options.tell({ kind: "done", request });
    }
  }

  /** The member that confirms us reports the topic: its word, because we were not there when it was set. */
  toldTopic(from: GroupMember, topic: string): void {
    const { options, people } = this.#state;
    if (this.#knowsTopic) return;
    this.#knowsTopic = true;
    if (topic === this.#topic) return;
    this.#topic = topic;
    const about = { client: people.numberOf(from.handle), name: from.name, time: options.date() };
    options.tell({ kind: "topic", ...about, text: topic, request: 0, told: true });
  }

  /** The same of what is pinned. */
  toldPin(from: GroupMember, pin: PayloadPin | null): void {
    if (this.#knowsPin) return;
    this.#knowsPin = true;
    const had = this.#pin;
    this.#pin = pin;
    if (pin === null && had === null) return;
    this.#tellPin(from, { time: this.#state.options.date(), request: 0, told: true });
  }

  /** Only of who moderates the room, as it is at this place in the order, which is one for all. */
  #setPin(
    from: GroupMember,
    pin: PayloadPin | null,
    { time }: Position,
    request: number,
  ): void {
    const { group, options } = this.#state;
    if (group === undefined || !moderates(group.rights, from.signatureKey)) {
      const why = "Not done: you do not moderate this room any more.";
      return request > 0 ? options.tell({ kind: "declined", request, why }) : undefined;
    }
    if (pin !== null && this.#texts.isTakenBack(pin[0], pin[1])) {
      const why = "Not done: that message was taken back.";
      return request > 0 ? options.tell({ kind: "declined", request, why }) : undefined;
    }
    const isSame = request === 0 && JSON.stringify(pin) === JSON.stringify(this.#pin);
    this.#knowsPin = true;
    this.#pin = pin;
    if (!isSame) this.#tellPin(from, { time, request, told: false });
  }

  #tellPin(
    { handle, name }: GroupMember,
    about: { readonly time: number; readonly request: number; readonly told: boolean },
  ): void {
    const { options, people } = this.#state;
    const who = { client: people.numberOf(handle), name };
    options.tell({ kind: "pinned", ...who, pin: this.#pin && this.#shown(this.#pin), ...about });
  }

  /** By who said it and its id: a place would be the word of whoever tells it, and here perhaps another text's. */
  #shown([key, of, authorName, text]: PayloadPin) {
    return { sequence: this.#texts.sequenceOf(key, of) ?? 0, authorName, text };
  }

  #setTopic(from: GroupMember, text: string, { time }: Position, request: number): void {
    const { options, people } = this.#state;
    this.#knowsTopic = true;
    if (request === 0 && text === this.#topic) return;
    this.#topic = text;
    const about = { client: people.numberOf(from.handle), name: from.name, time };
    options.tell({ kind: "topic", ...about, text, request, told: false });
  }

  #revise(
    from: GroupMember,
    { of, text }: Extract<MemberMessage, { kind: "revise" }>,
    time: number,
    request: number,
  ): void {
    const { options, people } = this.#state;
    if (this.#texts.isTakenBack(from.signatureKey, of)) {
      const why = "Not changed: you have taken that message back.";
      return request > 0 ? options.tell({ kind: "declined", request, why }) : undefined;
    }
    const sequence = this.#texts.sequenceOf(from.signatureKey, of);
    if (text === null) this.#texts.takeBack(from.signatureKey, of);
    this.#revisePin(from, { of, text, time, isKnown: sequence !== undefined });
    // From before our time, or not theirs: here is no text that they could change.
    if (sequence === undefined) {
      return request > 0 ? options.tell({ kind: "done", request }) : undefined;
    }
    const about = { client: people.numberOf(from.handle), name: from.name, time };
    options.tell({ kind: "revised", ...about, sequence, text, request });
  }

  /** A pin says what its text says now, and goes with it; who knows the text sees that by itself. */
  #revisePin(
    from: GroupMember,
    { of, text, time, isKnown }: {
      readonly of: Uint8Array;
      readonly text: string | null;
      readonly time: number;
      readonly isKnown: boolean;
    },
  ): void {
    const [key, id, name] = this.#pin ?? [];
    const isPinned = key !== undefined && id !== undefined && equalBytes(id, of) &&
      equalBytes(key, from.signatureKey);
    if (!isPinned) return;
    this.#pin = text === null ? null : [key, id, name ?? "", pinText(text)];
    if (!isKnown) this.#tellPin(from, { time, request: 0, told: true });
  }

  #react(
    from: GroupMember,
    { of, emoji, on }: Extract<MemberMessage, { kind: "react" }>,
    time: number,
    request: number,
  ): void {
    const { options, people } = this.#state;
    const sequence = this.#texts.sequenceOfId(of);
    // From before our time: here is no text under which it could be shown.
    if (sequence === undefined) {
      return request > 0 ? options.tell({ kind: "done", request }) : undefined;
    }
    const about = { client: people.numberOf(from.handle), name: from.name, time };
    options.tell({ kind: "reacted", ...about, sequence, emoji, on, request });
  }

  async #whispered(
    from: GroupMember,
    { to, enc, sealed }: Extract<MemberMessage, { kind: "direct" }>,
    time: number,
  ): Promise<void> {
    const { group, options, people, identity } = this.#state;
    if (toHex(to) !== identity.me.handle) return;
    const content = await group?.openFrom(from, "text", { enc, ct: sealed });
    const text = content && decodeText(content);
    if (text === undefined || text === "") {
      return this.#state.faults.of(from, " sent you something unreadable.");
    }
    options.tell({
      kind: "direct",
      client: people.numberOf(from.handle),
      name: from.name,
      text,
      time,
      to: people.numberOf(identity.me.handle),
      toName: identity.me.name,
      request: 0,
    });
  }
}
