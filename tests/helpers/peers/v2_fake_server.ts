// A v2 server whose sockets are two queues, and which says what the test tells it: whatever it is, rightly sealed.

import type { Connection } from "../../../client/net/endpoint.ts";
import { EventQueue } from "../../../client/console/event_queue.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { ServerHandshake } from "../../../shared/channel/handshake.ts";
import type { Event, EventOf, Request } from "../../../shared/messages/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { decodeRequest, encodeEvent } from "../../../shared/messages/codec_v2.ts";

/** Who it is. */
export const FAKE_IDENTITY = await generateIdentity();
const handshakes = new ServerHandshake(FAKE_IDENTITY);

/** An ordinary answer to hello. */
export const WELCOME: EventOf<"welcome"> = {
  kind: "welcome" as const,
  client: 5,
  session: new Uint8Array(16),
  secret: new Uint8Array(32),
  resumed: false,
  rooms: 1,
  messageLimit: 4_096,
  fileLimit: 10,
  hold: 60,
  rateMessages: 12,
  rateSeconds: 5,
  page: false,
};

/** One link of it. */
export class FakeV2Server {
  /** Frames of the client, headers left out. */
  readonly frames: Uint8Array[] = [];
  readonly requests: Request[] = [];
  readonly connection: Connection;
  closed = false;
  readonly #down = new EventQueue<Uint8Array>();
  readonly #reader = new FrameReader();
  readonly #batches = new BatchReader();
  readonly #first: readonly Event[];
  #cipher: RecordCipher | undefined;

  /** `first`: the answer to hello. */
  constructor(...first: readonly Event[]) {
    this.#first = first;
    const chunks = this.#down[Symbol.asyncIterator]();
    this.connection = {
      read: async () => {
        const { value, done } = await chunks.next();
        return done ? undefined : value;
      },
      write: (bytes) => this.#take(bytes),
      // A real one ends the connection behind a goodbye.
      finishWriting: () => Promise.resolve(this.end()),
      close: () => this.end(),
    };
  }

  /** The link ends. */
  end(): void {
    this.closed = true;
    this.#down.close();
  }

  /** Sends events, each in a record of its own or in as many as it needs. */
  tell(...events: Event[]): void {
    for (const event of events) this.push(encodeEvent(event));
  }

  /** Sends the body of a message as it is. */
  push(body: Uint8Array): void {
    const batches = packBatches([frameBody(body)]);
    this.#down.push(
      concatBytes(batches.map((parts) => (this.#cipher as RecordCipher).seal(parts))),
    );
  }

  async #take(bytes: Uint8Array): Promise<void> {
    for (const frame of this.#reader.push(bytes)) {
      this.frames.push(frame);
      if (this.#cipher === undefined) {
        const { answer, keys } = await handshakes.receive(frame);
        this.#cipher = new RecordCipher(keys, { role: "server", now: () => 0 });
        this.#down.push(encodeFrame(answer));
        continue;
      }
      for (const body of this.#batches.push(this.#cipher.open(frame))) {
        const request = decodeRequest(body);
        this.requests.push(request);
        if (request.kind === "hello") this.tell(...this.#first);
      }
    }
  }
}
