// Frames out of a connection, at which pace they are read, and what first bytes of other protocols mean.

import { releaseBytes } from "../../shared/base/bytes.ts";
import { ConnectionError } from "../../shared/base/errors.ts";
import { FrameReader } from "../../shared/channel/frame.ts";
import type { Clock } from "../base/clock.ts";
import { READ_TURN_MS, UNWRITTEN_MAX_BYTES } from "../base/limits.ts";
import type { Connection } from "../net/endpoint.ts";

/** Frame bodies of a connection; `tls` decides what a foreign answer means. Throws ConnectionError, ProtocolError. */
export async function* readFrames(
  connection: Connection,
  tls: boolean,
): AsyncGenerator<Uint8Array, void> {
  const reader = new FrameReader();
  let first = true;
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) {
    if (first) refuseForeign(chunk, tls);
    first = false;
    yield* reader.push(chunk);
  }
  if (reader.pending) throw new ConnectionError("The connection to the server broke in a message");
}

/** The memory of a waiting write besides its bytes. */
const WRITE_BYTES = 1_024;

/**
 * How fast a server is read: no faster than keys are taken and lines are drawn in between, since a read that finds bytes
 * waiting is done at once; and not at all while much that answers it is not written.
 */
export class ReadingPace {
  readonly #clock: Clock;
  /** When others had a turn last; monotonic ms. */
  #since: number;
  #unwritten = 0;
  #isAnswering = false;
  #written: PromiseWithResolvers<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Whether `turn` has to be awaited before more is read. */
  get isDue(): boolean {
    return this.#clock.now() - this.#since > READ_TURN_MS || this.#unwritten > UNWRITTEN_MAX_BYTES;
  }

  /** Resolves when more may be read. */
  async turn(): Promise<void> {
    if (this.#unwritten > UNWRITTEN_MAX_BYTES) {
      this.#written ??= Promise.withResolvers();
      await this.#written.promise;
    } else await this.#clock.wait(0);
    this.#since = this.#clock.now();
  }

  /** The next frame. */
  async next(frames: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    if (this.isDue) await this.turn();
    const before = this.#clock.now();
    const frame = await frames.next();
    const now = this.#clock.now();
    // It was waited for.
    if (now - before > 1) this.#since = now;
    return frame;
  }

  /** Answers a ping, unless an answer waits to be written: `say` writes it. */
  answer(say: () => Promise<void>): void {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    // A pong that cannot be written means a broken connection, and reading will say so.
    void say().catch(() => {}).finally(() => this.#isAnswering = false);
  }

  /** Writes, and counts the bytes until they are written; nobody else has them. */
  async write(connection: Connection, bytes: Uint8Array): Promise<void> {
    const held = bytes.length + WRITE_BYTES;
    this.#unwritten += held;
    try {
      await connection.write(bytes);
      releaseBytes(bytes);
    } finally {
      this.#unwritten -= held;
      if (this.#unwritten <= UNWRITTEN_MAX_BYTES) {
        this.#written?.resolve();
        this.#written = undefined;
      }
    }
  }
}

/** The error of a server that closed without a word. */
export function closedBeforeAnswer(tls: boolean): ConnectionError {
  return new ConnectionError(
    "Cannot talk to the server: it closed the connection without an answer",
    {
      hint: tls
        ? "it may be full, or not a cmdchat server"
        : "it may be full, not a cmdchat server, or speak TLS on this port (--tls)",
    },
  );
}

/** First bytes that no cmdchat server sends: a TLS alert, or a line of text. */
function refuseForeign(chunk: Uint8Array, tls: boolean): void {
  if (!tls && chunk[0] === 0x15 && chunk[1] === 0x03) {
    throw new ConnectionError("Cannot talk to the server: it speaks TLS on this port", {
      hint:
        "add --tls; a self-signed certificate needs an invite link, --fingerprint or --ca-file too",
    });
  }
  if ((chunk[0] ?? 0) !== 0) {
    throw new ConnectionError("Cannot talk to the server: it is not a cmdchat server", {
      hint: "check host and port",
    });
  }
}
