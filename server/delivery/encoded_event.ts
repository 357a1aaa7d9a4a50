// One event on its way to many: encoded at most once for each protocol, however many members get it.

import type { Event } from "../../shared/messages/messages_v2.ts";
import {
  type FramedBody,
  framedBytes,
  frameParts,
  unframeBody,
} from "../../shared/channel/record_batch.ts";
import { encodeJson } from "../../shared/channel/envelope_v1.ts";
import { decodeEvent, encodeEventParts } from "../../shared/messages/codec_v2.ts";
import { toV1 } from "./v1_translation.ts";

/** A body that waits in any number of outboxes. Never changed once it is made. */
export interface OutgoingBody<C> {
  readonly content: C;
  /** Bytes of `content`. */
  readonly bytes: number;
  /** Whether it may leave later than others, though never behind what came after it. */
  readonly mayWait?: boolean;
  /** How many outboxes it waits in: its bytes are in memory once. */
  waiting: number;
  /** Holds what of `content` is large, and nothing else: it is given back once all outboxes have sealed the body. */
  readonly buffer?: ArrayBufferLike;
}

/** An event of the room called `title`, with its bodies. */
export class EncodedEvent {
  readonly title: string;
  readonly count = 1;
  /** Whether it is a part of a file, which leaves behind all talk. */
  readonly isBulk: boolean;
  #isHandedOn = false;
  #event: Event | undefined;
  #v1: OutgoingBody<Uint8Array> | undefined;
  #isV1Made = false;
  #v2: OutgoingBody<FramedBody> | undefined;

  constructor(event: Event | OutgoingBody<FramedBody>, title: string) {
    this.title = title;
    if ("kind" in event) {
      this.#event = event;
      // The end of a file that is given up waits behind nothing.
      this.isBulk = event.kind === "chunk" ? event.data.length > 0 : event.kind === "sealed_chunk";
    } else {
      this.#v2 = event;
      this.isBulk = false;
    }
  }

  /** An event of which only its body was kept; no part of a file. */
  static ofBody(body: OutgoingBody<FramedBody>, title: string): EncodedEvent {
    return new EncodedEvent(body, title);
  }

  /** A part of a file whose bytes nobody uses once it is delivered: their buffer is given back. */
  static handedOn(chunk: Extract<Event, { kind: "chunk" }>, title: string): EncodedEvent {
    const event = new EncodedEvent(chunk, title);
    event.#isHandedOn = true;
    return event;
  }

  get event(): Event {
    return this.#event ??= decodeEvent(unframeBody(this.v2.content));
  }

  /** The body for a v1 member; undefined where v1 has no such message. */
  get v1(): OutgoingBody<Uint8Array> | undefined {
    if (!this.#isV1Made) {
      const message = toV1(this.event, this.title);
      if (message !== undefined) {
        const content = encodeJson(message);
        this.#v1 = { content, bytes: content.length, mayWait: isPresence(this.event), waiting: 0 };
      }
      this.#isV1Made = true;
    }
    return this.#v1;
  }

  /** The body for a v2 member, framed for records. */
  get v2(): OutgoingBody<FramedBody> {
    if (this.#v2 === undefined) {
      const { event } = this;
      const content = frameParts(encodeEventParts(event));
      const bytes = framedBytes(content);
      const body = { content, bytes, mayWait: isPresence(event), waiting: 0 };
      const isHandedOn = this.#isHandedOn && event.kind === "chunk";
      this.#v2 = isHandedOn ? { ...body, buffer: event.data.buffer } : body;
    }
    return this.#v2;
  }
}

function isPresence({ kind }: Event): boolean {
  return kind === "joined" || kind === "left" || kind === "away" || kind === "back";
}
