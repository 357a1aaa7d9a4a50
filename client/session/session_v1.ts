// A session with a server of the old protocol (`--legacy`): no forward secrecy, no proof of who the server is.
// docs/PROTOCOL.md, part 1.

import { decodeBase64 } from "../../shared/base/base64.ts";
import { publicKeyToPem, type RsaKeyPair, unwrapKey } from "../../shared/crypto/rsa.ts";
import { ConnectionError, ProtocolError } from "../../shared/base/errors.ts";
import { encodeFrame } from "../../shared/channel/frame.ts";
import {
  FILE_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  RATE_LIMIT_MESSAGES,
  RATE_LIMIT_SECONDS,
} from "../../shared/base/limits.ts";
import {
  checkMessage,
  checkServerMessage,
  HANDSHAKE_ANSWER,
  type HandshakeAnswer,
} from "../../shared/messages/messages_v1.ts";
import type { Event, Request } from "../../shared/messages/messages_v2.ts";
import {
  decodeJson,
  encodeJson,
  EnvelopeV1,
  V1_KEY_BYTES,
} from "../../shared/channel/envelope_v1.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import type { Connection } from "../net/endpoint.ts";
import { closedBeforeAnswer, readFrames, ReadingPace } from "./frame_stream.ts";
import { sayFarewell } from "./farewell.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Session, SessionRequest, Welcome } from "./session.ts";
import { refusalError } from "./refusal.ts";
import { V1Translation } from "./v1_translation.ts";

/** What a v1 handshake needs beside name, room and token. */
export interface SessionV1Request extends SessionRequest {
  readonly renderer: string;
  readonly bufferSize: number;
  readonly keyPair: RsaKeyPair;
  /** Whether the connection is TLS: decides what a foreign answer means. */
  readonly tls: boolean;
  readonly clock?: Clock;
}

type HandshakeOk = Extract<HandshakeAnswer, { type: "handshake_ok" }>;

interface Parts {
  readonly connection: Connection;
  readonly frames: AsyncIterator<Uint8Array>;
  readonly clock: Clock;
  readonly wire: EnvelopeV1;
}

// Three missed pings, as the server itself counts.
const MISSED_PINGS = 3;

/** A v1 session. */
export class SessionV1 implements Session {
  readonly welcome: Welcome;
  // Only the server asks.
  readonly roundTripMs = undefined;
  onSilence: () => void = () => {};
  readonly #parts: Parts;
  readonly #view: V1Translation;
  readonly #heartbeat: Heartbeat;
  readonly #pace: ReadingPace;
  readonly #watching = new AbortController();
  #silent = false;
  #closed = false;
  #leaving: Promise<void> | undefined;

  private constructor(parts: Parts, answer: HandshakeOk, wantedName: string) {
    this.#parts = parts;
    this.#pace = new ReadingPace(parts.clock);
    this.welcome = welcomeOf(answer);
    const { client_id: client, name, room } = answer;
    this.#view = new V1Translation({ client, name, wantedName, room }, () => parts.clock.date());
    this.#heartbeat = new Heartbeat({
      clock: parts.clock,
      patienceMs: MISSED_PINGS * answer.heartbeat_interval * 1_000,
      ask: undefined,
      onDead: () => {
        this.#silent = true;
        this.#end();
      },
      onSilence: () => this.onSilence(),
    });
  }

  /**
   * Does the handshake. Throws what the server refused as UsageError, CryptoError or BusyError, and a peer that
   * speaks something else as ConnectionError or ProtocolError. The caller closes the connection.
   */
  static async open(connection: Connection, request: SessionV1Request): Promise<SessionV1> {
    await connection.write(encodeFrame(encodeJson(await handshakeOf(request))));
    const frames = readFrames(connection, request.tls);
    const { value: body } = await frames.next();
    if (body === undefined) throw closedBeforeAnswer(request.tls);
    const answer = checkMessage(HANDSHAKE_ANSWER, decodeJson(body), "handshake answer");
    if (answer.type === "handshake_error") throw refusalError(answer.reason, request);
    const wrapped = decodeBase64(answer.encrypted_key);
    if (wrapped === undefined) throw new ProtocolError("Cannot read the server's key: not base64");
    const key = await unwrapKey(request.keyPair.privateKey, wrapped);
    if (key.length !== V1_KEY_BYTES) {
      throw new ProtocolError(
        `Cannot use the server's key: it has ${key.length} bytes, expected ${V1_KEY_BYTES}`,
      );
    }
    const clock = request.clock ?? SYSTEM_CLOCK;
    return new SessionV1(
      { connection, frames, clock, wire: new EnvelopeV1(key) },
      answer,
      request.name,
    );
  }

  async send(request: Request): Promise<void> {
    const message = this.#view.toV1(request);
    if (message === undefined) return;
    const { connection, wire } = this.#parts;
    await this.#pace.write(connection, wire.seal([encodeJson(message)]));
  }

  async *events(): AsyncGenerator<Event, void> {
    const { frames, wire } = this.#parts;
    void this.#heartbeat.watch(this.#watching.signal);
    try {
      yield this.#view.start();
      const pace = this.#pace;
      for (let next = await pace.next(frames); !next.done; next = await pace.next(frames)) {
        if (this.#leaving !== undefined) break;
        this.#heartbeat.heard();
        for (const event of this.#view.fromV1(checkServerMessage(wire.open(next.value)))) {
          if (event.kind === "ping") pace.answer(() => this.send({ kind: "pong" }));
          else yield event;
        }
      }
      await this.#leaving;
      this.close();
      if (this.#silent) throw new ConnectionError("The server does not answer any more");
    } catch (error) {
      this.close();
      throw error;
    } finally {
      // A caller that stops iterating may still want to leave.
      this.#watching.abort();
    }
  }

  leave(): Promise<void> {
    return this.#leaving ??= this.#leave();
  }

  get silentMs(): number | undefined {
    return this.#heartbeat.silentMs;
  }

  // v1 has no word to ask with.
  nudge(): void {}
  wake(): void {}

  close(): void {
    if (this.#leaving === undefined) this.#end();
  }

  async #leave(): Promise<void> {
    if (this.#closed) return;
    this.#watching.abort();
    const { connection, frames, clock } = this.#parts;
    // v1 has no word for it: the end of what we write is the goodbye, behind what we said last.
    const say = () => Promise.resolve();
    await sayFarewell({ connection, frames, clock, say, isSilent: this.silentMs !== undefined });
    this.#end();
  }

  #end(): void {
    this.#closed = true;
    this.#watching.abort();
    this.#parts.connection.close();
  }
}

async function handshakeOf(request: SessionV1Request): Promise<unknown> {
  return {
    type: "handshake",
    public_key: await publicKeyToPem(request.keyPair.publicKey),
    name: request.name,
    room: request.rooms[0]?.[0] ?? "lobby",
    token: request.token ?? null,
    renderer: request.renderer,
    buffer_size: request.bufferSize,
  };
}

function welcomeOf({ client_id, limits }: HandshakeOk): Welcome {
  const rate = { messages: RATE_LIMIT_MESSAGES, seconds: RATE_LIMIT_SECONDS };
  return {
    client: client_id,
    rooms: 1,
    isV1: true,
    messageMax: limits?.message ?? MESSAGE_MAX_BYTES,
    fileMax: limits?.file ?? FILE_MAX_BYTES,
    rate: limits === undefined ? rate : limits.rate ?? undefined,
    resumed: false,
    holdSeconds: 0,
    ticket: undefined,
    fingerprint: undefined,
  };
}
