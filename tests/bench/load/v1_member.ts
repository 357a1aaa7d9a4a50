// A v1 client as cheap as can be: one RSA key for all, envelopes sealed beforehand, opened when asked.

import { decodeBase64 } from "../../../shared/base/base64.ts";
import { publicKeyToPem, type RsaKeyPair, unwrapKey } from "../../../shared/crypto/rsa.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { decodeJson, encodeJson, EnvelopeV1 } from "../../../shared/channel/envelope_v1.ts";
import { pause, readFrame, writeAll } from "./load.ts";

// What a newcomer hears beside what everyone hears: who is there.
const ARRIVAL_NOTES = 1;
const READ_BYTES = 16_384;
// While others come in, a member reads now and then: reading each arrival as it comes would take all the time.
const SETTLE_PAUSE_MS = 100;
// An envelope with a ping has 157 bytes; whatever says who, where and when has more than 250.
const PING_MAX_BYTES = 200;

interface Payload {
  readonly type: string;
  readonly message?: string;
}

/** How a client comes in. */
export interface JoinV1Options {
  readonly rsa: RsaKeyPair;
  readonly name: string;
  readonly room: string;
}

/** A v1 client in a room. */
export class V1Member {
  readonly conn: Deno.Conn;
  readonly #wire: EnvelopeV1;
  readonly #frames = new FrameReader();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #payloads: Payload[] = [];
  #pings = 0;

  private constructor(conn: Deno.Conn, wire: EnvelopeV1) {
    this.conn = conn;
    this.#wire = wire;
  }

  /** Shakes hands over `conn`. */
  static async join(conn: Deno.Conn, { rsa, name, room }: JoinV1Options): Promise<V1Member> {
    const handshake = {
      type: "handshake",
      public_key: await publicKeyToPem(rsa.publicKey),
      name,
      room,
      token: null,
      renderer: "json",
      buffer_size: 10,
    };
    await writeAll(conn, encodeFrame(encodeJson(handshake)));
    const answer = decodeJson(await readFrame(conn)) as { encrypted_key: string };
    const key = await unwrapKey(rsa.privateKey, decodeBase64(answer.encrypted_key) as Uint8Array);
    return new V1Member(conn, new EnvelopeV1(key));
  }

  /** One envelope, ready to be written. */
  seal(payload: unknown): Uint8Array {
    return this.#wire.seal([encodeJson(payload)]);
  }

  /** The next `count` payloads, read as far as they are not here; while it settles, without opening them. */
  async take(count: number, settling = false): Promise<Payload[]> {
    while (this.#payloads.length < count) {
      const read = await this.conn.read(this.#buffer);
      if (read === null) throw new Error("the link ended under load");
      this.open([this.#buffer.subarray(0, read)], !settling);
      for (; this.#pings > 0; this.#pings--) await writeAll(this.conn, this.seal({ type: "pong" }));
      if (settling) await pause(SETTLE_PAUSE_MS);
    }
    const taken = this.#payloads.slice(0, count);
    this.#payloads = this.#payloads.slice(count);
    return taken;
  }

  /** Reads past its own arrival and the later ones, until `later` members have come after it. */
  async settle(later: number): Promise<void> {
    await this.take(1 + ARRIVAL_NOTES + later, true);
    if (this.#frames.pending || this.#payloads.length > 0) {
      throw new Error("more came than was sent");
    }
  }

  /** Takes bytes that were read elsewhere; pings are not kept. */
  open(chunks: readonly Uint8Array[], look = true): void {
    for (const chunk of chunks) {
      for (const frame of this.#frames.push(chunk)) {
        if (frame.length < PING_MAX_BYTES) this.#pings++;
        else this.#payloads.push(look ? this.#wire.open(frame) as Payload : { type: "not opened" });
      }
    }
  }
}
