// A member's live link, whichever wire it speaks: what is delivered leaves through an outbox.

import { type FramedBody, framedBytes, packBatches } from "../../shared/channel/record_batch.ts";
import type { RecordCipher } from "../../shared/channel/record_cipher.ts";
import type { EnvelopeV1 } from "../../shared/channel/envelope_v1.ts";
import type { EncodedEvent } from "./encoded_event.ts";
import type { Connection } from "../net/connection.ts";
import { Outbox, type OutboxBudget, type OutboxOwner } from "./outbox.ts";

/** What all ports of a server report to. */
export interface EventWriterEvents {
  /** Client number `client` does not read fast enough; its port is closed. */
  onSlow(client: number): void;
  /** Told of each write: its bytes, and the ms from its first message to its end. */
  onWritten(bytes: number, ms: number): void;
  readonly budget: OutboxBudget;
}

/** A live link of a member. `deliver` never waits and never throws. */
export interface EventWriter {
  /** Whether it speaks v1. */
  readonly old: boolean;
  deliver(broadcast: EncodedEvent): void;
  /** Resolves when all that was delivered is written, or the port is closed. */
  drained(): Promise<void>;
  /** Closes the link and drops what waits; idempotent. */
  close(): void;
}

/** What each port is made of. */
export interface EventWriterOptions {
  readonly link: Connection;
  /** The number of the client. */
  readonly client: number;
  readonly events: EventWriterEvents;
}

/** A port that seals each body in a v1 envelope. */
export function openWriterV1(options: EventWriterOptions, wire: EnvelopeV1): EventWriter {
  return new PortV1(options, wire);
}

/** A port that seals all that waits as few v2 records. */
export function openWriterV2(options: EventWriterOptions, cipher: RecordCipher): EventWriter {
  return new PortV2(options, cipher);
}

// Classes and not closures: there is one for each session, and a closure takes as much as an object.
abstract class OutboxPort<B> implements OutboxOwner<B> {
  protected readonly outbox: Outbox<B>;
  readonly #link: Connection;
  readonly #client: number;
  readonly #events: EventWriterEvents;

  constructor({ link, client, events }: EventWriterOptions) {
    this.#link = link;
    this.#client = client;
    this.#events = events;
    this.outbox = new Outbox(this, events.budget);
  }

  abstract sizeOf(body: B): number;

  abstract seal(bodies: readonly B[]): Uint8Array;

  write(bytes: Uint8Array): Promise<void> {
    return this.#link.write(bytes);
  }

  onOverflow(): void {
    this.#events.onSlow(this.#client);
    this.#link.close();
  }

  onBroken(): void {
    this.#link.close();
  }

  onWritten(bytes: number, ms: number): void {
    this.#events.onWritten(bytes, ms);
  }

  drained(): Promise<void> {
    return this.outbox.drained();
  }

  close(): void {
    this.outbox.close();
    this.#link.close();
  }
}

class PortV1 extends OutboxPort<Uint8Array> implements EventWriter {
  readonly old = true;
  readonly #wire: EnvelopeV1;

  constructor(options: EventWriterOptions, wire: EnvelopeV1) {
    super(options);
    this.#wire = wire;
  }

  sizeOf(body: Uint8Array): number {
    return body.length;
  }

  seal(bodies: readonly Uint8Array[]): Uint8Array {
    return this.#wire.seal(bodies);
  }

  deliver(broadcast: EncodedEvent): void {
    const body = broadcast.v1;
    if (body !== undefined) this.outbox.send(body);
  }
}

class PortV2 extends OutboxPort<FramedBody> implements EventWriter {
  readonly old = false;
  readonly #cipher: RecordCipher;

  constructor(options: EventWriterOptions, cipher: RecordCipher) {
    super(options);
    this.#cipher = cipher;
  }

  sizeOf(body: FramedBody): number {
    return framedBytes(body);
  }

  seal(bodies: readonly FramedBody[]): Uint8Array {
    return this.#cipher.sealAll(packBatches(bodies));
  }

  deliver(broadcast: EncodedEvent): void {
    this.outbox.send(broadcast.v2);
  }
}
