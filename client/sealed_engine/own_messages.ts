// What this member says, until it has come back: sealed again for each try, since the same bytes are never sent twice. And
// what is known of messages that came: which were shown, and when they were ordered.

import { toHex } from "#platform/bytes.ts";
import type { Payload } from "../mls/payload.ts";

/** What is said, before it is sealed: what is for one member is sealed for its key of the moment. */
export type OwnPayload =
  | Exclude<Payload, { kind: "direct" | "handed" }>
  | {
    readonly kind: "hand";
    readonly id: Uint8Array;
    /** Handle of the receiver. */
    readonly to: string;
    readonly file: Extract<Payload, { kind: "file" }>;
  }
  | {
    readonly kind: "whisper";
    readonly id: Uint8Array;
    /** Handle of the receiver. */
    readonly to: string;
    readonly text: string;
  };

/** Something to be said. */
export interface OwnMessage {
  readonly payload: OwnPayload;
  /** The chat's request; 0 for what the room sends unasked. */
  readonly request: number;
  /** Of the bytes that are under way; undefined while it waits. */
  digest: string | undefined;
  sentAt: number;
  /** How often the relay has declined it. */
  declined: number;
}

interface Echoed {
  readonly message: OwnMessage;
  readonly sequence: number;
}

// A void reaches back over the commit's ten seconds.
const ECHOED_KEPT = 256;
const DIGESTS_KEPT = 4_096;
const DECLINES_MAX = 5;

/** The own messages of one room. */
export class OwnMessages {
  #waiting: OwnMessage[] = [];
  #echoed: Echoed[] = [];
  /** Of everything that was ever sent, so that a frame in our name that we never sent is noticed. */
  readonly #digests = new Set<string>();

  /** Takes something to be said. False when it is here already: the chat asks again after an outage. */
  add(payload: OwnPayload, request = 0): boolean {
    const known = request > 0 && this.#waiting.some((message) => message.request === request);
    if (!known) this.#waiting.push({ payload, request, digest: undefined, sentAt: 0, declined: 0 });
    return !known;
  }

  /** What is to be sealed and sent. */
  get unsent(): readonly OwnMessage[] {
    return this.#waiting.filter(({ digest }) => digest === undefined);
  }

  /** It was sent as these bytes. */
  sent(message: OwnMessage, digest: string, now: number): void {
    message.digest = digest;
    message.sentAt = now;
    this.remember(digest);
  }

  /** These bytes are ours; nobody waits for them to come back. */
  remember(digest: string): void {
    this.#digests.add(digest);
    if (this.#digests.size <= DIGESTS_KEPT) return;
    for (const oldest of this.#digests) {
      this.#digests.delete(oldest);
      break;
    }
  }

  /** It has come back as the frame of that sequence; undefined when it is none of what waits. */
  echo(digest: string, sequence: number): OwnMessage | undefined {
    const at = this.#waiting.findIndex((message) => message.digest === digest);
    const [message] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (message !== undefined) {
      this.#echoed.push({ message, sequence });
      this.#echoed = this.#echoed.slice(-ECHOED_KEPT);
    }
    return message;
  }

  /** Whether these bytes were ever sent by us. */
  wasSent(digest: string): boolean {
    return this.#digests.has(digest);
  }

  /** These bytes will not come back: it is sealed again. */
  retry(digest: string | undefined): void {
    for (const message of this.#waiting) {
      if (message.digest === digest) message.digest = undefined;
    }
  }

  /** Nothing that is under way will come back. */
  retryAll(): void {
    for (const message of this.#waiting) message.digest = undefined;
  }

  /** Those that were sent before that time and have not come back; they are sealed again. */
  takeOverdue(before: number): OwnMessage[] {
    const late = this.#waiting.filter(({ digest, sentAt }) =>
      digest !== undefined && sentAt < before
    );
    for (const message of late) message.digest = undefined;
    return late;
  }

  /** Takes back what the chat asked for and what has not been sent. */
  takeBack(): OwnMessage[] {
    const back = this.unsent.filter(({ request }) => request > 0);
    this.#waiting = this.#waiting.filter((message) => !back.includes(message));
    return back;
  }

  /** It cannot be said any more. */
  remove(message: OwnMessage): void {
    this.#waiting = this.#waiting.filter((other) => other !== message);
  }

  /**
   * The relay did not take these bytes. What the chat asked for is given back, and is over; what the room says by itself
   * is tried again, a few times.
   */
  decline(digest: string): OwnMessage | undefined {
    const message = this.#waiting.find((each) => each.digest === digest);
    if (message === undefined) return undefined;
    message.digest = undefined;
    if (message.request === 0 && ++message.declined < DECLINES_MAX) return undefined;
    this.remove(message);
    return message.request > 0 ? message : undefined;
  }

  /** What came back after that sequence is void: it is to be said again. Its answer was given already. */
  voidedAfter(sequence: number): void {
    const voided = this.#echoed.filter((echoed) => echoed.sequence > sequence);
    this.#echoed = this.#echoed.filter((echoed) => echoed.sequence <= sequence);
    this.#waiting.unshift(
      ...voided.map(({ message }) => ({ ...message, request: 0, digest: undefined })),
    );
  }
}

// A member that lost its connection may have sent the same twice: once before, once after.
const REMEMBERED_IDS = 4_096;

/** Which messages were shown, so that a repeat by an honest sender is shown once. */
export class SeenMessages {
  readonly #ids = new Set<string>();

  /** True the first time. */
  take(handle: string, id: Uint8Array): boolean {
    const key = `${handle}:${toHex(id)}`;
    if (this.#ids.has(key)) return false;
    this.#ids.add(key);
    if (this.#ids.size > REMEMBERED_IDS) {
      const [oldest] = this.#ids;
      if (oldest !== undefined) this.#ids.delete(oldest);
    }
    return true;
  }
}

/** How far the relay's clock may be from ours. */
const CLOCK_SKEW_MS = 300_000;

/** When frames were ordered: that is the relay's word alone, and believed as far as it fits when we heard them. */
export class FrameTimes {
  /** Until when all was heard at once. */
  #heardUntil = 0;

  /** All that is ordered until now has been heard. */
  hears(now: number): void {
    this.#heardUntil = now;
  }

  /** When a frame was ordered. `isLive`: it is heard at once; else it was missed since then. */
  of(
    { time }: { readonly time: number },
    about: { readonly isLive: boolean; readonly now: number },
  ): number {
    const { isLive, now } = about;
    if (isLive) this.hears(now);
    const isCredible = time >= this.#heardUntil - CLOCK_SKEW_MS && time <= now + CLOCK_SKEW_MS;
    return isCredible ? time : now;
  }
}
