// The way out to one connected client, whichever protocol it speaks: what is delivered leaves through an outbox.

import { type FramedBody, packBatches } from "../../shared/channel/record_batch.ts";
import type { RecordCipher } from "../../shared/channel/record_cipher.ts";
import type { EnvelopeV1 } from "../../shared/channel/envelope_v1.ts";
import type { EncodedBurst } from "./burst.ts";
import type { EncodedEvent, OutgoingBody } from "./encoded_event.ts";
import { OUTBOX_V1_WRITE_BODIES } from "../config/limits.ts";
import type { Connection } from "../net/connection.ts";
import type { FairBudget } from "../limits/fair_budget.ts";
import { sourceOf } from "../limits/ip_network.ts";
import { Outbox, type OutboxOwner } from "./outbox.ts";
import { WriteBuffers } from "./write_buffers.ts";

/** What all writers of a server report to. */
export interface EventWriterEvents {
  /** Client number `client` does not read fast enough; its connection is closed. */
  onSlow(client: number): void;
  /** Called after each write: its bytes, and the ms from its first message to its end. */
  onWritten(bytes: number, ms: number): void;
  /** Bytes that wait for all clients. */
  readonly budget: FairBudget;
}

/** Writes events to one client. */
export interface EventWriter {
  /** How often parts of files that waited for the client were dropped. */
  readonly bulkDrops: number;
  /** Bytes that wait for the client. */
  readonly waiting: number;
  /** Never waits and never throws. False where a part of a file found no room. */
  deliver(broadcast: EncodedEvent | EncodedBurst): boolean;
  /** Resolves when all that was delivered is written, or the writer is closed. */
  drained(): Promise<void>;
  /** Closes the connection and drops what waits; idempotent. */
  close(): void;
}

/** What a writer is made of. */
export interface EventWriterOptions {
  readonly connection: Connection;
  /** The number of the client. */
  readonly client: number;
  readonly events: EventWriterEvents;
}

/** A writer that seals each body in a v1 envelope. */
export function openWriterV1(options: EventWriterOptions, envelope: EnvelopeV1): EventWriter {
  return new WriterV1(options, envelope);
}

/** A writer that seals all that waits as few v2 records. */
export function openWriterV2(options: EventWriterOptions, cipher: RecordCipher): EventWriter {
  return new WriterV2(options, cipher);
}

const buffers = new WriteBuffers();
const takeBuffer = (length: number) => buffers.take(length);

// Classes and not closures: there is one for each session, and a closure takes as much memory as an object.
abstract class OutboxWriter<C> implements OutboxOwner<C> {
  protected readonly outbox: Outbox<C>;
  readonly #connection: Connection;
  readonly #client: number;
  readonly #events: EventWriterEvents;

  constructor({ connection, client, events }: EventWriterOptions) {
    this.#connection = connection;
    this.#client = client;
    this.#events = events;
    const { budget } = events;
    this.outbox = new Outbox(this, { budget, source: sourceOf(connection.address) });
  }

  abstract get mostBodies(): number;
  abstract sealOne(body: OutgoingBody<C>): Uint8Array;
  abstract seal(bodies: readonly OutgoingBody<C>[]): Uint8Array;

  get bulkDrops(): number {
    return this.outbox.bulkDrops;
  }

  get waiting(): number {
    return this.outbox.waiting;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#connection.write(bytes);
  }

  onOverflow(): void {
    this.#events.onSlow(this.#client);
    this.#connection.close();
  }

  // Not closed: what the client said before it was gone may wait to be read, its goodbye for one, and reading ends there.
  onBroken(): void {}

  onWritten(bytes: Uint8Array, ms: number): void {
    this.#events.onWritten(bytes.length, ms);
  }

  drained(): Promise<void> {
    return this.outbox.drained();
  }

  close(): void {
    this.outbox.close();
    this.#connection.close();
  }

  protected queue(body: OutgoingBody<C>, isBulk: boolean): boolean {
    if (isBulk) return this.outbox.sendBulk(body);
    this.outbox.send(body);
    return true;
  }
}

class WriterV1 extends OutboxWriter<Uint8Array> implements EventWriter {
  readonly #envelope: EnvelopeV1;

  constructor(options: EventWriterOptions, envelope: EnvelopeV1) {
    super(options);
    this.#envelope = envelope;
  }

  get mostBodies(): number {
    return OUTBOX_V1_WRITE_BODIES;
  }

  sealOne({ content }: OutgoingBody<Uint8Array>): Uint8Array {
    return this.#envelope.seal([content]);
  }

  seal(bodies: readonly OutgoingBody<Uint8Array>[]): Uint8Array {
    return this.#envelope.seal(bodies.map(contentOf));
  }

  deliver(broadcast: EncodedEvent | EncodedBurst): boolean {
    if ("events" in broadcast) return broadcast.events.every((event) => this.deliver(event));
    const body = broadcast.v1;
    return body === undefined || this.queue(body, broadcast.isBulk);
  }
}

class WriterV2 extends OutboxWriter<FramedBody> implements EventWriter {
  readonly #cipher: RecordCipher;

  constructor(options: EventWriterOptions, cipher: RecordCipher) {
    super(options);
    this.#cipher = cipher;
  }

  // Bodies share a record: their number costs next to nothing.
  get mostBodies(): number {
    return Infinity;
  }

  sealOne({ content }: OutgoingBody<FramedBody>): Uint8Array {
    if (isOnePiece(content)) return this.#cipher.seal(content, takeBuffer);
    return this.#cipher.sealAll(packBatches([content]), takeBuffer);
  }

  seal(bodies: readonly OutgoingBody<FramedBody>[]): Uint8Array {
    return this.#cipher.sealAll(packBatches(bodies.map(contentOf)), takeBuffer);
  }

  override onWritten(bytes: Uint8Array, ms: number): void {
    super.onWritten(bytes, ms);
    buffers.give(bytes);
  }

  deliver({ v2, isBulk }: EncodedEvent | EncodedBurst): boolean {
    return this.queue(v2, isBulk);
  }
}

/** Most lines of talk are, and each leaves by itself where messages come one by one. */
function isOnePiece(body: FramedBody): body is readonly [Uint8Array] {
  return body.length === 1 && body[0] instanceof Uint8Array;
}

function contentOf<C>({ content }: OutgoingBody<C>): C {
  return content;
}
