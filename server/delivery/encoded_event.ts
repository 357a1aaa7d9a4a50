// One event on its way to many: encoded at most once for each wire, however many members get it.

import type { Event } from "../../shared/messages/messages_v2.ts";
import { frameBody, type FramedBody } from "../../shared/channel/record_batch.ts";
import { encodeJson } from "../../shared/channel/envelope_v1.ts";
import { encodeEvent } from "../../shared/messages/codec_v2.ts";
import { toV1 } from "./v1_translation.ts";

/** An event of the room called `title`, with its bodies. */
export class EncodedEvent {
  readonly event: Event;
  readonly #title: string;
  #v1: Uint8Array | undefined;
  #v1Made = false;
  #v2: FramedBody | undefined;

  constructor(event: Event, title: string) {
    this.event = event;
    this.#title = title;
  }

  /** The body for a v1 member; undefined where v1 has no such message. */
  get v1(): Uint8Array | undefined {
    if (!this.#v1Made) {
      const message = toV1(this.event, this.#title);
      this.#v1 = message === undefined ? undefined : encodeJson(message);
      this.#v1Made = true;
    }
    return this.#v1;
  }

  /** The body for a v2 member, framed for records. */
  get v2(): FramedBody {
    return this.#v2 ??= frameBody(encodeEvent(this.event));
  }
}
